import { newUtteranceId, type VoiceInfo } from '@rhapsode/contracts';
import { download } from './download.ts';
import { invalid, noAnswer } from './errors.ts';
import { readError } from './read-error.ts';
import { createRetries } from './retries.ts';

export interface ApiOptions {
  readonly urls: readonly string[];
  readonly fetch?: typeof fetch | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly maxAttempts?: number | undefined;
  readonly retryDelayMs?: number | undefined;
}

export interface CreateRequest {
  readonly input: string;
  readonly voice?: string;
  readonly speaker?: string;
  readonly speed?: number;
  readonly seed?: number;
  /** Chosen by the client; by itself if not given. A repeated request with the same id is harmless. */
  readonly id?: string;
  readonly class?: 'interactive' | 'bulk';
  readonly input_type?: 'text' | 'ssml';
  readonly normalise?: 'auto' | 'on' | 'off';
  readonly inline?: boolean;
  /** Rules, or the name of a lexicon that the server keeps. */
  readonly lexicon?: readonly object[] | string;
  readonly settings?: Readonly<Record<string, number>>;
}

export interface CreatedUtterance {
  readonly id: string;
  /** Absolute. */
  readonly audioUrl: string;
}

export interface AudioOptions {
  readonly format?: string;
  /** In Hz; by default that of the voice. */
  readonly sampleRateHz?: number | undefined;
  /** `false`: the audio begins when all is made, and tells its length in its header: an MP3 ends with its last sample. */
  readonly stream?: boolean | undefined;
  readonly signal?: AbortSignal;
}

/** As the server lists it. */
export interface ListedVoice
  extends Pick<
    VoiceInfo,
    'id' | 'name' | 'language' | 'speakers' | 'engine' | 'deterministic' | 'capabilities'
  > {
  readonly sample_rate_hz: number;
  readonly digest: string;
  readonly aliases: readonly string[];
  readonly licence?: string;
}

export interface ListedModel {
  readonly id: string;
  readonly object: 'model';
}

/** Requests to whichever of the gateways answers. */
export interface Api {
  voices(signal?: AbortSignal): Promise<ListedVoice[]>;
  models(signal?: AbortSignal): Promise<ListedModel[]>;
  create(request: CreateRequest, signal?: AbortSignal): Promise<CreatedUtterance>;
  /**
   * The utterance's audio. A connection that breaks is taken up again at the byte where it broke, at whichever server
   * answers; the bytes are those of one undisturbed download.
   */
  audio(utterance: Pick<CreatedUtterance, 'audioUrl'>, options?: AudioOptions): AsyncGenerator<Uint8Array>;
  cancel(id: string, signal?: AbortSignal): Promise<void>;
}

/** Base URLs as they were given, without a slash at the end. */
export function checkUrls(given: string | readonly string[] | undefined): readonly string[] {
  const urls = (typeof given === 'string' ? [given] : (given ?? [])).map((url) => url.replace(/\/+$/, ''));
  if (urls.length === 0 || !urls.every((url) => /^https?:\/\//.test(url) && URL.canParse(url)))
    throw invalid(
      'url',
      "'url' must be the http(s) URL of a server, for example http://localhost:8080, or a list of them",
    );
  return urls;
}

export function createApi(options: ApiOptions): Api {
  const { urls, fetch: request = fetch, headers = {}, maxAttempts, retryDelayMs } = options;

  async function callOne(base: string, path: string, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      response = await request(base + path, { ...init, headers: { ...headers, ...init.headers } });
    } catch (cause) {
      init.signal?.throwIfAborted();
      throw noAnswer(base, cause);
    }
    if (!response.ok) throw await readError(response);
    return response;
  }

  /** For requests that may be repeated; somebody waits for it, so it is not tried for as long as a download is. */
  async function call(path: string, init: RequestInit, signal?: AbortSignal): Promise<[Response, string]> {
    const retries = createRetries(urls.length, {
      maxAttempts: Math.min(maxAttempts ?? 40, Math.max(4, 2 * urls.length)),
      retryDelayMs,
      signal,
    });
    for (;;) {
      const base = urls[retries.server]!;
      try {
        return [await callOne(base, path, { ...init, ...(signal ? { signal } : {}) }), base];
      } catch (error) {
        await retries.after(error);
      }
    }
  }

  async function json<T>(path: string, signal?: AbortSignal): Promise<T> {
    const [response] = await call(path, {}, signal);
    return (await response.json()) as T;
  }

  return {
    voices: async (signal) => (await json<{ voices: ListedVoice[] }>('/v1/audio/voices', signal)).voices,
    models: async (signal) => (await json<{ data: ListedModel[] }>('/v1/models', signal)).data,

    async create(body, signal) {
      const init = {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ id: newUtteranceId(), ...body }),
      };
      const [response, base] = await call('/v1/utterances', init, signal);
      const { id, audio_url } = (await response.json()) as { id: string; audio_url: string };
      return { id, audioUrl: base + audio_url };
    },

    async *audio({ audioUrl }, { format = 'wav', sampleRateHz, stream = true, signal } = {}) {
      const base = urls.find((url) => audioUrl.startsWith(`${url}/`));
      const others = base === undefined ? [] : urls.filter((url) => url !== base);
      const sources = [audioUrl, ...others.map((url) => url + audioUrl.slice(base!.length))].map((source) => {
        const href = new URL(source);
        href.searchParams.set('format', format);
        if (sampleRateHz !== undefined) href.searchParams.set('sample_rate', String(sampleRateHz));
        if (!stream) href.searchParams.set('stream', 'false');
        return href.href;
      });
      const audio = await download(sources, { signal, fetch: request, headers, maxAttempts, retryDelayMs });
      yield* audio.body;
    },

    async cancel(id, signal) {
      await call(`/v1/utterances/${encodeURIComponent(id)}`, { method: 'DELETE' }, signal);
    },
  };
}

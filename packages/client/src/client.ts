import { RhapsodeError } from '@rhapsode/contracts';
import { download } from './download.ts';
import { readError } from './read-error.ts';

export interface ClientOptions {
  /** Of a gateway, for example `http://localhost:8080`. */
  readonly url: string;
  readonly fetch?: typeof fetch;
  /** How often a broken download is taken up again without having got a byte further. */
  readonly maxAttempts?: number;
  readonly retryDelayMs?: number;
}

export interface CreateRequest {
  readonly input: string;
  readonly voice?: string;
  readonly speaker?: string;
  readonly speed?: number;
  readonly seed?: number;
  readonly id?: string;
}

export interface CreatedUtterance {
  readonly id: string;
  /** Absolute. */
  readonly audioUrl: string;
}

export interface AudioOptions {
  readonly format?: string;
  readonly signal?: AbortSignal;
}

export interface Client {
  voices(signal?: AbortSignal): Promise<unknown[]>;
  create(request: CreateRequest, signal?: AbortSignal): Promise<CreatedUtterance>;
  /**
   * The utterance's audio. A connection that breaks is taken up again at the byte where it broke, at whichever collector
   * answers; the bytes are those of one undisturbed download.
   */
  audio(utterance: Pick<CreatedUtterance, 'audioUrl'>, options?: AudioOptions): AsyncGenerator<Uint8Array>;
  cancel(id: string, signal?: AbortSignal): Promise<void>;
}

/** Speaks to a Rhapsode server. Runs in browsers and in Node: it needs `fetch` only. */
export function createClient(options: ClientOptions): Client {
  const { url, fetch: request = fetch, maxAttempts, retryDelayMs } = options;
  const absolute = (path: string) => new URL(path, url).href;

  async function call(path: string, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      response = await request(absolute(path), init);
    } catch (cause) {
      init.signal?.throwIfAborted();
      throw new RhapsodeError('internal_error', { message: `${url} does not answer`, cause });
    }
    if (!response.ok) throw await readError(response);
    return response;
  }

  return {
    async voices(signal) {
      const response = await call('/v1/audio/voices', signal ? { signal } : {});
      return ((await response.json()) as { voices: unknown[] }).voices;
    },

    async create(body, signal) {
      const response = await call('/v1/utterances', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        ...(signal ? { signal } : {}),
      });
      const { id, audio_url } = (await response.json()) as { id: string; audio_url: string };
      return { id, audioUrl: absolute(audio_url) };
    },

    async *audio({ audioUrl }, { format = 'wav', signal } = {}) {
      const href = new URL(audioUrl);
      href.searchParams.set('format', format);
      const audio = await download([href.href], { signal, fetch: request, maxAttempts, retryDelayMs });
      yield* audio.body;
    },

    async cancel(id, signal) {
      await call(`/v1/utterances/${encodeURIComponent(id)}`, {
        method: 'DELETE',
        ...(signal ? { signal } : {}),
      });
    },
  };
}

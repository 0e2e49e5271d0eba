import { RhapsodeError } from '@rhapsode/contracts';
import { readError } from './read-error.ts';
import { createRetries, type RetryOptions } from './retries.ts';

export interface DownloadOptions extends RetryOptions {
  /** First byte wanted; 0 by default. */
  readonly offset?: number | undefined;
  /** Last byte wanted; to the end by default. */
  readonly last?: number | undefined;
  readonly fetch?: typeof fetch | undefined;
  /** Added to every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export interface Download {
  /** The first answer that came. */
  readonly status: number;
  readonly headers: Headers;
  readonly body: AsyncGenerator<Uint8Array, void, undefined>;
}

/**
 * Downloads what all of `urls` serve: one immutable sequence of bytes. A connection that breaks is taken up again at the byte
 * where it broke, at the next of the servers; the bytes are those of one undisturbed download. Resolves with the first answer;
 * rejects with the server's error.
 */
export async function download(urls: readonly string[], options: DownloadOptions = {}): Promise<Download> {
  const { signal, offset: start = 0, last, fetch: request = fetch } = options;
  const retries = createRetries(urls.length, options);
  let offset = start;

  function connect(): Promise<Response> {
    const ranged = offset > 0 || last !== undefined;
    return request(urls[retries.server]!, {
      headers: { ...options.headers, ...(ranged ? { range: `bytes=${offset}-${last ?? ''}` } : {}) },
      ...(signal ? { signal } : {}),
    });
  }

  async function open(): Promise<Response> {
    const response = await connect();
    if (response.ok) {
      if (offset > start && !continuesAt(response, offset)) {
        await response.body?.cancel();
        throw new RhapsodeError('audio_lost', {
          message: 'the download broke, and the server does not continue it where it broke',
        });
      }
      return response;
    }
    throw await readError(response);
  }

  async function openSomewhere(): Promise<Response> {
    for (;;) {
      try {
        return await open();
      } catch (error) {
        await retries.after(error);
      }
    }
  }

  const first = await openSomewhere();

  async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
    let response = first;
    for (;;) {
      try {
        for await (const bytes of (response.body ?? []) as AsyncIterable<Uint8Array>) {
          offset += bytes.length;
          retries.progress();
          yield bytes;
        }
        return;
      } catch (error) {
        await retries.after(error);
      }
      if (last !== undefined && offset > last) return;
      try {
        response = await openSomewhere();
      } catch (error) {
        // What is asked for begins where the audio ends: only the end itself had been lost.
        if (error instanceof RhapsodeError && error.code === 'range_not_satisfiable' && offset > start)
          return;
        throw error;
      }
    }
  }

  return { status: first.status, headers: first.headers, body: body() };
}

const continuesAt = ({ status, headers }: Response, offset: number): boolean =>
  status === 206 && (headers.get('content-range') ?? '').startsWith(`bytes ${offset}-`);

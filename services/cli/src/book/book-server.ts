import type { BookView } from '@rhapsode/book';
import { invalid, noAnswer } from '@rhapsode/client/errors';
import { readError } from '@rhapsode/client/read-error';
import { createRetries } from '@rhapsode/client/retries';
import { RhapsodeError } from '@rhapsode/contracts';

/** A server that makes books, as far as the command needs it. */
export interface BookServer {
  readonly url: string;
  /** Once: what fails is told at once. */
  ask<T>(path: string, init?: RequestInit): Promise<{ readonly status: number; readonly body: T }>;
  /** A question that may be repeated, to a server that did answer: it may be away for a minute. */
  look<T>(path: string): Promise<T>;
  /** The states of a book as they come; the stream may end before the book does. */
  events(path: string): AsyncGenerator<BookView>;
}

const patience = { maxAttempts: 60, retryDelayMs: 100 };

export function createBookServer(given: string, signal: AbortSignal): BookServer {
  const url = given.replace(/\/+$/, '');
  if (!/^https?:\/\//.test(url) || !URL.canParse(url))
    throw invalid(
      'server',
      `--server must be the http(s) URL of a server, e.g. http://localhost:8080, not '${given}'`,
    );

  async function reach(path: string, init: RequestInit = {}): Promise<Response> {
    const answer = await fetch(url + path, { ...init, signal }).catch((cause: unknown) => {
      signal.throwIfAborted();
      throw noAnswer(url, cause);
    });
    if (answer.ok) return answer;
    throw await readError(answer);
  }
  async function ask<T>(path: string, init?: RequestInit) {
    const answer = await reach(path, init);
    try {
      return { status: answer.status, body: (await answer.json()) as T };
    } catch (cause) {
      signal.throwIfAborted();
      if (!(cause instanceof SyntaxError)) throw noAnswer(url, cause);
      throw new RhapsodeError('bad_message', {
        message: `${url} answers, but not as a Rhapsode server`,
        cause,
      });
    }
  }

  return {
    url,
    ask,
    async look<T>(path: string) {
      const retries = createRetries(1, { ...patience, signal });
      for (;;)
        try {
          return (await ask<T>(path)).body;
        } catch (error) {
          await retries.after(error);
        }
    },
    async *events(path) {
      const answer = await reach(path, { headers: { accept: 'text/event-stream' } });
      let held = '';
      for await (const text of answer.body!.pipeThrough(new TextDecoderStream())) {
        held += text;
        for (let end = held.indexOf('\n\n'); end >= 0; end = held.indexOf('\n\n')) {
          const lines = held.slice(0, end).split('\n');
          held = held.slice(end + 2);
          const data = lines
            .filter((line) => line.startsWith('data:'))
            .map((line) => line.slice(5))
            .join('\n');
          if (data !== '' && !lines.includes('event: error')) yield JSON.parse(data) as BookView;
        }
      }
    },
  };
}

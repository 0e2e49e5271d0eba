import { setTimeout as sleep } from 'node:timers/promises';
import type { BookView } from '@rhapsode/book';
import { asRhapsodeError, errorBody } from '@rhapsode/contracts';
import { disconnectSignal, sendBody } from '@rhapsode/service';
import type { FastifyInstance } from 'fastify';
import type { GatewayDeps } from '../deps.ts';
import { bookApi } from './book-api.ts';
import { idOf, shown } from './books.ts';

const lookEveryMs = 500;
const beatEveryMs = 15_000;
/** Nothing is made as it is taken, so nobody has to know what was. */
const drain = { settle: async () => {} };

/** Told apart from progress: what a client acts on. */
const ended: readonly BookView['state'][] = ['succeeded', 'partially_succeeded', 'failed', 'cancelled'];

/**
 * How a book comes along, as server-sent events. Each holds all there is to know, so that a client that was away misses nothing
 * that still matters: it hears the newest state at once, whatever `Last-Event-ID` it had, unless it had this one already.
 * After the end of the book the stream ends in good order.
 */
export function bookEvents(app: FastifyInstance, { books, tenant, log }: GatewayDeps): void {
  app.get('/v1/books/:id/events', { config: { api: bookApi.events } }, async (request, reply) => {
    const id = idOf(request);
    const first = await books.get(tenant, id);
    const signal = disconnectSignal(request, reply);
    const headers = {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    };
    const seen = request.headers['last-event-id'];

    async function* events(): AsyncGenerator<Uint8Array> {
      let last = typeof seen === 'string' ? seen : '';
      let book: BookView | undefined = first;
      let spokeMs = performance.now();
      yield Buffer.from('retry: 2000\n\n');
      while (!signal.aborted) {
        if (book) {
          const mark = markOf(book);
          if (mark !== last) {
            yield event(ended.includes(book.state) ? 'ended' : 'progress', shown(book), mark);
            last = mark;
            spokeMs = performance.now();
          }
          if (ended.includes(book.state)) return;
        }
        await sleep(lookEveryMs, undefined, { signal }).catch(() => {});
        if (signal.aborted) return;
        if (performance.now() - spokeMs > beatEveryMs) {
          yield Buffer.from(': still here\n\n');
          spokeMs = performance.now();
        }
        try {
          book = await books.get(tenant, id);
        } catch (thrown) {
          book = undefined;
          // What is away for a while comes back; a book that was deleted does not.
          if (asRhapsodeError(thrown).retryable) continue;
          yield event('error', errorBody(thrown));
          return;
        }
      }
    }
    await sendBody(request, reply, { status: 200, headers, body: events() }, signal, { drain, log });
    return reply;
  });
}

const event = (name: string, data: unknown, id?: string): Buffer =>
  Buffer.from(`event: ${name}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`);

/** Equal for two looks at a book that differ in nothing that counts. */
function markOf({ state, edition, queue_position, progress }: BookView): string {
  const { stage, chapters, sentences, sentences_synthesized, audio_seconds } = progress;
  return [
    edition,
    state,
    queue_position ?? '',
    stage,
    chapters,
    sentences,
    sentences_synthesized,
    Math.round(audio_seconds * 1000),
  ].join('-');
}

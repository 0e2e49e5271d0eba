import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { AacAnswer, AacQuestion } from './thread-protocol.ts';

/** As many threads as there are cores, at most. To start one takes some tenths of a second of a core, so it waits a while for the next stream. */
const mostThreads = Math.max(2, Math.min(8, availableParallelism()));
const idleMs = 10_000;
/** A thread that does not answer for so long never will; one that has died is noticed at once. */
const stallMs = 120_000;

interface Thread {
  streams: number;
  /** Ends it, when nobody has come. */
  idle?: NodeJS.Timeout;
  ask(stream: number, ask: AacQuestion['ask']): Promise<Uint8Array>;
  end(): void;
}

export interface AacStream {
  ask(ask: AacQuestion['ask']): Promise<Uint8Array>;
  /** Gives the place back; nothing can be asked any more. */
  leave(): void;
}

const threads = new Set<Thread>();
let streams = 0;

/** A stream's place on the thread that has fewest. */
export function takeAacStream(): AacStream {
  const least = [...threads].sort((a, b) => a.streams - b.streams)[0];
  const thread = least && (least.streams === 0 || threads.size >= mostThreads) ? least : startThread();
  thread.streams += 1;
  clearTimeout(thread.idle);
  const stream = streams++;
  return {
    ask: (ask) => thread.ask(stream, ask),
    leave() {
      thread.streams -= 1;
      if (thread.streams === 0) thread.idle = setTimeout(() => thread.end(), idleMs).unref();
    },
  };
}

function startThread(): Thread {
  const worker = new Worker(new URL('./thread.ts', import.meta.url));
  // It keeps nobody from ending but who waits for an answer.
  worker.unref();
  const waiting = new Map<number, { resolve(bytes: Uint8Array): void; reject(error: unknown): void }>();
  let asked = 0;
  let death: unknown;

  function die(error: unknown): void {
    death ??= error;
    threads.delete(thread);
    for (const { reject } of waiting.values()) reject(death);
    waiting.clear();
  }
  worker.on('message', ({ id, bytes, error }: AacAnswer) => {
    const asker = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) worker.unref();
    if (error === undefined) asker?.resolve(bytes ?? new Uint8Array(0));
    else asker?.reject(error);
  });
  worker.on('error', die);
  worker.on('exit', () => die(new Error('the thread that encodes AAC has ended')));

  const thread: Thread = {
    streams: 0,
    ask: (stream, ask) =>
      new Promise<Uint8Array>((resolve, reject) => {
        if (death !== undefined) return reject(death);
        const id = asked++;
        const timer = setTimeout(() => {
          die(new Error(`no answer within ${stallMs} ms`));
          void worker.terminate();
        }, stallMs);
        waiting.set(id, {
          resolve(bytes) {
            clearTimeout(timer);
            resolve(bytes);
          },
          reject(error) {
            clearTimeout(timer);
            reject(error);
          },
        });
        worker.ref();
        worker.postMessage(
          { id, stream, ask } satisfies AacQuestion,
          ask.type === 'push' ? [ask.pcm.buffer] : [],
        );
      }),
    end() {
      die(new Error('the thread that encodes AAC was ended'));
      void worker.terminate();
    },
  };
  threads.add(thread);
  return thread;
}

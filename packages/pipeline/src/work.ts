import { setTimeout as sleep } from 'node:timers/promises';
import { RhapsodeError, type VoiceInfo } from '@rhapsode/contracts';
import type { AudioLog } from '@rhapsode/log';
import type { Delivery, JobQueue } from '@rhapsode/queue';
import type { RequestStore } from '@rhapsode/store';
import type { Engine } from '@rhapsode/voices';
import type { Dispatcher } from './dispatch.ts';
import { type Observer, silent } from './observe.ts';
import { synthesize } from './synthesize.ts';

export interface WorkDeps {
  readonly id: string;
  readonly pool: string;
  readonly slots: number;
  readonly voices: readonly VoiceInfo[];
  readonly engine: Engine;
  readonly queue: JobQueue;
  readonly log: AudioLog;
  readonly store: RequestStore;
  readonly dispatcher: Pick<Dispatcher, 'kick'>;
  readonly observer?: Observer;
}

export interface Working {
  /** Sentences in hand. */
  running(): number;
  /** See `JobConsumer.idleMs`. */
  idleMs(): number;
  /** Takes nothing more; finishes what is in hand, or hands it back when `graceMs` is over. */
  close(options: { graceMs: number }): Promise<void>;
}

const announceEveryMs = 2_000;
const announcementLastsMs = 10_000;

/** Takes sentence jobs of a pool and makes them, says that it is there, and drops what is cancelled. */
export function startWorking(deps: WorkDeps): Working {
  const { id, pool, slots, voices, queue, log, store, dispatcher, observer = silent } = deps;
  const closing = new AbortController();
  const ended = new AbortController();
  /** By delivery: a job that comes back to the worker that lost it is here twice. */
  const inHand = new Set<Delivery>();

  const consumer = queue.work(
    async (delivery, signal) => {
      inHand.add(delivery);
      try {
        await synthesize(delivery, { ...deps, worker: id }, signal);
      } finally {
        inHand.delete(delivery);
        void dispatcher.kick(pool);
      }
    },
    { name: id, slots, onError: (error) => observer.trouble('queue', error, { pool }) },
  );

  log.onCancel((utterance) => {
    for (const delivery of inHand)
      if (delivery.job.utterance === utterance) consumer.abort(delivery.id, new RhapsodeError('cancelled'));
  }, ended.signal);

  async function announceForever(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        await store.announce({ id, pool, slots, voices }, announcementLastsMs);
        await sleep(announceEveryMs, undefined, { signal: closing.signal });
      } catch (error) {
        if (closing.signal.aborted) return;
        observer.trouble('announce', error, { pool });
        await sleep(announceEveryMs, undefined, { signal: closing.signal }).catch(() => {});
      }
    }
  }
  const announcing = announceForever();

  return {
    running: () => inHand.size,
    idleMs: () => consumer.idleMs(),
    async close(options) {
      closing.abort();
      await announcing;
      await store.withdraw(id, pool).catch((error: unknown) => observer.trouble('withdraw', error, { pool }));
      await consumer.close(options);
      ended.abort();
    },
  };
}

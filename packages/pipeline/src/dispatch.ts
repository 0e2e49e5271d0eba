import { setTimeout as sleep } from 'node:timers/promises';
import { bands, epochOf, jobId, noPcm, RhapsodeError } from '@rhapsode/contracts';
import type { AudioLog } from '@rhapsode/log';
import type { JobQueue, QueueEntry } from '@rhapsode/queue';
import type { Released, RequestStore, Room } from '@rhapsode/store';
import { laneOf } from '@rhapsode/store';
import { type Observer, silent } from './observe.ts';

/**
 * Moves sentences from the request store to the queue, and mends what a crash, a lost message or a lost server left
 * undone. Any process may run one; all of them together release each sentence once.
 *
 *   stored ──release──▶ released ──add──▶ queued ──worker──▶ finished ──listener──▶ consumed
 *              ▲                    ▲                                       │
 *           credit           sweep, heal                                  credit
 */
export interface Dispatcher {
  /** Releases what credit and room allow. Never rejects: what failed is left to the sweep. */
  kick(pool: string): Promise<void>;
  /** The listener has consumed all segments below `segment`: gives credit and uses it. */
  consumed(utterance: { id: string; pool: string }, segment: number): Promise<void>;
  /**
   * A listener waits for `head` and the log holds nothing more: finds out why and mends it. `missing` are segments from
   * `head` on that are not whole on the log. Resolves with the number of segments once it is final. Rejects if the
   * utterance is gone or cancelled.
   */
  heal(id: string, head: number, missing: readonly number[]): Promise<number | undefined>;
  /** Stops an utterance: nothing waiting is started, what runs is aborted, its audio is forgotten. False: unknown. */
  cancel(id: string): Promise<boolean>;
  /** One round of mending for released sentences that have neither job nor audio; and what nobody holds is cancelled. */
  sweep(pool: string): Promise<void>;
  close(): Promise<void>;
}

export interface DispatcherDeps {
  readonly store: RequestStore;
  readonly log: AudioLog;
  readonly queueOf: (pool: string) => JobQueue;
  readonly observer?: Observer;
  /** Pools to sweep every `sweepMs`. */
  readonly pools: readonly string[];
  readonly sweepMs?: number;
  /** A released sentence is looked at when it has been in flight this long. */
  readonly overdueMs?: number;
}

/** How much may be in flight for a number of slots: enough that no slot waits for a release, little enough to be fair. */
export const roomFor = (slots: number): Room => ({
  head: Math.max(32, 16 * slots),
  listener: Math.max(8, 4 * slots),
  bulk: Math.max(4, 2 * slots),
});

/**
 * A job that failed without having said so on the log lost its workers too often, or the log was away for all its attempts. The
 * sentence is no worse for that: it gets this many jobs more.
 */
const mostGenerations = 2;
const batch = 64;
/** A cancellation that failed half-way is tried again then, by whoever sweeps. */
const abandonAgainMs = 5_000;
const slotsKnownForMs = 1_000;

export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  const { store, log, queueOf, pools, observer = silent, sweepMs = 1_000, overdueMs = 3_000 } = deps;
  const closing = new AbortController();
  const kicks = new Map<string, { running: Promise<void>; again: boolean }>();
  const rooms = new Map<string, { room: Room; until: number }>();

  async function roomOf(pool: string): Promise<Room> {
    const known = rooms.get(pool);
    if (known && performance.now() < known.until) return known.room;
    const room = roomFor(await store.slots(pool));
    rooms.set(pool, { room, until: performance.now() + slotsKnownForMs });
    return room;
  }

  async function releaseAll(pool: string): Promise<void> {
    const room = await roomOf(pool);
    for (;;) {
      const released = await store.release(pool, { room, limit: batch });
      if (released.length > 0) await queueOf(pool).add(released.map(firstEntry));
      if (released.length < batch) return;
    }
  }

  async function kick(pool: string): Promise<void> {
    const current = kicks.get(pool);
    if (current) {
      current.again = true;
      return current.running;
    }
    const state = { running: Promise.resolve(), again: false };
    kicks.set(pool, state);
    state.running = (async () => {
      try {
        do {
          state.again = false;
          await releaseAll(pool);
        } while (state.again);
      } catch (error) {
        observer.trouble('release', error, { pool });
      } finally {
        kicks.delete(pool);
      }
    })();
    return state.running;
  }

  /**
   * Makes a sentence again under a new job id, unless somebody else has just done so. One that was not made yet goes before all
   * others; one that is made again for who hears it again waits as it did when it was new.
   */
  async function redispatch(
    pool: string,
    id: string,
    { index, generation }: { index: number; generation: number },
    was: 'lost' | 'made',
  ): Promise<void> {
    const released = await store.regenerate(id, index, generation);
    if (!released) return;
    observer.attempt('regenerated');
    const band = was === 'lost' ? bands.retry : bandOf(released);
    await queueOf(pool).add([{ job: jobOf(released), band }]);
  }

  async function fail(id: string, index: number, generation: number, code: string, reason: string) {
    const epoch = epochOf(generation, 0xffff);
    await log.append(id, { kind: 'segment-failed', segment: index, epoch, code, reason }, noPcm);
    await store.finished(id, index, generation, { failed: code });
  }

  /** The queue's view of an unfinished sentence decides what is missing. */
  async function mend(pool: string, id: string, sentences: readonly { index: number; generation: number }[]) {
    const states = await queueOf(pool).states(sentences.map((s) => jobId(id, s.index, s.generation)));
    for (const [i, { index, generation }] of sentences.entries()) {
      const state = states[i];
      if (state === 'waiting' || state === 'active') continue;
      if (state === 'failed' && generation >= mostGenerations)
        await fail(id, index, generation, 'synthesis_failed', 'its workers died or failed too often');
      else await redispatch(pool, id, { index, generation }, 'lost');
    }
  }

  async function sweep(pool: string): Promise<void> {
    const overdue = await store.overdue(pool, { olderThanMs: overdueMs, limit: 256 });
    const byUtterance = Map.groupBy(overdue, (released) => released.utterance.id);
    for (const [id, sentences] of byUtterance) await mend(pool, id, sentences);
    for (const id of await store.abandoned(pool, { retryMs: abandonAgainMs, limit: batch })) await cancel(id);
    await kick(pool);
  }

  async function heal(id: string, head: number, missing: readonly number[]): Promise<number | undefined> {
    const state = await store.get(id);
    if (!state) throw new RhapsodeError('utterance_not_found');
    if (state.cancelled) throw new RhapsodeError('cancelled');
    const { pool } = state.utterance;
    if (state.sealed && head >= state.segments) {
      await log.append(id, { kind: 'utterance-end', segments: state.segments }, noPcm);
      return state.segments;
    }
    const total = state.sealed ? state.segments : undefined;
    await kick(pool);
    const wanted = missing.filter((index) => index < state.released);
    if (wanted.length === 0) return total;
    const first = wanted[0]!;
    const progress = await store.progress(id, first, wanted.at(-1)! - first + 1);
    const inFlight: { index: number; generation: number }[] = [];
    for (const index of wanted) {
      const known = progress[index - first];
      if (!known) continue;
      const { generation, outcome } = known;
      if (!outcome) inFlight.push({ index, generation });
      else if ('failed' in outcome) await fail(id, index, generation, outcome.failed, 'it failed before');
      else await redispatch(pool, id, { index, generation }, 'made');
    }
    if (inFlight.length > 0) await mend(pool, id, inFlight);
    return total;
  }

  async function cancel(id: string): Promise<boolean> {
    const state = await store.get(id);
    const cancelled = await store.cancel(id);
    if (!state || !cancelled) return false;
    const { pool } = state.utterance;
    await log.announceCancel(id);
    await queueOf(pool).remove(cancelled.inFlight.map((s) => jobId(id, s.segment, s.generation)));
    await log.purge(id);
    if (!state.cancelled) observer.cancelled(cancelled.unfinished);
    await kick(pool);
    return true;
  }

  async function sweepForever(pool: string): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        await sleep(sweepMs, undefined, { signal: closing.signal });
        await sweep(pool);
      } catch (error) {
        if (!closing.signal.aborted) observer.trouble('sweep', error, { pool });
      }
    }
  }
  const sweeps = pools.map(sweepForever);

  return {
    kick,
    async consumed({ id, pool }, segment) {
      await store.consumed(id, segment);
      await kick(pool);
    },
    heal,
    cancel,
    sweep,
    async close() {
      closing.abort();
      await Promise.all([...sweeps, ...[...kicks.values()].map((k) => k.running)]);
    },
  };
}

const laneBand = { head: bands.head, listener: bands.listener, bulk: bands.bulk } as const;

const bandOf = ({ utterance, index }: Released) => laneBand[laneOf(utterance.class, index)];

const firstEntry = (released: Released): QueueEntry => ({ job: jobOf(released), band: bandOf(released) });

export function jobOf({ utterance, index, segment, generation }: Released) {
  const {
    id,
    tenant,
    class: utteranceClass,
    voice,
    voiceDigest,
    speaker,
    speed,
    settings,
    seed,
    sampleRateHz,
  } = utterance;
  const { text, pauseSamples, estimatedMs, place, gain } = segment;
  const spokenBy = segment.speaker ?? (segment.voice === undefined ? speaker : undefined);
  return {
    v: 1 as const,
    utterance: id,
    tenant,
    class: utteranceClass,
    segment: index,
    generation,
    voice: segment.voice ?? voice,
    voiceDigest: segment.voiceDigest ?? voiceDigest,
    ...(spokenBy === undefined ? {} : { speaker: spokenBy }),
    speed: segment.speed ?? speed,
    ...(settings === undefined ? {} : { settings }),
    seed,
    sampleRateHz,
    text,
    pauseSamples,
    estimatedMs,
    ...(place === undefined ? {} : { place }),
    ...(gain === undefined ? {} : { gain }),
    releasedAtMs: Date.now(),
  };
}

import type { Segment, Utterance, VoiceInfo } from '@rhapsode/contracts';
import { afterEach, beforeEach, expect } from 'vitest';
import { laneOf, type Released, type RequestStore, type Room } from '../port.ts';

export interface ConformanceOptions {
  readonly now: () => number;
  readonly ttlMs: number;
  readonly voicesTtlMs: number;
}

/** Makes a store that is empty and takes its time from `now`. */
export type StoreFactory = (options: ConformanceOptions) => RequestStore | Promise<RequestStore>;

export const pool = 'cpu';
export const ttlMs = 10_000;
export const voicesTtlMs = 100_000;
export const plenty: Room = { head: 1_000_000, listener: 1_000_000, bulk: 1_000_000 };
export const full: Room = { head: 0, listener: 0, bulk: 0 };

export function createClock(startMs = 1_700_000_000_000) {
  let nowMs = startMs;
  return {
    now: () => nowMs,
    advance(ms: number) {
      nowMs += ms;
    },
  };
}
export type Clock = ReturnType<typeof createClock>;

let made = 0;
export const newId = (): string => `utterance${(made++).toString().padStart(6, '0')}`;

export const utteranceOf = (fields: Partial<Utterance> = {}): Utterance => ({
  v: 1,
  id: newId(),
  tenant: 'acme',
  class: 'interactive',
  pool,
  weight: 1,
  voice: 'tone',
  voiceDigest: 'd1',
  deterministic: true,
  sampleRateHz: 24_000,
  speed: 1,
  seed: 7,
  window: 6,
  createdAtMs: 1_700_000_000_000,
  ...fields,
});

export const segmentOf = (index: number, fields: Partial<Segment> = {}): Segment => ({
  start: index * 10,
  end: index * 10 + 9,
  text: `Sentence ${index}.`,
  pauseSamples: 2400,
  estimatedMs: 1000,
  ...fields,
});

export const segmentsOf = (count: number, from = 0): Segment[] =>
  Array.from({ length: count }, (_, i) => segmentOf(from + i));

export const voiceOf = (id: string, fields: Partial<VoiceInfo> = {}): VoiceInfo => ({
  id,
  name: id,
  engine: 'tone',
  language: 'en',
  sampleRateHz: 24_000,
  speakers: [],
  digest: 'd1',
  deterministic: true,
  capabilities: { speed: { min: 0.5, max: 2 }, streaming: true, marks: 'model' },
  ...fields,
});

/** An utterance with `count` segments, sealed. */
export async function submitted(
  store: RequestStore,
  count: number,
  fields: Partial<Utterance> = {},
): Promise<Utterance> {
  const utterance = utteranceOf(fields);
  await store.create(utterance, { maxOpen: 1000 });
  await store.append(utterance.id, segmentsOf(count), { at: 0, seal: true });
  return utterance;
}

/** A fresh store with a clock of its own for each test of the surrounding `describe`. */
export function freshStore(factory: StoreFactory) {
  let store: RequestStore;
  let clock: Clock;
  beforeEach(async () => {
    clock = createClock();
    store = await factory({ now: clock.now, ttlMs, voicesTtlMs });
  });
  afterEach(() => store.close());
  return {
    get store() {
      return store;
    },
    get clock() {
      return clock;
    },
  };
}

export const places = (released: readonly Released[]): string[] =>
  released.map(({ utterance, index, generation }) => `${utterance.id}-${index}-${generation}`);

export const ok = { samples: 24_000 };

/** Releases and finishes until nothing is left; how many sentences that were. */
export async function workOff(store: RequestStore): Promise<number> {
  for (let count = 0; ; ) {
    const released = await store.release(pool, { room: plenty, limit: 100 });
    if (released.length === 0) return count;
    count += released.length;
    for (const { utterance, index, generation } of released) {
      await store.finished(utterance.id, index, generation, ok);
      await store.consumed(utterance.id, index + 1);
    }
  }
}

/** Fails if any sentence is still counted as in flight or owed: then room and backlog would be wrong for ever. */
export async function expectNothingCounted(store: RequestStore): Promise<void> {
  expect(await store.backlog(pool)).toEqual({ interactive: 0, bulk: 0 });
  expect(await store.overdue(pool, { olderThanMs: 0, limit: 1000 })).toEqual([]);
  expect(await store.release(pool, { room: plenty, limit: 1000 })).toEqual([]);
  const room = { head: 2, listener: 3, bulk: 4 };
  const probes = [
    await submitted(store, 10, { class: 'bulk', window: 100, tenant: 'probe' }),
    await submitted(store, 10, { class: 'interactive', window: 100, tenant: 'probe' }),
  ];
  const byLane = Object.groupBy(await store.release(pool, { room, limit: 1000 }), ({ utterance, index }) =>
    laneOf(utterance.class, index),
  );
  expect({
    head: byLane.head?.length,
    listener: byLane.listener?.length,
    bulk: byLane.bulk?.length,
  }).toEqual(room);
  for (const { id } of probes) await store.cancel(id);
}

import type { VoiceInfo } from '@rhapsode/contracts';
import type { WorkerRecord } from '../port.ts';

interface Dated<T> {
  readonly value: T;
  readonly deadlineMs: number;
}

/** The workers of each pool and the voices that they announced. */
export function createRoster(now: () => number, voicesTtlMs: number) {
  const workers = new Map<string, Map<string, Dated<WorkerRecord>>>();
  const voices = new Map<string, Map<string, Dated<VoiceInfo>>>();

  function set<T>(
    table: Map<string, Map<string, Dated<T>>>,
    pool: string,
    id: string,
    value: T,
    ttlMs: number,
  ) {
    const known = table.get(pool) ?? new Map<string, Dated<T>>();
    table.set(pool, known.set(id, { value: structuredClone(value), deadlineMs: now() + ttlMs }));
  }

  function list<T>(table: Map<string, Map<string, Dated<T>>>, pool: string): T[] {
    const known = table.get(pool);
    if (!known) return [];
    for (const [id, { deadlineMs }] of known) if (deadlineMs <= now()) known.delete(id);
    return [...known].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { value }]) => value);
  }

  return {
    announce(worker: WorkerRecord, ttlMs: number) {
      set(workers, worker.pool, worker.id, worker, ttlMs);
      for (const voice of worker.voices) set(voices, worker.pool, voice.id, voice, voicesTtlMs);
    },
    withdraw: (id: string, pool: string) => workers.get(pool)?.delete(id),
    workers: (pool: string) => list(workers, pool),
    slots: (pool: string) => list(workers, pool).reduce((sum, worker) => sum + worker.slots, 0),
    voices: (pool: string) => list(voices, pool),
  };
}

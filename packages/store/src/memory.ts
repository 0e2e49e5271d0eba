import { RhapsodeError, segment as segmentSchema, utterance as utteranceSchema } from '@rhapsode/contracts';
import { appendError, checkGeneration, costMs, encodeSegment } from './item.ts';
import { type StoreFaults, withFaults } from './memory/faults.ts';
import { createLexicons } from './memory/lexicons.ts';
import { createPool, type Entry, type Pool } from './memory/pool.ts';
import { createRoster } from './memory/roster.ts';
import { addPiece, arrivedText, createTextRecord } from './memory/text.ts';
import { lanes, type Released, type RequestStore, storeDefaults } from './port.ts';

export type { StoreFaults };

export interface MemoryStoreOptions {
  readonly ttlMs?: number;
  readonly voicesTtlMs?: number;
  /** A clock in milliseconds that does not go back. */
  readonly now?: () => number;
  readonly faults?: StoreFaults;
}

/** The request store of a single process. */
export function createMemoryStore(options: MemoryStoreOptions = {}): RequestStore {
  const { ttlMs = storeDefaults.ttlMs, voicesTtlMs = storeDefaults.voicesTtlMs, faults = {} } = options;
  const now = options.now ?? (() => performance.now());
  /** Least recently touched first. */
  const utterances = new Map<string, Entry>();
  const pools = new Map<string, Pool>();
  const open = new Map<string, Set<Entry>>();
  const roster = createRoster(now, voicesTtlMs);

  function poolOf({ utterance: { pool: name } }: Entry): Pool {
    const pool = pools.get(name) ?? createPool();
    pools.set(name, pool);
    return pool;
  }

  /** An utterance is open until it is finished or cancelled. */
  function countOpen(entry: Entry): void {
    const { tenant } = entry.utterance;
    const ended = entry.cancelled || (entry.sealed && entry.finished === entry.count);
    const known = open.get(tenant) ?? new Set();
    if (ended) known.delete(entry);
    else known.add(entry);
    if (known.size > 0) open.set(tenant, known);
    else open.delete(tenant);
  }

  function forget(entry: Entry): void {
    if (!entry.cancelled) poolOf(entry).settle(entry);
    entry.cancelled ??= { inFlight: [], unfinished: 0 };
    countOpen(entry);
    utterances.delete(entry.utterance.id);
  }

  function expire(): void {
    for (const entry of utterances.values()) {
      if (entry.deadlineMs > now()) return;
      forget(entry);
    }
  }

  function touch(entry: Entry): Entry {
    const { id } = entry.utterance;
    entry.deadlineMs = now() + ttlMs;
    utterances.delete(id);
    utterances.set(id, entry);
    return entry;
  }

  function hold({ utterance: { idleMs = 0 }, text }: Entry): void {
    if (text.heldUntilMs < Number.POSITIVE_INFINITY) text.heldUntilMs = now() + idleMs;
  }

  function find(id: string): Entry | undefined {
    expire();
    const entry = utterances.get(id);
    return entry && touch(entry);
  }

  function findActive(id: string): Entry | undefined {
    const entry = find(id);
    return entry?.cancelled ? undefined : entry;
  }

  const releasedOf = ({ utterance, segments }: Entry, index: number, generation: number): Released => ({
    utterance,
    index,
    segment: segments[index]!,
    generation,
  });

  const store: RequestStore = {
    async create(utterance, { maxOpen }) {
      if (find(utterance.id)) return 'exists';
      if ((open.get(utterance.tenant)?.size ?? 0) >= maxOpen) return 'over_limit';
      const entry: Entry = {
        utterance: utteranceSchema.parse(utterance),
        segments: [],
        count: 0,
        sealed: false,
        released: 0,
        consumed: 0,
        finished: 0,
        failed: 0,
        owedMs: 0,
        cancelled: undefined,
        flight: new Map(),
        done: new Map(),
        deadlineMs: 0,
        attendedUntilMs: 0,
        text: createTextRecord(now() + (utterance.idleMs ?? Number.POSITIVE_INFINITY)),
      };
      touch(entry);
      countOpen(entry);
      return 'created';
    },

    async get(id) {
      const entry = find(id);
      if (!entry) return undefined;
      const { utterance, count, sealed, released, consumed, finished, failed, cancelled } = entry;
      const text = utterance.idleMs === undefined ? undefined : arrivedText(entry.text);
      const numbers = { segments: count, sealed, released, consumed, finished, failed };
      const attended = entry.attendedUntilMs > now();
      return { utterance, ...numbers, cancelled: cancelled !== undefined, attended, text };
    },

    async append(id, segments, { at, seal }) {
      const added = segments.map((segment) => segmentSchema.parse(segment));
      const entry = find(id);
      if (!entry) throw appendError('utterance_not_found', id, at);
      if (entry.cancelled) throw appendError('cancelled', id, at);
      if (at > entry.count) throw appendError('gap', id, at);
      const known = entry.segments.slice(at, at + added.length);
      const fresh = added.slice(known.length);
      const repeated = known.every((segment, i) => encodeSegment(segment) === encodeSegment(added[i]!));
      const endsBefore = seal && at + added.length < entry.count;
      if (entry.sealed && (fresh.length > 0 || !repeated || endsBefore))
        throw appendError('utterance_sealed', id, at);
      if (!repeated || endsBefore) throw appendError('conflict', id, at);
      for (const segment of fresh) entry.segments.push(segment);
      entry.count = entry.segments.length;
      entry.sealed ||= seal;
      if (entry.sealed && !entry.utterance.transient) entry.text.heldUntilMs = Number.POSITIVE_INFINITY;
      const pool = poolOf(entry);
      pool.owe(
        entry,
        fresh.reduce((sum, segment) => sum + costMs(segment), 0),
      );
      pool.place(entry);
      countOpen(entry);
    },

    async addText(id, piece, { maxLength }) {
      const entry = find(id);
      if (!entry) throw new RhapsodeError('utterance_not_found');
      if (entry.cancelled) throw new RhapsodeError('cancelled');
      const result =
        entry.utterance.idleMs === undefined ? 'refused' : addPiece(entry.text, piece, maxLength);
      if (result !== 'refused') hold(entry);
      return { result, ...arrivedText(entry.text) };
    },

    async texts(id, from, count) {
      return find(id)?.text.pieces.slice(from, from + count) ?? [];
    },

    async hold(id, as) {
      const entry = find(id);
      if (entry && (as === 'writer' || entry.text.complete)) hold(entry);
    },

    async attend(id, forMs) {
      const entry = find(id);
      if (entry) entry.attendedUntilMs = Math.max(entry.attendedUntilMs, now() + forMs);
    },

    async abandoned(name, { retryMs, limit }) {
      expire();
      const found = [...utterances.values()]
        .filter(({ utterance, cancelled, text }) => {
          return utterance.pool === name && !cancelled && text.heldUntilMs <= now();
        })
        .sort((a, b) => a.text.heldUntilMs - b.text.heldUntilMs)
        .slice(0, limit);
      for (const entry of found) touch(entry).text.heldUntilMs = now() + retryMs;
      return found.map(({ utterance }) => utterance.id);
    },

    async segments(id, from, count) {
      return find(id)?.segments.slice(from, from + count) ?? [];
    },

    async release(name, { room, limit }) {
      expire();
      const pool = pools.get(name);
      const released: Released[] = [];
      for (const lane of lanes) {
        while (pool && released.length < limit) {
          const taken = pool.take(lane, room[lane], now());
          if (!taken) break;
          released.push(releasedOf(touch(taken.entry), taken.segment, 0));
        }
      }
      return released;
    },

    async consumed(id, segment) {
      const entry = findActive(id);
      if (!entry) return;
      entry.consumed = Math.max(entry.consumed, Math.min(segment, entry.count));
      poolOf(entry).place(entry);
    },

    async finished(id, segment, generation, outcome) {
      const entry = findActive(id);
      const current = entry?.flight.get(segment);
      if (!entry || current === undefined || generation < current) return;
      const pool = poolOf(entry);
      pool.land(entry, segment);
      pool.owe(entry, -costMs(entry.segments[segment]!));
      entry.done.set(segment, { generation, outcome });
      entry.finished += 1;
      if ('failed' in outcome) entry.failed += 1;
      countOpen(entry);
    },

    async progress(id, from, count) {
      const entry = findActive(id);
      const to = Math.min(from + count, entry?.released ?? 0);
      return Array.from({ length: Math.max(0, to - from) }, (_, i) => {
        const done = entry!.done.get(from + i);
        return done ?? { generation: entry!.flight.get(from + i)!, outcome: undefined };
      });
    },

    async overdue(name, { olderThanMs, limit }) {
      expire();
      const pool = pools.get(name);
      const found = pool?.overdue(now() - olderThanMs, limit) ?? [];
      return found.map(({ entry, segment }) => {
        const generation = entry.flight.get(segment)!;
        pool!.renew(entry, segment, generation, now());
        return releasedOf(touch(entry), segment, generation);
      });
    },

    async regenerate(id, segment, expected) {
      checkGeneration(segment, expected);
      const entry = findActive(id);
      const done = entry?.done.get(segment);
      const current = done?.generation ?? entry?.flight.get(segment);
      if (!entry || current !== expected) return undefined;
      const pool = poolOf(entry);
      if (done) {
        entry.done.delete(segment);
        entry.finished -= 1;
        if ('failed' in done.outcome) entry.failed -= 1;
        pool.owe(entry, costMs(entry.segments[segment]!));
        pool.depart(entry, segment, expected + 1, now());
        countOpen(entry);
      } else pool.renew(entry, segment, expected + 1, now());
      return releasedOf(entry, segment, expected + 1);
    },

    async cancel(id) {
      const entry = find(id);
      if (!entry) return undefined;
      if (!entry.cancelled) {
        const inFlight = poolOf(entry).settle(entry);
        entry.cancelled = { inFlight, unfinished: entry.count - entry.finished };
        entry.segments = [];
        entry.text.pieces = [];
        entry.done.clear();
        countOpen(entry);
      }
      return structuredClone(entry.cancelled);
    },

    async isCancelled(id) {
      expire();
      return utterances.get(id)?.cancelled !== undefined;
    },

    ...createLexicons(),

    async announce(worker, lastsMs) {
      roster.announce(worker, lastsMs);
    },
    async withdraw(workerId, pool) {
      roster.withdraw(workerId, pool);
    },
    async workers(pool) {
      return roster.workers(pool);
    },
    async slots(pool) {
      return roster.slots(pool);
    },
    async voices(pool) {
      return roster.voices(pool);
    },

    async backlog(name) {
      expire();
      const { interactive = 0, bulk = 0 } = pools.get(name)?.owedMs ?? {};
      return { interactive: interactive / 1000, bulk: bulk / 1000 };
    },

    async ping() {},
    async close() {
      utterances.clear();
    },
  };
  return withFaults(store, faults);
}

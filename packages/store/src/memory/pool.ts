import type { Segment, Utterance } from '@rhapsode/contracts';
import { costMs } from '../item.ts';
import { type Cancelled, type Lane, laneOf, type Outcome } from '../port.ts';
import type { TextRecord } from './text.ts';

/** An utterance with its segments. A released segment is in `flight` or in `done`, never in both. */
export interface Entry {
  readonly utterance: Utterance;
  /** Emptied when cancelled; `count` stays. */
  segments: Segment[];
  count: number;
  sealed: boolean;
  released: number;
  consumed: number;
  finished: number;
  failed: number;
  /** Audio not finished. */
  owedMs: number;
  cancelled: Cancelled | undefined;
  /** Segment to generation. */
  readonly flight: Map<number, number>;
  readonly done: Map<number, { generation: number; outcome: Outcome }>;
  deadlineMs: number;
  attendedUntilMs: number;
  readonly text: TextRecord;
}

interface Tenant {
  inFlight: number;
  /** Audio given divided by weight, counted from a common zero: who has the least is next. */
  given: number;
  /** Its utterances with something that may be released, in the order of their turns. */
  readonly turns: Set<Entry>;
}

interface LaneState {
  inFlight: number;
  /** What the tenant that was next last had been given: where others start. */
  level: number;
  /** Those with a turn or something in flight. */
  readonly tenants: Map<string, Tenant>;
}

interface Flight {
  readonly entry: Entry;
  readonly segment: number;
  readonly atMs: number;
}

export type Pool = ReturnType<typeof createPool>;

/**
 * What the utterances of a pool share: turns, load and backlog. An utterance has a turn if and only if its next sentence may
 * be released.
 */
export function createPool() {
  const lanes = { head: createLane(), listener: createLane(), bulk: createLane() };
  /** Oldest first: who is handed out again goes to the end. */
  const flight = new Map<string, Flight>();
  const owedMs = { interactive: 0, bulk: 0 };

  const nextLane = ({ utterance, released }: Entry) => laneOf(utterance.class, released);
  const mayRelease = (entry: Entry) =>
    !entry.cancelled &&
    entry.released < entry.count &&
    entry.released - entry.consumed < entry.utterance.window;

  function tenantOf(lane: Lane, name: string): Tenant {
    const { tenants } = lanes[lane];
    const tenant = tenants.get(name) ?? { inFlight: 0, given: 0, turns: new Set() };
    tenants.set(name, tenant);
    return tenant;
  }

  function prune(lane: Lane, name: string): void {
    const tenant = lanes[lane].tenants.get(name);
    if (tenant?.inFlight === 0 && tenant.turns.size === 0) lanes[lane].tenants.delete(name);
  }

  function count({ utterance }: Entry, segment: number, by: 1 | -1): void {
    const lane = laneOf(utterance.class, segment);
    lanes[lane].inFlight += by;
    tenantOf(lane, utterance.tenant).inFlight += by;
    prune(lane, utterance.tenant);
  }

  const flightKey = (entry: Entry, segment: number) => `${entry.utterance.id}:${segment}`;

  const pool = {
    owedMs,

    /** Gives the utterance a turn if it may release something and has none. */
    place(entry: Entry): void {
      if (!mayRelease(entry)) return;
      const lane = nextLane(entry);
      const tenant = tenantOf(lane, entry.utterance.tenant);
      tenant.given = Math.max(tenant.given, lanes[lane].level);
      tenant.turns.add(entry);
    },

    displace(entry: Entry): void {
      const lane = nextLane(entry);
      lanes[lane].tenants.get(entry.utterance.tenant)?.turns.delete(entry);
      prune(lane, entry.utterance.tenant);
    },

    /** Releases a lane's next sentence; undefined when nobody may release there. */
    take(lane: Lane, room: number, atMs: number): { entry: Entry; segment: number } | undefined {
      const state = lanes[lane];
      const hasRoom = state.inFlight < room;
      let next: [name: string, tenant: Tenant] | undefined;
      for (const [name, tenant] of state.tenants) {
        if (tenant.turns.size === 0 || !(hasRoom || tenant.inFlight === 0)) continue;
        const { given } = next?.[1] ?? { given: Number.POSITIVE_INFINITY };
        if (tenant.given < given || (tenant.given === given && name < next![0])) next = [name, tenant];
      }
      if (!next) return undefined;
      const [, tenant] = next;
      const entry = tenant.turns.values().next().value!;
      const segment = entry.released;
      if (hasRoom) state.level = tenant.given;
      tenant.given += costMs(entry.segments[segment]!) / entry.utterance.weight;
      pool.depart(entry, segment, 0, atMs);
      pool.displace(entry);
      entry.released += 1;
      pool.place(entry);
      return { entry, segment };
    },

    depart(entry: Entry, segment: number, generation: number, atMs: number): void {
      entry.flight.set(segment, generation);
      flight.set(flightKey(entry, segment), { entry, segment, atMs });
      count(entry, segment, 1);
    },

    land(entry: Entry, segment: number): void {
      entry.flight.delete(segment);
      flight.delete(flightKey(entry, segment));
      count(entry, segment, -1);
    },

    /** The sentence is handed out again now. */
    renew(entry: Entry, segment: number, generation: number, atMs: number): void {
      entry.flight.set(segment, generation);
      const key = flightKey(entry, segment);
      flight.delete(key);
      flight.set(key, { entry, segment, atMs });
    },

    overdue(beforeMs: number, limit: number): Flight[] {
      const found: Flight[] = [];
      for (const sentence of flight.values()) {
        if (sentence.atMs > beforeMs || found.length >= limit) break;
        found.push(sentence);
      }
      return found;
    },

    owe(entry: Entry, ms: number): void {
      entry.owedMs += ms;
      owedMs[entry.utterance.class] += ms;
    },

    /** Takes all that an utterance has out of what is shared; returns what was in flight. */
    settle(entry: Entry): Cancelled['inFlight'] {
      const inFlight = [...entry.flight].map(([segment, generation]) => ({ segment, generation }));
      inFlight.sort((a, b) => a.segment - b.segment);
      pool.displace(entry);
      for (const { segment } of inFlight) pool.land(entry, segment);
      pool.owe(entry, -entry.owedMs);
      return inFlight;
    },
  };
  return pool;
}

const createLane = (): LaneState => ({ inFlight: 0, level: 0, tenants: new Map() });

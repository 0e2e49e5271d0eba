import type { Segment } from '@rhapsode/contracts';
import { expect } from 'vitest';
import { costMs } from '../item.ts';
import { type Lane, laneOf, lanes, type Outcome, type Released } from '../port.ts';
import { type Clock, ttlMs } from './fixtures.ts';
import { appendCall, type HandedOut, type Operation, world } from './operations.ts';

interface Utterance {
  readonly u: number;
  segments: Segment[];
  sealed: boolean;
  released: number;
  consumed: number;
  cancelled: { inFlight: { segment: number; generation: number }[]; unfinished: number } | undefined;
  /** Of released segments. */
  sentences: { generation: number; outcome: Outcome | undefined; at: number }[];
  touchedAt: number;
  /** When it last got a place in the order of turns; undefined if it has nothing to release. */
  turn: number | undefined;
}

/**
 * What a store must answer, by recounting everything at every step. Which tenant is next is checked only as far as the port
 * promises it.
 */
export function createModel(clock: Clock) {
  const utterances = new Map<number, Utterance>();
  let turns = 0;
  const given = {
    head: new Map<string, number>(),
    listener: new Map<string, number>(),
    bulk: new Map<string, number>(),
  };
  const level = { head: 0, listener: 0, bulk: 0 };

  const specOf = (it: Utterance) => world[it.u]!;
  const all = () => [...utterances.values()];
  const active = () => all().filter((it) => !it.cancelled);
  const done = (it: Utterance) => it.sentences.filter((s) => s.outcome).length;
  const isOpen = (it: Utterance) => !it.cancelled && !(it.sealed && done(it) === it.segments.length);
  const nextLane = (it: Utterance) => laneOf(specOf(it).class, it.released);
  const inFlight = (lane: Lane, tenant?: string) =>
    active().flatMap((it) =>
      it.sentences.flatMap((s, i) =>
        !s.outcome &&
        laneOf(specOf(it).class, i) === lane &&
        (tenant ?? specOf(it).tenant) === specOf(it).tenant
          ? [costMs(it.segments[i]!)]
          : [],
      ),
    );
  const waiting = (lane: Lane) => active().filter((it) => it.turn !== undefined && nextLane(it) === lane);

  /** A tenant that has neither turn nor sentence in flight is forgotten; one that gets a turn starts level with the next. */
  function settleShares() {
    for (const lane of lanes) {
      for (const tenant of given[lane].keys())
        if (
          inFlight(lane, tenant).length +
            waiting(lane).filter((it) => specOf(it).tenant === tenant).length ===
          0
        )
          given[lane].delete(tenant);
      for (const it of waiting(lane)) {
        const { tenant } = specOf(it);
        given[lane].set(tenant, Math.max(given[lane].get(tenant) ?? 0, level[lane]));
      }
    }
  }

  function settle() {
    for (const it of all()) if (clock.now() - it.touchedAt >= ttlMs) utterances.delete(it.u);
    for (const it of all()) {
      const may =
        !it.cancelled && it.released < it.segments.length && it.released - it.consumed < specOf(it).window;
      it.turn = may ? (it.turn ?? ++turns) : undefined;
    }
    settleShares();
  }

  function touch(u: number): Utterance | undefined {
    const it = utterances.get(u);
    if (it) it.touchedAt = clock.now();
    return it;
  }

  const backlog = () => {
    const owed = { interactive: 0, bulk: 0 };
    for (const it of active())
      for (const [i, segment] of it.segments.entries())
        if (!it.sentences[i]?.outcome) owed[specOf(it).class] += costMs(segment) / 1000;
    return owed;
  };

  const mayTake = (lane: Lane, room: number, it: Utterance) =>
    inFlight(lane).length < room || inFlight(lane, specOf(it).tenant).length === 0;

  function take(
    room: Record<Lane, number>,
    { utterance, index, segment, generation }: Released,
    earliest: Lane,
  ) {
    const it = all().find((one) => specOf(one).id === utterance.id)!;
    const lane = nextLane(it);
    const candidates = waiting(lane);
    expect({ utterance, index, segment, generation }).toEqual({
      utterance: specOf(it),
      index: it.released,
      segment: it.segments[it.released],
      generation: 0,
    });
    expect(candidates).toContain(it);
    expect(mayTake(lane, room[lane], it)).toBe(true);
    expect(lanes.indexOf(lane)).toBeGreaterThanOrEqual(lanes.indexOf(earliest));
    const own = candidates.filter((one) => specOf(one).tenant === utterance.tenant);
    expect(Math.min(...own.map((one) => one.turn!)), 'utterances of a tenant take turns').toBe(it.turn);
    const allowed = candidates.filter((one) => mayTake(lane, room[lane], one));
    const least = Math.min(...allowed.map((one) => given[lane].get(specOf(one).tenant)!));
    const had = given[lane].get(utterance.tenant)!;
    expect(had, 'the next is who was given least').toBeCloseTo(least);
    if (inFlight(lane).length < room[lane]) level[lane] = had;
    given[lane].set(utterance.tenant, had + costMs(segment) / utterance.weight);
    it.sentences.push({ generation: 0, outcome: undefined, at: clock.now() });
    it.released += 1;
    it.turn = undefined;
    touch(it.u);
    settle();
    return lane;
  }

  /** Compares the answer of an operation with what it must be. */
  function check(op: Operation, answer: unknown, before: HandedOut) {
    settle();
    switch (op.kind) {
      case 'create': {
        const { tenant } = world[op.u]!;
        const open = all().filter((it) => isOpen(it) && specOf(it).tenant === tenant).length;
        const expected = touch(op.u) ? 'exists' : open >= op.maxOpen ? 'over_limit' : 'created';
        expect(answer).toBe(expected);
        if (expected === 'created') {
          const empty = { segments: [], sealed: false, released: 0, consumed: 0, sentences: [] };
          utterances.set(op.u, {
            u: op.u,
            ...empty,
            cancelled: undefined,
            touchedAt: clock.now(),
            turn: undefined,
          });
        }
        break;
      }
      case 'append': {
        const it = touch(op.u);
        if (!it) return expect(answer).toBe('utterance_not_found');
        if (it.cancelled) return expect(answer).toBe('cancelled');
        const { at, added, seal } = appendCall(op, it.segments.length);
        const known = it.segments.slice(at, at + added.length);
        const whole = [...it.segments.slice(0, at), ...added, ...it.segments.slice(at + added.length)];
        const same = JSON.stringify(known) === JSON.stringify(added.slice(0, known.length));
        const short = seal && at + added.length < it.segments.length;
        const changes = !same || short || whole.length > it.segments.length;
        if (at > it.segments.length) return expect(answer).toBe('internal_error');
        if (it.sealed && changes) return expect(answer).toBe('utterance_sealed');
        if (!same || short) return expect(answer).toBe('internal_error');
        expect(answer).toBe('ok');
        it.segments = whole;
        it.sealed ||= seal;
        break;
      }
      case 'release': {
        const released = answer as Released[];
        expect(released.length).toBeLessThanOrEqual(op.limit);
        let lane: Lane = 'head';
        for (const one of released) lane = take(op.room, one, lane);
        if (released.length < op.limit)
          for (const it of active())
            expect(
              it.turn !== undefined && mayTake(nextLane(it), op.room[nextLane(it)], it),
              'all is released',
            ).toBe(false);
        break;
      }
      case 'consumed': {
        const it = touch(op.u);
        if (it && !it.cancelled)
          it.consumed = Math.max(it.consumed, Math.min(op.segment, it.segments.length));
        break;
      }
      case 'finished':
      case 'regenerate': {
        const named = before[op.pick % before.length] ?? { u: 0, index: 0, generation: 0 };
        const generation = Math.max(0, named.generation + op.off);
        const it = touch(named.u);
        const known = it?.cancelled ? undefined : it?.sentences[named.index];
        if (op.kind === 'finished') {
          if (known && !known.outcome && generation >= known.generation) {
            known.outcome = op.failed ? { failed: 'engine_crashed' } : { samples: 100 + op.pick };
            known.generation = generation;
          }
        } else if (it && known && known.generation === generation) {
          known.generation += 1;
          known.outcome = undefined;
          known.at = clock.now();
          const segment = it.segments[named.index];
          expect(answer).toEqual({
            utterance: specOf(it),
            index: named.index,
            segment,
            generation: generation + 1,
          });
        } else expect(answer).toBeUndefined();
        break;
      }
      case 'overdue': {
        const expected = active().flatMap((it) =>
          it.sentences.flatMap((s, i) => {
            if (s.outcome || s.at > clock.now() - op.olderThanMs) return [];
            s.at = clock.now();
            touch(it.u);
            return [`${specOf(it).id}-${i}-${s.generation}`];
          }),
        );
        expect(answer).toEqual(expected.sort());
        break;
      }
      case 'cancel': {
        const it = touch(op.u);
        if (it && !it.cancelled) {
          const flying = it.sentences.flatMap(({ generation, outcome }, segment) =>
            outcome ? [] : [{ segment, generation }],
          );
          it.cancelled = { inFlight: flying, unfinished: it.segments.length - done(it) };
        }
        expect(answer).toEqual(it?.cancelled);
        break;
      }
      case 'look': {
        const it = touch(op.u);
        const failed = it?.sentences.filter((s) => s.outcome && 'failed' in s.outcome).length;
        const { released, consumed, sealed } = it ?? {};
        const numbers = {
          segments: it?.segments.length,
          sealed,
          released,
          consumed,
          finished: it && done(it),
          failed,
        };
        const visible = it?.cancelled ? undefined : it;
        expect(answer).toEqual({
          state: it && {
            utterance: specOf(it),
            ...numbers,
            cancelled: it.cancelled !== undefined,
            attended: false,
          },
          segments: visible?.segments.slice(1) ?? [],
          progress: visible?.sentences.map(({ generation, outcome }) => ({ generation, outcome })) ?? [],
          cancelled: it?.cancelled !== undefined,
          backlog: {
            interactive: expect.closeTo(backlog().interactive),
            bulk: expect.closeTo(backlog().bulk),
          },
        });
        break;
      }
    }
    settle();
  }

  return { check };
}

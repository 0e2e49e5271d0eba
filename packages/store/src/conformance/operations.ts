import type { Segment, Utterance } from '@rhapsode/contracts';
import { RhapsodeError } from '@rhapsode/contracts';
import fc from 'fast-check';
import type { RequestStore } from '../port.ts';
import { type Clock, pool, utteranceOf } from './fixtures.ts';

/** A small world, so that random operations meet: six utterances of three tenants, of both classes. */
export const world: readonly Utterance[] = Array.from({ length: 6 }, (_, i) =>
  utteranceOf({
    id: `worldling${i}`,
    tenant: ['ann', 'bob', '1e5'][i % 3]!,
    weight: [1, 3, 0.5][i % 3]!,
    class: i < 3 ? 'bulk' : 'interactive',
    window: [1, 3, 100][(i * 2) % 3]!,
  }),
);

const lengthsMs = [0, 1, 700, 2500, 9000];
export const sentence = (u: number, index: number): Segment => ({
  start: index,
  end: index + 1,
  text: `${u}/${index}`,
  pauseSamples: index,
  estimatedMs: lengthsMs[(u * 7 + index * 3) % lengthsMs.length]!,
});

const u = fc.nat({ max: world.length - 1 });
const room = fc.nat({ max: 4 });
const pick = fc.nat({ max: 1000 });

/** `pick` names one of the sentences that were handed out so far; `off` is added to its generation. */
const operation = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('create'), u, maxOpen: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('append'),
      u,
      count: fc.nat({ max: 5 }),
      place: fc.constantFrom('end', 'end', 'end', 'again', 'overlap', 'gap', 'other'),
      seal: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('release'),
      room: fc.record({ head: room, listener: room, bulk: room }),
      limit: fc.nat({ max: 6 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('consumed'), u, segment: fc.nat({ max: 12 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('finished'),
      pick,
      off: fc.constantFrom(0, 0, 0, 0, -1, 1),
      failed: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('regenerate'), pick, off: fc.constantFrom(0, 0, 0, 1, -1) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('overdue'), olderThanMs: fc.constantFrom(0, 1, 3000) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel'), u }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('advance'), ms: fc.constantFrom(1, 1000, 4000, 9999) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('look'), u }) },
);
export type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** All utterances with some sentences each: what most sequences begin with, because little happens to what is not there. */
const everybody: Operation[] = world.flatMap((_, u) => [
  { kind: 'create', u, maxOpen: 9 },
  { kind: 'append', u, count: 5, place: 'end', seal: false },
]);

export const operations = fc
  .tuple(fc.constantFrom(everybody, everybody, []), fc.array(operation, { minLength: 20, maxLength: 80 }))
  .map(([first, then]) => [...first, ...then]);

/** The sentences that were handed out, in the order of their first time. */
export type HandedOut = { u: number; index: number; generation: number }[];

const indexOf = (id: string) => world.findIndex((utterance) => utterance.id === id);

export interface AppendCall {
  at: number;
  added: Segment[];
  seal: boolean;
}

export function appendCall(op: Extract<Operation, { kind: 'append' }>, stored: number): AppendCall {
  const at =
    op.place === 'end'
      ? stored
      : op.place === 'gap'
        ? stored + 1
        : Math.max(0, stored - (op.place === 'again' ? op.count : 2));
  const added = Array.from({ length: op.count }, (_, i) => sentence(op.u, at + i));
  if (op.place === 'other') added.splice(0, 1, { ...sentence(op.u, at), text: 'another' });
  return { at, added: added.slice(0, op.count), seal: op.seal };
}

/** Performs an operation and returns all that can be seen of it. */
export async function perform(op: Operation, store: RequestStore, clock: Clock, handedOut: HandedOut) {
  const note = (released: { utterance: Utterance; index: number; generation: number }[]) => {
    for (const { utterance, index, generation } of released) {
      const known = handedOut.find((one) => one.u === indexOf(utterance.id) && one.index === index);
      if (known) known.generation = generation;
      else handedOut.push({ u: indexOf(utterance.id), index, generation });
    }
    return released;
  };
  switch (op.kind) {
    case 'create':
      return store.create(world[op.u]!, { maxOpen: op.maxOpen });
    case 'append': {
      const id = world[op.u]!.id;
      const stored = (await store.get(id))?.segments ?? 0;
      const { at, added, seal } = appendCall(op, stored);
      return store.append(id, added, { at, seal }).then(
        () => 'ok',
        (error: unknown) => {
          if (error instanceof RhapsodeError) return error.code;
          throw error;
        },
      );
    }
    case 'release':
      return note(await store.release(pool, op));
    case 'consumed':
      return store.consumed(world[op.u]!.id, op.segment);
    case 'finished': {
      const { u, index, generation } = handedOut[op.pick % handedOut.length] ?? {
        u: 0,
        index: 0,
        generation: 0,
      };
      const outcome = op.failed ? { failed: 'engine_crashed' } : { samples: 100 + op.pick };
      return store.finished(world[u]!.id, index, Math.max(0, generation + op.off), outcome);
    }
    case 'regenerate': {
      const { u, index, generation } = handedOut[op.pick % handedOut.length] ?? {
        u: 0,
        index: 0,
        generation: 0,
      };
      const released = await store.regenerate(world[u]!.id, index, Math.max(0, generation + op.off));
      if (released) note([released]);
      return released;
    }
    case 'overdue': {
      const released = note(await store.overdue(pool, { olderThanMs: op.olderThanMs, limit: 1000 }));
      // Within one millisecond no order is promised.
      return released
        .map(({ utterance, index, generation }) => `${utterance.id}-${index}-${generation}`)
        .sort();
    }
    case 'cancel':
      return store.cancel(world[op.u]!.id);
    case 'advance':
      return clock.advance(op.ms);
    case 'look': {
      const { id } = world[op.u]!;
      return {
        state: await store.get(id),
        segments: await store.segments(id, 1, 100),
        progress: await store.progress(id, 0, 100),
        cancelled: await store.isCancelled(id),
        backlog: await store.backlog(pool),
      };
    }
  }
}

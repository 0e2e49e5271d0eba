import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLanes } from '../src/lanes.ts';

const step = fc.oneof(
  fc.record({ do: fc.constant('push' as const), rank: fc.nat(3) }),
  fc.record({ do: fc.constant('pushFront' as const), rank: fc.nat(3) }),
  fc.record({ do: fc.constant('take' as const) }),
  fc.record({ do: fc.constant('remove' as const), pick: fc.nat() }),
);

test('lanes behave like a sorted list that is searched from its front', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const lanes = createLanes<{ n: number }>();
      let model: { item: { n: number }; rank: number }[] = [];
      const next = () => model.find(({ rank }) => rank === Math.min(...model.map((each) => each.rank)))?.item;
      steps.forEach((each, n) => {
        const item = { n };
        if (each.do === 'push') {
          lanes.push(item, each.rank);
          model.push({ item, rank: each.rank });
        } else if (each.do === 'pushFront') {
          lanes.pushFront(item, each.rank);
          model.unshift({ item, rank: each.rank });
        } else {
          const gone = each.do === 'take' ? next() : model[each.pick % model.length]?.item;
          if (each.do === 'take') expect(lanes.take()).toBe(gone);
          else if (gone !== undefined) expect(lanes.remove(gone)).toBe(true);
          model = model.filter(({ item: left }) => left !== gone);
        }
        expect(lanes.size()).toBe(model.length);
        expect(lanes.fronts()[0]).toBe(next());
      });
    }),
  );
});

test('places that were served are given back', () => {
  const lanes = createLanes<{ n: number }>();
  for (let n = 0; n < 5_000; n++) lanes.push({ n }, 1);
  for (let n = 0; n < 5_000; n++) {
    expect(lanes.take()!.n).toBe(n);
    lanes.push({ n: n + 5_000 }, 1);
  }
  expect(lanes.size()).toBe(5_000);
  expect(lanes.take()!.n).toBe(5_000);
});

test('an item that is not waiting cannot be removed', () => {
  const lanes = createLanes<{ n: number }>();
  const item = { n: 0 };
  expect(lanes.remove(item)).toBe(false);
  lanes.push(item, 1);
  lanes.take();
  expect(lanes.remove(item)).toBe(false);
});

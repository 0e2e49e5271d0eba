import { setTimeout as sleep } from 'node:timers/promises';
import { noPcm, RhapsodeError, type Utterance } from '@rhapsode/contracts';
import { createMemoryLog } from '@rhapsode/log/memory';
import { createMemoryStore } from '@rhapsode/store/memory';
import { expect, it } from 'vitest';
import { listen } from '../src/listen.ts';
import { silent } from '../src/observe.ts';

const utteranceOf = (id: string): Utterance => ({
  v: 1,
  id,
  tenant: 'default',
  class: 'interactive',
  pool: 'default',
  weight: 1,
  voice: 'tone',
  voiceDigest: '',
  deterministic: true,
  sampleRateHz: 16_000,
  speed: 1,
  seed: 0,
  window: 6,
  createdAtMs: 0,
});

it('ends when the last credit can not be told, and does not hold its listener', async () => {
  const store = createMemoryStore();
  const log = createMemoryLog();
  const id = 'utterance0';
  await store.create(utteranceOf(id), { maxOpen: 1 });
  await log.append(id, { kind: 'utterance-end', segments: 0 }, noPcm);
  let tries = 0;
  const listening = await listen(
    id,
    {},
    {
      store,
      log,
      observer: silent,
      dispatcher: {
        heal: async () => undefined,
        async consumed() {
          tries += 1;
          throw new RhapsodeError('store_unavailable');
        },
      },
    },
  );
  for await (const _ of listening.pieces);
  listening.consumed(1);
  await listening.close();
  expect(tries).toBeGreaterThan(0);
  await log.close();
  await store.close();
});

it('waits in a long line, and gives an error once nobody is there who could speak', async () => {
  const store = createMemoryStore();
  const log = createMemoryLog();
  const id = 'utterance0';
  await store.create(utteranceOf(id), { maxOpen: 1 });
  const sentence = { start: 0, end: 3, text: 'One', pauseSamples: 0, estimatedMs: 200 };
  await store.append(id, [sentence], { at: 0, seal: true });
  const worker = { id: 'w', pool: 'default', slots: 1, voices: [] };
  await store.announce(worker, 60_000);
  let asked = 0;
  const watched = {
    ...store,
    async slots(pool: string) {
      const there = await store.slots(pool);
      // It was there the first time.
      if (++asked === 1) await store.withdraw(worker.id, pool);
      return there;
    },
  };
  const dispatcher = { heal: async () => undefined, consumed: async () => {} };
  const listening = await listen(id, {}, { store: watched, log, dispatcher, patienceMs: 20 });
  await expect(listening.pieces.next()).rejects.toMatchObject({
    code: 'engine_timeout',
    message: expect.stringContaining('no worker'),
  });
  expect(asked).toBe(2);
  await listening.close();
  await log.close();
  await store.close();
});

it('says no more that it is there when it had gone before it began', async () => {
  const store = createMemoryStore();
  const log = createMemoryLog();
  const id = 'utterance0';
  await store.create({ ...utteranceOf(id), transient: true, idleMs: 3 }, { maxOpen: 1 });
  let held = 0;
  const watched = {
    ...store,
    async hold() {
      held += 1;
    },
  };
  const dispatcher = { heal: async () => undefined, consumed: async () => {} };
  const gone = { signal: AbortSignal.abort(new Error('gone')) };
  const listening = await listen(id, gone, { store: watched, log, dispatcher });
  await listening.close();
  await sleep(20);
  expect(held).toBe(0);
  await log.close();
  await store.close();
});

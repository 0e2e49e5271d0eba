import { noPcm, RhapsodeError } from '@rhapsode/contracts';
import { createMemoryLog } from '@rhapsode/log/memory';
import { createMemoryStore } from '@rhapsode/store/memory';
import { expect, it } from 'vitest';
import { listen } from '../src/listen.ts';
import { silent } from '../src/observe.ts';

it('ends when the last credit can not be told, and does not hold its listener', async () => {
  const store = createMemoryStore();
  const log = createMemoryLog();
  const id = 'utterance0';
  await store.create(
    {
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
    },
    { maxOpen: 1 },
  );
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

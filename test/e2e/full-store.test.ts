import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { readAudio } from '../support/audio-client.ts';
import { startFleet } from '../support/fleet.ts';
import { speakEmbedded } from '../support/reference.ts';
import { firstDifference } from '../support/same-audio.ts';
import { until } from '../support/wait.ts';

const sentences = 12;
const input = Array.from({ length: sentences }, (_, n) => `This is the sentence of number ${n}.`).join(' ');

test('a Redis that is full refuses new texts with an answer of its own; what was accepted is heard whole when there is room', {
  timeout: 120_000,
}, async () => {
  const fleet = await startFleet({ workers: 1, env: { RHAPSODE_TONE_REAL_TIME_FACTOR: '0.2' } });
  onTestFinished(() => fleet.stop());
  const redis = new Redis(fleet.redis.url);
  onTestFinished(() => redis.disconnect());
  const { url } = fleet.gateway;
  const speak = () =>
    fetch(`${url}/v1/utterances`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ voice: 'tone', input }),
    });

  const id = await fleet.create({ input, seed: 3 });
  let heardBytes = 0;
  const heard = readAudio(id, {
    collectors: fleet.collectorUrls,
    onBytes: (total) => {
      heardBytes = total;
    },
  });
  await until(() => heardBytes > 0, { what: 'the first audio' });

  await redis.config('SET', 'maxmemory', '1mb');
  const refused = await speak();
  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).toBe('5');
  expect(await refused.json()).toMatchObject({
    error: { code: 'store_full', message: expect.stringContaining('The request store is full') },
  });
  for (let again = 0; again < 20; again++) expect((await speak()).status).toBe(503);
  const ready = await until(
    async () => {
      const report = (await (await fetch(`${url}/readyz`)).json()) as {
        checks: { store: { detail?: string } };
      };
      return report.checks.store.detail && report;
    },
    { what: 'readiness to tell' },
  );
  expect(ready).toMatchObject({
    ok: true,
    checks: { store: { ok: true, detail: expect.stringContaining('full') } },
  });
  // What cannot be done while it is full is tried every second.
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  for (const service of [fleet.gateway, ...fleet.workers, ...fleet.collectors]) {
    const lines = service
      .output()
      .split('\n')
      .filter((line) => line.includes('_full'));
    const told = lines.map((line) => line.replace(/"time":"[^"]*",?/, ''));
    expect(told.length, told.join('\n')).toBeLessThanOrEqual(6);
    expect(new Set(told).size, told.join('\n')).toBe(told.length);
  }
  expect(fleet.gateway.output()).toContain('"part":"store"');

  await redis.config('SET', 'maxmemory', '0');
  const { pcm } = await heard;
  expect(firstDifference(pcm, await speakEmbedded(input, { seed: 3, slots: sentences }))).toBeUndefined();
  await until(async () => (await speak()).ok, { what: 'a new text to be taken' });
});

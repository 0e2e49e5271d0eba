import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { VoiceInfo } from '@rhapsode/contracts';
import { createMemoryLog } from '@rhapsode/log/memory';
import { createDispatcher, listen, submit } from '@rhapsode/pipeline';
import { createMemoryQueue } from '@rhapsode/queue/memory';
import { readSettings } from '@rhapsode/service';
import { createMemoryStore } from '@rhapsode/store/memory';
import { createLifecycle, createLog, createMetrics } from '@rhapsode/telemetry';
import { openCatalogue } from '@rhapsode/voices';
import { afterEach, describe, expect, it } from 'vitest';
import { writeFixture } from '../../../models/fixtures/make.ts';
import { tiny } from '../../../models/fixtures/vits.ts';
import { freePort } from '../../../test/support/ports.ts';
import { until } from '../../../test/support/wait.ts';
import { workerSettings } from '../src/config.ts';
import { startWorker } from '../src/worker.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start({
  graceMs = 10_000,
  env = {},
}: {
  graceMs?: number;
  env?: Record<string, string>;
} = {}) {
  const port = await freePort();
  const config = readSettings(workerSettings, {
    RHAPSODE_HOST: '127.0.0.1',
    RHAPSODE_PORT: String(port),
    RHAPSODE_SLOTS: '1',
    RHAPSODE_TEST_VOICES: 'true',
    RHAPSODE_DEFAULT_VOICE: 'tone',
    ...env,
  });
  const store = createMemoryStore();
  const audioLog = createMemoryLog();
  const queue = createMemoryQueue();
  const log = createLog({ service: 'worker', level: 'silent' });
  const lifecycle = createLifecycle({ log, graceMs });
  const metrics = createMetrics();
  const gateway = createDispatcher({ store, log: audioLog, queueOf: () => queue, pools: [] });
  closers.push(async () => {
    await lifecycle.drain('test');
    await gateway.close();
    await Promise.all([queue.close(), audioLog.close(), store.close()]);
  });
  await startWorker(config, { log, lifecycle, metrics, store, audioLog, queue });
  lifecycle.ready();

  async function pcmOf(id: string): Promise<Buffer> {
    const listening = await listen(id, {}, { store, log: audioLog, dispatcher: gateway });
    const parts: Uint8Array[] = [];
    for await (const piece of listening.pieces) if (piece.type === 'audio') parts.push(piece.pcm);
    await listening.close();
    return Buffer.concat(parts);
  }

  const catalogue = await openCatalogue({ testVoices: true });
  return {
    store,
    queue,
    lifecycle,
    probe: (path: string) => fetch(`http://127.0.0.1:${port}${path}`),
    async speak(text: string, voice: VoiceInfo = catalogue.get('tone')) {
      const request = {
        tenant: 't',
        class: 'interactive',
        pool: 'default',
        voice,
      } as const;
      const { utterance, stored } = await submit(text, request, { store, dispatcher: gateway });
      await stored;
      return utterance;
    },
    async hear(id: string): Promise<number> {
      return (await pcmOf(id)).length / 2;
    },
    pcmOf,
  };
}

const report = async (response: Response) => ({
  status: response.status,
  ...((await response.json()) as object),
});

describe('worker', () => {
  it('is ready when its engine has really spoken, and says so to the gateway', async () => {
    const { probe, store } = await start();
    const ready = await report(await probe('/readyz'));
    expect(ready).toMatchObject({
      status: 200,
      ok: true,
      checks: { inference: { ok: true, detail: expect.stringContaining('the last inference') } },
    });
    await until(async () => (await store.workers('default')).length === 1, { what: 'the announcement' });
    expect((await store.voices('default')).map(({ id }) => id)).toContain('tone');
  });

  it('speaks the sentences of its pool and counts them', async () => {
    const { speak, hear, probe } = await start();
    const { id } = await speak('One sentence. And another one.');
    expect(await hear(id)).toBeGreaterThan(10_000);
    const metrics = await (await probe('/metrics')).text();
    expect(metrics).toContain('rhapsode_sentences_total{pool="default",voice="tone",outcome="completed"} 2');
    expect(metrics).toMatch(/rhapsode_real_time_factor_count\{[^}]*\} 2/);
    expect(metrics).toContain('rhapsode_slots{pool="default",state="idle"} 1');
  });

  it('goes on after its engine process has died, and counts that', async () => {
    const { speak, hear, probe } = await start();
    const { id } = await speak('This one {{tone:crash=1@100}} kills the process once.');
    expect(await hear(id)).toBeGreaterThan(1_000);
    expect(await (await probe('/metrics')).text()).toContain(
      'rhapsode_engine_restarts_total{reason="crash"} 1',
    );
    expect((await probe('/readyz')).status).toBe(200);
  });

  it('finishes the sentence in hand when it drains, and takes no other', async () => {
    const { speak, lifecycle, store, queue } = await start({
      env: { RHAPSODE_TONE_REAL_TIME_FACTOR: '0.3' },
    });
    const { id } = await speak(
      'The first sentence is in hand. The second one waits. The third one waits too.',
    );
    await until(async () => (await queue.counts()).active === 1, { what: 'a sentence in hand' });
    await lifecycle.drain('SIGTERM');
    const outcomes = (await store.progress(id, 0, 10)).map(({ outcome }) => outcome !== undefined);
    expect(outcomes.filter(Boolean)).toHaveLength(1);
    expect(await store.workers('default')).toEqual([]);
  });

  it('hands the sentence back when its grace is over', async () => {
    const { speak, lifecycle, queue } = await start({
      graceMs: 50,
      env: { RHAPSODE_TONE_REAL_TIME_FACTOR: '20' },
    });
    await speak('This takes very long.');
    await until(async () => (await queue.counts()).active === 1, { what: 'a sentence in hand' });
    const beganAt = performance.now();
    await lifecycle.drain('SIGTERM');
    expect(performance.now() - beganAt).toBeLessThan(15_000);
    expect(await queue.counts()).toMatchObject({ active: 0, waiting: 1 });
  });

  it('gives the same samples with sentences that share a process and its runs, and takes as many at once', async () => {
    const modelsDir = await mkdtemp(join(tmpdir(), 'rhapsode-worker-test-'));
    closers.push(() => rm(modelsDir, { recursive: true, force: true }));
    writeFixture(modelsDir, 'tiny', tiny);
    const text =
      'The first of them is here. The second one follows it. The third comes late. The fourth ends.';
    const spokenWith = async (env: Record<string, string>) => {
      const { speak, pcmOf, store } = await start({ env: { RHAPSODE_MODELS_DIR: modelsDir, ...env } });
      await until(async () => (await store.workers('default')).length === 1, { what: 'the announcement' });
      const [worker] = await store.workers('default');
      const voice = worker!.voices.find(({ id }) => id === 'tiny')!;
      const { id } = await speak(text, voice);
      return { slots: worker!.slots, voice, pcm: await pcmOf(id) };
    };
    const alone = await spokenWith({});
    const together = await spokenWith({
      RHAPSODE_SENTENCES_PER_SLOT: '4',
      RHAPSODE_BATCH_WINDOWS: '4',
      RHAPSODE_BATCH_WAIT_MS: '20',
    });
    expect([alone.slots, together.slots]).toEqual([1, 4]);
    expect([alone.voice.deterministic, together.voice.deterministic]).toEqual([true, true]);
    expect(alone.pcm.length).toBeGreaterThan(10_000);
    expect(together.pcm.equals(alone.pcm)).toBe(true);
    // The voice was tried again, in runs of several windows, before it was spoken with so.
    const cache = join(modelsDir, '.cache');
    const records = (await readdir(cache)).filter((name) => /^[0-9a-f]+$/.test(name));
    const tried = await Promise.all(
      records.map(async (name) => JSON.parse(await readFile(join(cache, name, 'record.json'), 'utf8'))),
    );
    expect(tried.map(({ graph }) => graph.batching).sort()).toEqual(['nothing', undefined]);
  }, 240_000);

  it('goes on to the next execution provider where one is missing, and does not start where none is left', async () => {
    const { speak, hear } = await start({ env: { RHAPSODE_EXECUTION_PROVIDERS: 'cuda,cpu' } });
    expect(await hear((await speak('It computes with what is there.')).id)).toBeGreaterThan(1_000);
    await expect(start({ env: { RHAPSODE_EXECUTION_PROVIDERS: 'cuda' } })).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('cuda'),
    });
  });

  it('refuses to start with a default voice that it does not have', async () => {
    await expect(start({ env: { RHAPSODE_DEFAULT_VOICE: 'nobody' } })).rejects.toMatchObject({
      code: 'voice_not_found',
    });
  });
});

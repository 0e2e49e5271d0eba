import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { piperConfig as fixtureConfig, writeFixture } from '../../../models/fixtures/make.ts';
import { narrow, tiny, vitsModel } from '../../../models/fixtures/vits.ts';
import { openCatalogue } from '../src/catalogue.ts';
import { collect } from '../src/conformance.ts';
import { shareEspeak } from '../src/espeak-client.ts';
import { createEngineHost } from '../src/host.ts';
import { createLocalEngine } from '../src/local-engine.ts';
import { createSession, float32, type TensorData } from '../src/onnx/session.ts';
import { isStackable } from '../src/onnx/stacked.ts';
import { createStage } from '../src/onnx/stage.ts';
import { piperInfo } from '../src/piper.ts';
import { piperConfig } from '../src/piper-config.ts';
import { piperSource } from '../src/piper-source.ts';
import type { SpeakRequest } from '../src/port.ts';
import { createTurns, type Together, type Turn, type Turns } from '../src/turns.ts';
import { findVoices } from '../src/voice-folders.ts';

/** As wide as `narrow`, for the kernels that it takes, and less of it. */
const light = {
  ...narrow,
  flows: 2,
  vocoder: { ...narrow.vocoder, resblocks: narrow.vocoder.resblocks.slice(0, 1) },
};
const modelsDir = mkdtempSync(join(tmpdir(), 'rhapsode-batching-test-'));
const closing: { close(): Promise<void> }[] = [];
beforeAll(() => {
  writeFixture(modelsDir, 'one', light);
  writeFixture(modelsDir, 'many', { ...tiny, speakers: 3 });
}, 60_000);
afterAll(async () => {
  await Promise.all(closing.map((one) => one.close()));
  rmSync(modelsDir, { recursive: true, force: true });
});

const turnOf = (signal: AbortSignal): Turn => ({ bulk: false, deadlineMs: undefined, signal });
const never = new AbortController().signal;

/** Doubles its inputs, and remembers which came together. */
function doubling() {
  const runs: number[][] = [];
  const run = async (inputs: readonly number[]) => {
    runs.push([...inputs]);
    return inputs.map((input) => 2 * input);
  };
  const work = (input: number, shape = 'a'): Together<number, number> => ({ run, shape, input });
  return { runs, work };
}

it('computes together what has one shape, up to the most, and gives each its own', async () => {
  const turns = createTurns({ batch: 3 });
  const { runs, work } = doubling();
  const asked = [1, 2, 3, 4, 5].map((input) =>
    turns.takeTogether(turnOf(never), work(input, input === 2 ? 'b' : 'a')),
  );
  expect(await Promise.all(asked)).toEqual([2, 4, 6, 8, 10]);
  expect(runs).toEqual([[1, 3, 4], [2], [5]]);
});

it('computes each by itself unless it is told otherwise', async () => {
  const turns = createTurns();
  const { runs, work } = doubling();
  await Promise.all([1, 2].map((input) => turns.takeTogether(turnOf(never), work(input))));
  expect(runs).toEqual([[1], [2]]);
});

it('leaves out who was aborted, and computes the others that came together', async () => {
  const turns = createTurns({ batch: 4 });
  const { runs, work } = doubling();
  const gone = AbortSignal.abort(new Error('left'));
  const asked = [1, 2, 3].map((input) => turns.takeTogether(turnOf(input === 2 ? gone : never), work(input)));
  const results = await Promise.allSettled(asked);
  expect(results.map((one) => (one.status === 'fulfilled' ? one.value : one.reason.message))).toEqual([
    2,
    'left',
    6,
  ]);
  expect(runs).toEqual([[1, 3]]);
});

it('fails all that came together if their run fails, and goes on', async () => {
  const turns = createTurns({ batch: 4 });
  const { work } = doubling();
  const broken = { run: () => Promise.reject(new Error('failed')), shape: 'a', input: 0 };
  const asked = [broken, broken].map((one) => turns.takeTogether(turnOf(never), one));
  expect((await Promise.allSettled(asked)).map((one) => one.status)).toEqual(['rejected', 'rejected']);
  expect(await turns.takeTogether(turnOf(never), work(4))).toBe(8);
});

// A wait that is far longer than the test may take: who waits it out, though nothing is to come, makes the test fail.
const long = 600_000;

it('waits for the other sentence in hand, which joins', async () => {
  const turns = createTurns({ batch: 4, batchWaitMs: long });
  const { runs, work } = doubling();
  turns.enter();
  turns.enter();
  const first = turns.takeTogether(turnOf(never), work(1));
  for (let i = 0; i < 5; i++) await new Promise(setImmediate);
  expect(runs).toEqual([]);
  expect(await turns.takeTogether(turnOf(never), work(2))).toBe(4);
  expect(await first).toBe(2);
  expect(runs).toEqual([[1, 2]]);
});

it('does not wait alone, nor when the other sentence ends, nor with something else to do', async () => {
  const turns = createTurns({ batch: 4, batchWaitMs: long });
  const { runs, work } = doubling();
  turns.enter();
  await turns.takeTogether(turnOf(never), work(1));
  const leave = turns.enter();
  const waits = turns.takeTogether(turnOf(never), work(2));
  for (let i = 0; i < 5; i++) await new Promise(setImmediate);
  expect(runs).toEqual([[1]]);
  leave();
  await waits;
  turns.enter();
  turns.enter();
  await Promise.all([
    turns.takeTogether(turnOf(never), work(3)),
    turns.take(turnOf(never), async () => runs.push([0])),
  ]);
  expect(runs).toEqual([[1], [2], [3], [0]]);
});

it('computes what nobody joins once it has waited', async () => {
  const turns = createTurns({ batch: 4, batchWaitMs: 5 });
  const { runs, work } = doubling();
  turns.enter();
  turns.enter();
  expect(await turns.takeTogether(turnOf(never), work(1))).toBe(2);
  expect(runs).toEqual([[1]]);
});

const text = 'The quick brown fox, it is said, jumps over the lazy dog.';
const four = (voice: string): SpeakRequest[] =>
  [0, 1, 2, 3].map((i) => ({
    voice,
    text: i === 3 ? 'A shorter one, of other words.' : text,
    segment: i,
    seed: i === 1 ? 0 : i,
    speed: 1,
    class: i === 2 ? 'bulk' : 'interactive',
    ...(voice === 'many' ? { speaker: ['anna', 'cleo', 'ben', 'cleo'][i]! } : {}),
  }));
const bytes = (pcm: Int16Array) => Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength);
const sessions = { batchWindows: 4, batchWaitMs: 2 };
const plain = async () => {
  const engine = createLocalEngine(await openCatalogue({ modelsDir, espeak: false }));
  closing.push(engine);
  return engine;
};

/** Also says how many windows each run had, and can let sentences begin together. */
function watched() {
  const turns = createTurns({ batch: sessions.batchWindows, batchWaitMs: sessions.batchWaitMs });
  const sizes: number[] = [];
  const wrapped = new Map<unknown, unknown>();
  const takeTogether: Turns['takeTogether'] = (turn, work) => {
    type Run = typeof work.run;
    const run: Run = (inputs) => {
      sizes.push(inputs.length);
      return work.run(inputs);
    };
    if (!wrapped.has(work.run)) wrapped.set(work.run, run);
    return turns.takeTogether(turn, { ...work, run: wrapped.get(work.run) as Run });
  };
  let asked = 0;
  const take: Turns['take'] = (turn, work) => {
    asked++;
    begun.resolve();
    begun = Promise.withResolvers();
    return turns.take(turn, work);
  };
  let begun = Promise.withResolvers<void>();
  /** Computes nothing until so many sentences wait to begin. */
  const hold = (count: number): void => {
    const enough = asked + count;
    void turns.take(turnOf(never), async () => {
      while (asked < enough) await begun.promise;
    });
  };
  return { turns: { ...turns, take, takeTogether }, sizes, hold };
}

it.each(['one', 'many'])(
  'gives the same samples when windows are computed together: voice %s',
  async (name) => {
    const alone = await plain();
    const { turns, sizes, hold } = watched();
    const found = (await findVoices(modelsDir)).find(({ id }) => id === name)!;
    const settings = { ...sessions, cacheDir: join(modelsDir, '.cache') };
    const source = await piperSource(await found.open(), settings, { turns, espeak: shareEspeak(undefined) });
    expect([source.info.deterministic, source.info.capabilities.streaming]).toEqual([true, true]);
    const voice = await source.load();
    closing.push(voice);
    hold(4);
    const heard = await Promise.all(four(name).map((request) => collect(voice, request)));
    for (const [i, request] of four(name).entries()) {
      const { pcm } = await collect(alone, request);
      expect(Buffer.compare(bytes(heard[i]!.pcm), bytes(pcm))).toBe(0);
    }
    expect(Math.max(...sizes)).toBeGreaterThan(1);
  },
);

it('lets a listener leave without a change to those whose windows are computed with theirs', async () => {
  const catalogue = { modelsDir, espeak: false, sessions };
  const host = createEngineHost({ children: 1, sentencesPerChild: 4, catalogue, warm: ['one'] });
  closing.push(host);
  const [request] = four('one') as [SpeakRequest];
  const { pcm } = await collect(await plain(), request);
  const leaving = new AbortController();
  const left = (async () => {
    for await (const _ of host.speak(request, leaving.signal)) leaving.abort(new Error('left'));
  })();
  const stay = [1, 2, 3].map(() => collect(host, request));
  await expect(left).rejects.toThrow('left');
  for (const one of await Promise.all(stay)) expect(Buffer.compare(bytes(one.pcm), bytes(pcm))).toBe(0);
  expect(host.stats().restarts).toBe(0);
});

it('promises nothing of a voice whose last bits change when it is computed together with others', () => {
  const record = { output: 'output', multiSpeaker: false, deterministic: true, windowsAgree: true, peak: 1 };
  const files = {
    config: piperConfig.parse(fixtureConfig('one', narrow)),
    modelPath: '',
    modelSha256: '',
    configSha256: '',
  };
  const info = (batching: 'nothing' | 'last bits') =>
    piperInfo('one', 'One', files, { ...record, batching }, '', undefined, sessions);
  expect([info('nothing').deterministic, info('nothing').note]).toEqual([true, undefined]);
  expect(info('last bits').deterministic).toBe(false);
  expect(info('last bits').note).toContain('together with other sentences');
});

it('knows a stage that can’t be stacked by its inputs', async () => {
  const session = await createSession(vitsModel(tiny));
  expect(isStackable(session, 'input')).toBe(false);
  await session.close();
});

it('finds every column that a widened run asks for, however windows and widths fall', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 1_500 }),
      fc.integer({ min: 1, max: 300 }),
      fc.array(fc.tuple(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 40 })), {
        minLength: 1,
        maxLength: 6,
      }),
      async (total, step, plan) => {
        const sizes = plan.flatMap(([size, times]) => Array<number>(times).fill(size));
        const counted = (from: number, to: number): TensorData =>
          float32(
            Float32Array.from({ length: to - from }, (_, i) => from + i),
            [1, 1, to - from],
          );
        const common = { context: 5, mostAhead: 90, total, nextWidthStep: step, rate: 1 };
        const inner = createStage({ ...common, ahead: 2, widthStep: 1, run: async (a, b) => counted(a, b) });
        const run = async (from: number, to: number) => {
          const got = await inner.read(from, to);
          expect(got.data).toEqual(counted(from, to).data);
          inner.free(got);
          return counted(from, to);
        };
        const outer = createStage({ ...common, ahead: 1, widthStep: step, run });
        for (let from = 0, i = 0; from < total; i++) {
          const to = Math.min(total, from + sizes[i % sizes.length]!);
          const got = await outer.read(from, to);
          expect(got.data).toEqual(counted(from, to).data);
          outer.free(got);
          from = to;
        }
      },
    ),
    // Many narrow runs, then one that is widened far back.
    {
      examples: [
        [
          1_000,
          300,
          [
            [10, 61],
            [330, 1],
          ],
        ],
      ],
    },
  );
});

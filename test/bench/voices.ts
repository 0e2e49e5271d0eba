import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createEngineHost,
  createLocalEngine,
  type Engine,
  openCatalogue,
  type SpeakRequest,
} from '@rhapsode/voices';
import { createSession, float32, int64, type Session } from '@rhapsode/voices/onnx/session';
import { writeFixture } from '../../models/fixtures/make.ts';
import { medium } from '../../models/fixtures/vits.ts';
import type { Row } from './table.ts';
import { type Cost, hear, spread } from './voice-cost.ts';
import { measureBatching } from './voices-batching.ts';
import { compareWithSherpa } from './voices-sherpa.ts';

/**
 * What the engine costs and how soon it is heard, on a graph of the sizes of Piper's "medium" voices with random weights. All of it is
 * measured interleaved with the whole graph as it comes, or with sherpa-onnx, and given as a ratio: median (least to greatest).
 */
const repeats = 5;
const phrase = 'Good morning to you all, and welcome to this reading of an old book';
const sentences: readonly { readonly text: string; readonly first: number }[] = [
  { text: 'Good morning to you all here.', first: 0.25 },
  { text: `${phrase} from here.`, first: 0.15 },
  {
    text: `${phrase} by the sea, which was written a very long time ago by somebody who said ${phrase.toLowerCase()}.`,
    first: 0.15,
  },
];
const [, middle] = sentences as [unknown, { readonly text: string }];

export async function measureVoices(): Promise<Row[]> {
  const modelsDir = mkdtempSync(join(tmpdir(), 'rhapsode-bench-'));
  const rows: Row[] = [];
  try {
    writeFixture(modelsDir, 'medium', medium);
    const catalogue = { modelsDir, espeak: false };
    const times = [await start(catalogue), await start(catalogue), await start(catalogue)];
    const [first = 0, ...kept] = times;
    const cached = spread(kept.map((ms) => ms / first));
    rows.push({
      what: 'start of a voice that was prepared before, part of its first start',
      got: `${cached.text} of ${(first / 1000).toFixed(1)} s`,
      target: '< 1',
      met: cached.median < 1,
    });

    const engine = createLocalEngine(await openCatalogue(catalogue));
    await engine.load('medium');
    const whole = await createSession(join(modelsDir, 'medium.onnx'));
    for (const { text, first: most } of sentences)
      rows.push(...(await oneSentence(engine, whole, text, most)));
    await whole.close();
    rows.push(await fourAtOnce(engine));
    for (const { text } of sentences.slice(0, 2)) {
      const { bulkCpu, bulkTime, listenerCpu, first, met } = await compareWithSherpa(
        engine,
        modelsDir,
        request(text, 'bulk'),
        repeats,
      );
      rows.push({
        what: `${text.length} characters: bulk audio per CPU second, relative to sherpa-onnx`,
        got: `${bulkCpu}; per second ${bulkTime}; listener ${listenerCpu}, first audio ${first}`,
        target: '≥ 1.00',
        met,
      });
    }
    await engine.close();
    rows.push(await processes(modelsDir));
    rows.push(...(await measureBatching(modelsDir, repeats)));
  } finally {
    rmSync(modelsDir, { recursive: true, force: true });
  }
  return rows;
}

const request = (text: string, kind: SpeakRequest['class'], seed = 5): SpeakRequest => ({
  voice: 'medium',
  text,
  segment: 0,
  seed,
  speed: 1,
  class: kind,
});

/** From nothing to a voice that can speak, in a fresh process. */
async function start(catalogue: { readonly modelsDir: string; readonly espeak: boolean }): Promise<number> {
  const startedMs = performance.now();
  const host = createEngineHost({ children: 1, catalogue, warm: ['medium'] });
  await host.ready();
  const ms = performance.now() - startedMs;
  await host.close();
  return ms;
}

/** The whole graph on about as many frames. */
async function wholeCost(session: Session, samples: number): Promise<Cost> {
  const count = Math.max(10, Math.round(samples / 256 / (medium.framesPerId + 0.5)));
  const ids = Array.from({ length: count }, (_, i) => 1 + ((i * 7) % 100));
  const startedMs = performance.now();
  const cpu = process.cpuUsage();
  const { output } = await session.run({
    input: int64(ids, [1, count]),
    input_lengths: int64([count], [1]),
    scales: float32(Float32Array.of(0.667, 1, 0.8), [3]),
  });
  const { user, system } = process.cpuUsage(cpu);
  const totalMs = performance.now() - startedMs;
  return { firstMs: totalMs, totalMs, cpuMs: (user + system) / 1000, samples: output!.data.length };
}

async function oneSentence(engine: Engine, whole: Session, text: string, mostFirst: number): Promise<Row[]> {
  const ratios = { first: [], listener: [], bulk: [], factor: [] } as Record<string, number[]>;
  let seconds = 0;
  for (let round = 0; round <= repeats; round++) {
    const listener = await hear(engine, request(text, 'interactive'));
    const one = await wholeCost(whole, listener.samples);
    const bulk = await hear(engine, request(text, 'bulk'));
    const two = await wholeCost(whole, listener.samples);
    // The first round warms both up.
    if (round === 0) continue;
    const per = (key: 'cpuMs' | 'totalMs') => (one[key] / one.samples + two[key] / two.samples) / 2;
    seconds = listener.samples / 22_050;
    ratios.first!.push(listener.firstMs / (per('totalMs') * listener.samples));
    ratios.listener!.push(listener.cpuMs / (per('cpuMs') * listener.samples));
    ratios.bulk!.push(bulk.cpuMs / (per('cpuMs') * bulk.samples));
    ratios.factor!.push(listener.totalMs / 1000 / seconds);
  }
  const row = (what: string, key: string, most: number): Row => {
    const { median, text: got } = spread(ratios[key]!);
    return {
      what: `${seconds.toFixed(1)} s: ${what}`,
      got,
      target: `≤ ${most.toFixed(2)}`,
      met: median <= most,
    };
  };
  return [
    row('first audio, part of the whole sentence’s time', 'first', mostFirst),
    row('CPU time for a listener, of the whole graph’s', 'listener', 1.2),
    row('CPU time for bulk, of the whole graph’s', 'bulk', 1.05),
    row('real-time factor for a listener', 'factor', 1),
  ];
}

/** Mean time to first audio of four listeners on one thread, against one sentence after the other. */
async function fourAtOnce(engine: Engine): Promise<Row> {
  const ratios: number[] = [];
  const seeds = [1, 2, 3, 4];
  for (let round = 0; round < 5; round++) {
    const together = await Promise.all(
      seeds.map((seed) => hear(engine, request(middle.text, 'interactive', seed))),
    );
    let clockMs = 0;
    let sumMs = 0;
    for (const seed of seeds) {
      // Delivered whole, in turn: first audio when the sentence is done.
      clockMs += (await hear(engine, request(middle.text, 'bulk', seed))).totalMs;
      sumMs += clockMs;
    }
    ratios.push(together.reduce((total, one) => total + one.firstMs, 0) / sumMs);
  }
  const { median, text } = spread(ratios);
  return {
    what: '4 at once on one child: mean first audio, of whole sentences in turn',
    got: text,
    target: '≤ 0.20',
    met: median <= 0.2,
  };
}

/** Two processes of one thread against one of two threads. */
async function processes(modelsDir: string): Promise<Row> {
  const rate = async (children: number, threads: number): Promise<number> => {
    const catalogue = { modelsDir, espeak: false, sessions: { threads } };
    const host = createEngineHost({ children, catalogue, warm: ['medium'] });
    await host.ready();
    const startedMs = performance.now();
    const all = await Promise.all([1, 2, 3, 4].map((seed) => hear(host, request(middle.text, 'bulk', seed))));
    const elapsedMs = performance.now() - startedMs;
    await host.close();
    return all.reduce((sum, one) => sum + one.samples, 0) / elapsedMs;
  };
  const ratios: number[] = [];
  for (let round = 0; round < 3; round++) ratios.push((await rate(2, 1)) / (await rate(1, 2)));
  const { median, text } = spread(ratios);
  return {
    what: 'bulk: 2 processes of a thread, relative to one of 2 threads',
    got: text,
    target: '≥ 1.00',
    met: median >= 1,
  };
}

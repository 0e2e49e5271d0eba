import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
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

/**
 * What the engine costs and how soon it is heard, on a graph of the sizes of Piper's "medium" voices with random weights:
 *
 *   pnpm bench voices [--repeats 5]
 *
 * Everything is measured interleaved with the whole graph in one run, and given as a ratio to it: other load on the
 * machine hits both.
 */
const phrase = 'Good morning to you all, and welcome to this reading of an old book';
const sentences = {
  '3 s': 'Good morning to you all, welcome.',
  '8 s': `${phrase} by the sea.`,
  '20 s': `${phrase} by the sea, which was written a very long time ago by somebody who ${phrase.toLowerCase()}.`,
} as const;

export async function benchVoices(repeats: number): Promise<void> {
  const modelsDir = mkdtempSync(join(tmpdir(), 'rhapsode-bench-'));
  try {
    const modelPath = join(modelsDir, 'medium.onnx');
    writeFixture(modelsDir, 'medium', medium);
    const started = performance.now();
    const catalogue = await openCatalogue({ modelsDir, espeak: false });
    say('prepare (split, try, keep)', `${seconds(performance.now() - started)} once per voice and machine`);
    const engine = createLocalEngine(catalogue);
    const loading = performance.now();
    await engine.load('medium');
    const loadMs = performance.now() - loading;
    const wholeLoading = performance.now();
    const whole = await createSession(modelPath);
    say(
      'cold start',
      `${seconds(loadMs)} kept parts, warm; whole graph ${seconds(performance.now() - wholeLoading)}`,
    );

    for (const [length, text] of Object.entries(sentences))
      await onePiece(engine, whole, length, text, repeats);
    await whole.close();
    await fourAtOnce(engine, sentences['8 s'], Math.min(repeats, 3));
    await engine.close();
    await processes(modelsDir, Math.min(repeats, 3));
  } finally {
    rmSync(modelsDir, { recursive: true, force: true });
  }
}

interface Heard {
  readonly firstMs: number;
  readonly totalMs: number;
  readonly cpuMs: number;
  readonly samples: number;
}

const request = (text: string, kind: SpeakRequest['class'], seed = 5): SpeakRequest => ({
  voice: 'medium',
  text,
  segment: 0,
  seed,
  speed: 1,
  class: kind,
});

async function hear(engine: Engine, asked: SpeakRequest): Promise<Heard> {
  const started = performance.now();
  const cpu = process.cpuUsage();
  let firstMs = 0;
  let samples = 0;
  for await (const piece of engine.speak(asked, new AbortController().signal)) {
    if (piece.type !== 'audio') continue;
    if (samples === 0) firstMs = performance.now() - started;
    samples += piece.pcm.length;
  }
  const used = process.cpuUsage(cpu);
  return { firstMs, totalMs: performance.now() - started, cpuMs: (used.user + used.system) / 1000, samples };
}

/** The whole graph on about as many frames; returns its costs per sample. */
async function wholeCosts(session: Session, samples: number): Promise<{ ms: number; cpuMs: number }> {
  const count = Math.max(10, Math.round(samples / 256 / (medium.framesPerId + 0.5)));
  const ids = Array.from({ length: count }, (_, i) => 1 + ((i * 7) % 100));
  const started = performance.now();
  const cpu = process.cpuUsage();
  const { output } = await session.run({
    input: int64(ids, [1, count]),
    input_lengths: int64([count], [1]),
    scales: float32(Float32Array.of(0.667, 1, 0.8), [3]),
  });
  const used = process.cpuUsage(cpu);
  const made = output!.data.length;
  return { ms: (performance.now() - started) / made, cpuMs: (used.user + used.system) / 1000 / made };
}

async function onePiece(
  engine: Engine,
  whole: Session,
  length: string,
  text: string,
  repeats: number,
): Promise<void> {
  const columns = { first: [], time: [], cpu: [], bulkCpu: [], rtf: [], wholeRtf: [] } as Record<
    string,
    number[]
  >;
  let audio = 0;
  for (let i = 0; i <= repeats; i++) {
    const listener = await hear(engine, request(text, 'interactive'));
    const one = await wholeCosts(whole, listener.samples);
    const bulk = await hear(engine, request(text, 'bulk'));
    const two = await wholeCosts(whole, listener.samples);
    // The first round warms both up.
    if (i === 0) continue;
    const [ms, cpu] = [(one.ms + two.ms) / 2, (one.cpuMs + two.cpuMs) / 2];
    audio = listener.samples / 22_050;
    columns.first!.push(listener.firstMs / (ms * listener.samples));
    columns.time!.push(listener.totalMs / (ms * listener.samples));
    columns.cpu!.push(listener.cpuMs / (cpu * listener.samples));
    columns.bulkCpu!.push(bulk.cpuMs / (cpu * bulk.samples));
    columns.rtf!.push(listener.totalMs / 1000 / audio);
    columns.wholeRtf!.push((ms * listener.samples) / 1000 / audio);
  }
  const middle = Object.fromEntries(Object.entries(columns).map(([key, values]) => [key, median(values)]));
  say(
    `${length} (${audio.toFixed(1)} s)`,
    `first audio ${ratio(middle.first)} of the whole sentence's time; CPU ${ratio(middle.cpu)} listener, ${ratio(middle.bulkCpu)} bulk; RTF ${ratio(middle.rtf)}, whole graph ${ratio(middle.wholeRtf)}`,
  );
}

/** Mean time to first audio of four listeners on one thread, against one sentence after the other. */
async function fourAtOnce(engine: Engine, text: string, repeats: number): Promise<void> {
  const results: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const together = await Promise.all(
      [1, 2, 3, 4].map((seed) => hear(engine, request(text, 'interactive', seed))),
    );
    let clock = 0;
    let sum = 0;
    for (const seed of [1, 2, 3, 4]) {
      // Delivered whole, in turn: first audio when the sentence is done.
      clock += (await hear(engine, request(text, 'bulk', seed))).totalMs;
      sum += clock;
    }
    results.push(together.reduce((total, one) => total + one.firstMs, 0) / sum);
  }
  say('4 at once on one child', `mean first audio ${ratio(median(results))} of whole sentences in turn`);
}

/** Two processes of one thread against one of two threads. */
async function processes(modelsDir: string, repeats: number): Promise<void> {
  const setups = { '2 x 1 thread': [2, 1], '1 x 2 threads': [1, 2] } as const;
  const rates: Record<string, number[]> = {};
  for (let i = 0; i < repeats; i++)
    for (const [name, [children, threads]] of Object.entries(setups)) {
      const catalogue = { modelsDir, espeak: false, sessions: { threads } };
      const host = createEngineHost({ children, catalogue, warm: ['medium'] });
      await host.ready();
      const started = performance.now();
      const all = await Promise.all(
        [1, 2, 3, 4].map((seed) => hear(host, request(sentences['8 s'], 'bulk', seed))),
      );
      const audio = all.reduce((sum, one) => sum + one.samples, 0) / 22_050;
      rates[name] ??= [];
      rates[name].push(audio / ((performance.now() - started) / 1000));
      await host.close();
    }
  const [processes, threads] = Object.keys(setups).map((name) => median(rates[name]!));
  say(
    'bulk, audio seconds per second',
    `2 processes ${ratio(processes)}, 1 with 2 threads ${ratio(threads)}`,
  );
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const ratio = (value: number | undefined): string => (value ?? Number.NaN).toFixed(2);
const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
const say = (what: string, result: string): void => console.log(`${what.padEnd(30)} ${result}`);

if (import.meta.main) {
  const { values } = parseArgs({ options: { repeats: { type: 'string', default: '5' } } });
  await benchVoices(Number(values.repeats));
}

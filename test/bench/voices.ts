import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalEngine, type Engine, openCatalogue } from '@rhapsode/voices';
import { createSession, float32, int64, type Session } from '@rhapsode/voices/onnx/session';
import { writeFixture } from '../../models/fixtures/make.ts';
import { medium } from '../../models/fixtures/vits.ts';
import type { Row } from './table.ts';
import { type Cost, costOf, hear, progress, spread } from './voice-cost.ts';
import { middle, request, sentences } from './voice-texts.ts';
import { measureBatching } from './voices-batching.ts';
import { measureExactness } from './voices-exact.ts';
import { measureFactors } from './voices-factor.ts';
import { measureProcesses } from './voices-processes.ts';
import { compareWithSherpa } from './voices-sherpa.ts';
import { measureStart } from './voices-start.ts';

/**
 * What the engine costs and how soon it is heard, on a graph of the sizes of Piper's "medium" voices with random weights. All of it is
 * measured interleaved with the whole graph as it comes, or with sherpa-onnx, and given as a ratio: median (least to greatest).
 * Ratios are of CPU time, which other load on the machine changes little; those of the clock stand beside them.
 *
 * Random weights say nothing about words: how well a voice is understood is told where it is made (models/calliope/evaluation.json).
 * The pipeline around the engine has a bench of its own, `throughput`.
 */
const repeats = 3;

export async function measureVoices(): Promise<Row[]> {
  const modelsDir = mkdtempSync(join(tmpdir(), 'rhapsode-bench-'));
  const rows: Row[] = [];
  try {
    writeFixture(modelsDir, 'medium', medium);
    const catalogue = { modelsDir, espeak: false };
    rows.push(...(await measureStart(catalogue, repeats)));

    const engine = createLocalEngine(await openCatalogue(catalogue));
    await engine.load('medium');
    rows.push(...(await measureExactness(engine, catalogue)));
    const whole = await createSession(join(modelsDir, 'medium.onnx'));
    for (const { text, first } of sentences) rows.push(...(await oneSentence(engine, whole, text, first)));
    await whole.close();
    rows.push(await fourAtOnce(engine));
    for (const { text } of sentences.slice(0, 2)) {
      progress(`${text.length} characters beside sherpa-onnx`);
      const { bulkCpu, bulkTime, listenerCpu, first, met } = await compareWithSherpa(
        engine,
        modelsDir,
        request(text, 'bulk'),
        repeats + 2,
      );
      rows.push({
        what: `${text.length} characters: bulk audio per CPU second, relative to sherpa-onnx`,
        got: `${bulkCpu}; per second ${bulkTime}; listener ${listenerCpu}, first audio ${first}`,
        target: '≥ 1.00',
        met,
      });
    }
    await engine.close();
    rows.push(...(await measureProcesses(modelsDir, repeats)));
    rows.push(...(await measureFactors(modelsDir)));
    progress('windows of several sentences in one run');
    rows.push(...(await measureBatching(modelsDir, repeats)));
  } finally {
    rmSync(modelsDir, { recursive: true, force: true });
  }
  return rows;
}

/** The whole graph on about as many frames. */
function wholeCost(session: Session, samples: number): Promise<Cost> {
  const count = Math.max(10, Math.round(samples / 256 / (medium.framesPerId + 0.5)));
  const ids = Array.from({ length: count }, (_, i) => 1 + ((i * 7) % 100));
  return costOf(async () => {
    const { output } = await session.run({
      input: int64(ids, [1, count]),
      input_lengths: int64([count], [1]),
      scales: float32(Float32Array.of(0.667, 1, 0.8), [3]),
    });
    return output!.data;
  });
}

async function oneSentence(engine: Engine, whole: Session, text: string, mostFirst: number): Promise<Row[]> {
  const ratios = { first: [], firstTime: [], listener: [], bulk: [], factor: [] } as Record<string, number[]>;
  let seconds = 0;
  for (let round = 0; round <= repeats; round++) {
    const listener = await hear(engine, request(text, 'interactive'));
    const one = await wholeCost(whole, listener.samples);
    const bulk = await hear(engine, request(text, 'bulk'));
    const two = await wholeCost(whole, listener.samples);
    seconds = listener.samples / 22_050;
    progress(`a sentence of ${seconds.toFixed(1)} s: round ${round} of ${repeats}`);
    // The first round warms both up.
    if (round === 0) continue;
    const per = (key: 'cpuMs' | 'totalMs') => (one[key] / one.samples + two[key] / two.samples) / 2;
    ratios.first!.push(listener.firstCpuMs / (per('cpuMs') * listener.samples));
    ratios.firstTime!.push(listener.firstMs / (per('totalMs') * listener.samples));
    ratios.listener!.push(listener.cpuMs / (per('cpuMs') * listener.samples));
    ratios.bulk!.push(bulk.cpuMs / (per('cpuMs') * bulk.samples));
    ratios.factor!.push(listener.cpuMs / 1000 / seconds);
  }
  const row = (what: string, key: string, most: number, more = ''): Row => {
    const { median, text: got } = spread(ratios[key]!);
    return {
      what: `${seconds.toFixed(1)} s: ${what}`,
      got: `${got}${more}`,
      target: `≤ ${most.toFixed(2)}`,
      met: median <= most,
    };
  };
  const cpu = `; CPU time ${spread(ratios.first!).text}`;
  return [
    // Somebody waits for it: by the clock.
    row('time until the first audio, of the whole graph’s for all', 'firstTime', mostFirst, cpu),
    row('CPU time for a listener, of the whole graph’s', 'listener', 1.2),
    row('CPU time for bulk, of the whole graph’s', 'bulk', 1.05),
    row('CPU seconds per second of audio for a listener', 'factor', 1),
  ];
}

/** Mean time to first audio of four listeners on one thread, against one sentence after the other. */
async function fourAtOnce(engine: Engine): Promise<Row> {
  const ratios: number[] = [];
  const byClock: number[] = [];
  const seeds = [1, 2, 3, 4];
  for (let round = 0; round < repeats; round++) {
    progress(`4 at once: round ${round + 1} of ${repeats}`);
    const together = await Promise.all(
      seeds.map((seed) => hear(engine, request(middle, 'interactive', seed))),
    );
    let [clockMs, cpuMs, sumMs, sumCpuMs] = [0, 0, 0, 0];
    for (const seed of seeds) {
      // Delivered whole, in turn: first audio when the sentence is done.
      const one = await hear(engine, request(middle, 'bulk', seed));
      sumMs += clockMs += one.totalMs;
      sumCpuMs += cpuMs += one.cpuMs;
    }
    byClock.push(together.reduce((total, one) => total + one.firstMs, 0) / sumMs);
    ratios.push(together.reduce((total, one) => total + one.firstCpuMs, 0) / sumCpuMs);
  }
  const { median, text } = spread(ratios);
  return {
    what: '4 at once on one child: mean CPU time until first audio, of whole sentences in turn',
    got: `${text}; by the clock ${spread(byClock).text}`,
    target: '≤ 0.20',
    met: median <= 0.2,
  };
}

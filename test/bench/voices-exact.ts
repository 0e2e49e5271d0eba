import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createEngineHost, createLocalEngine, type Engine, openCatalogue } from '@rhapsode/voices';
import { createEspeakPhonemizer } from '@rhapsode/voices/espeak';
import { gainFor, toPcm } from '@rhapsode/voices/loudness';
import { noiseBlock } from '@rhapsode/voices/noise';
import { readPiperGraph } from '@rhapsode/voices/onnx/graph/split';
import { feedsOf, lateStream, textNoise } from '@rhapsode/voices/onnx/piper-graph';
import { createSession, float32 } from '@rhapsode/voices/onnx/session';
import { phonemeIds } from '@rhapsode/voices/phoneme-ids';
import { piperConfig } from '@rhapsode/voices/piper-config';
import { preparedKey, readPrepared } from '@rhapsode/voices/prepared-cache';
import { sha256Of } from '@rhapsode/voices/voice-folders';
import type { Row } from './table.ts';
import { hear, progress } from './voice-cost.ts';
import { middle, request, sentences } from './voice-texts.ts';

interface Where {
  readonly modelsDir: string;
  readonly espeak: boolean;
}

/** Whether windows give what the whole graph gives with the same noise, and every run what every other does. */
export async function measureExactness(engine: Engine, catalogue: Where): Promise<Row[]> {
  progress('windows against the whole graph');
  const rows: Row[] = [await windowsAgainstWhole(engine, catalogue.modelsDir)];
  progress('runs, processes, windows, threads');
  const asked = [
    request(middle, 'interactive'),
    request(middle, 'bulk'),
    { ...request(middle, 'interactive'), settings: { chunk_seconds: 0.1 } },
  ];
  const here = new Set<string>();
  for (const one of [...asked, asked[0]!]) here.add((await hear(engine, one)).digest);
  const host = createEngineHost({ children: 1, catalogue });
  const there = new Set<string>();
  for (const one of asked) there.add((await hear(host, one)).digest);
  await host.close();
  rows.push({
    what: 'digests of one sentence: 2 runs, 2 processes, listener, bulk, chunks of 0.1 s',
    got: `${new Set([...here, ...there]).size} of ${asked.length * 2 + 1}`,
    target: '1',
    met: new Set([...here, ...there]).size === 1,
  });

  const threaded = await openCatalogue({ ...catalogue, sessions: { threads: 2 } });
  const other = createLocalEngine(threaded);
  const { digest } = await hear(other, asked[0]!);
  await other.close();
  const equal = here.has(digest);
  const { deterministic } = threaded.get('medium');
  rows.push({
    what: 'the same with 2 threads: equal, or not declared to be',
    got: `${equal ? 'equal' : 'differs'}, ${deterministic ? 'declared' : 'not declared'}`,
    target: 'no false promise',
    met: equal || !deterministic,
  });
  return rows;
}

async function windowsAgainstWhole(engine: Engine, modelsDir: string): Promise<Row> {
  const path = join(modelsDir, 'medium.onnx');
  const config = piperConfig.parse(JSON.parse(readFileSync(`${path}.json`, 'utf8')));
  const files = { modelSha256: await sha256Of(path), configSha256: await sha256Of(`${path}.json`) };
  const { record } = (await readPrepared(join(modelsDir, '.cache'), preparedKey(files, {})))!;
  const { layout } = record;
  if (layout === undefined) throw new Error('the voice is not split');
  const seeded = await createSession(readPiperGraph(readFileSync(path)).seeded!.bytes);
  const phonemizer = createEspeakPhonemizer();
  let [most, differing, all] = [0, 0, 0];
  for (const { text } of sentences) {
    const heard: Int16Array[] = [];
    for await (const piece of engine.speak(request(text, 'interactive'), new AbortController().signal))
      if (piece.type === 'audio') heard.push(piece.pcm);
    const windows = heard.flatMap((pcm) => [...pcm]);
    const { inference } = config;
    const { ids } = await phonemeIds(text, config, phonemizer);
    const scales = {
      noise: inference.noise_scale,
      length: inference.length_scale,
      noiseW: inference.noise_w,
    };
    const input = { ids, scales, speaker: undefined, seed: request(text, 'interactive').seed };
    const late = layout.lateNoise!;
    const frames = windows.length / layout.stages.reduce((product, { rate }) => product * rate, 1);
    const noise = float32(noiseBlock(input.seed, late.rows, 0, frames, lateStream), [1, late.rows, frames]);
    const feeds = { ...feedsOf(input), ...textNoise(layout, input), [late.name]: noise };
    const output = (await seeded.run(feeds))[layout.output]!.data as Float32Array;
    const whole = toPcm(output, gainFor(record.peak));
    if (whole.length !== windows.length) most = Infinity;
    for (const [i, value] of whole.entries()) {
      const by = Math.abs(value - windows[i]!);
      most = Math.max(most, by);
      if (by > 0) differing++;
    }
    all += whole.length;
  }
  await phonemizer.close();
  await seeded.close();
  return {
    what: 'windows against the whole graph with the same noise, 3 sentences: greatest difference in 16-bit steps',
    got: `${most}; ${differing} of ${all} samples differ`,
    target: '≤ 1',
    met: most <= 1,
  };
}

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngineHost } from '@rhapsode/voices';
import { readPiperGraph } from '@rhapsode/voices/onnx/graph/split';
import { withTwoDimensions } from '@rhapsode/voices/onnx/graph/two-dimensional';
import { createSession, saveOptimised } from '@rhapsode/voices/onnx/session';
import type { Row } from './table.ts';
import { costOf, cpuOfMs, progress, spread } from './voice-cost.ts';

/** From files to a voice that can speak: the first time, when its parts are tried and kept, and every time after. */
export async function measureStart(
  catalogue: { readonly modelsDir: string; readonly espeak: boolean },
  repeats: number,
): Promise<Row[]> {
  progress('first start of the voice');
  const first = await start(catalogue);
  const kept: number[] = [];
  for (let round = 0; round < repeats; round++) kept.push((await start(catalogue)).ms / first.ms);
  progress('a start of a voice that was prepared before');
  const { cpuMs } = await start(catalogue);

  const whole = readFileSync(join(catalogue.modelsDir, 'medium.onnx'));
  const { split } = readPiperGraph(whole);
  const parts = [split!.text, ...split!.stages.map(({ bytes }) => withTwoDimensions(bytes))];
  const folder = mkdtempSync(join(tmpdir(), 'rhapsode-parts-'));
  const optimised = parts.map((_, i) => join(folder, `${i}.onnx`));
  for (const [i, part] of parts.entries()) await saveOptimised(part, optimised[i]!);
  const opened = (models: readonly (Uint8Array | string)[], isOptimised: boolean) =>
    costOf(async () => {
      for (const model of models) await (await createSession(model, { optimised: isOptimised })).close();
      return models;
    });
  const [ofParts, ofWhole]: [number[], number[]] = [[], []];
  for (let round = 0; round <= repeats; round++) {
    progress(`opening graphs: round ${round} of ${repeats}`);
    const whole1 = await opened([whole], false);
    const plain = await opened(parts, false);
    const ready = await opened(optimised, true);
    if (round === 0) continue;
    ofParts.push(ready.cpuMs / plain.cpuMs);
    ofWhole.push(ready.cpuMs / whole1.cpuMs);
  }
  rmSync(folder, { recursive: true, force: true });
  const row = (what: string, { median, text }: ReturnType<typeof spread>, more = ''): Row => ({
    what,
    got: `${text}${more}`,
    target: '< 1',
    met: median < 1,
  });
  return [
    row(
      'start of a voice that was prepared before, of its first start, by the clock',
      spread(kept),
      ` of ${(first.ms / 1000).toFixed(1)} s; ${(cpuMs / 1000).toFixed(1)} s of CPU`,
    ),
    row('CPU time to open the parts that were kept, of those as they are cut', spread(ofParts)),
    row('CPU time to open the parts that were kept, of the whole graph’s', spread(ofWhole)),
  ];
}

/** From nothing to a voice that can speak, in a fresh process. */
async function start(catalogue: { readonly modelsDir: string; readonly espeak: boolean }) {
  const startedMs = performance.now();
  const host = createEngineHost({ children: 1, catalogue, warm: ['medium'] });
  await host.ready();
  const ms = performance.now() - startedMs;
  const cpuMs = host.pids().reduce((sum, pid) => sum + cpuOfMs(pid), 0);
  await host.close();
  return { ms, cpuMs };
}

import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { createLocalEngine, openCatalogue } from '@rhapsode/voices';
import type { Row } from './table.ts';
import { hear, progress } from './voice-cost.ts';
import { request, sentences } from './voice-texts.ts';

/** Real-time factors by voice, threads and length: seconds for a second of audio, of the clock and of CPU time; the better of two. */
export async function measureFactors(modelsDir: string): Promise<Row[]> {
  cpSync(new URL('../../models/calliope', import.meta.url), join(modelsDir, 'calliope'), { recursive: true });
  const rows: Row[] = [];
  for (const threads of [1, 2]) {
    const engine = createLocalEngine(
      await openCatalogue({ modelsDir, espeak: false, sessions: { threads } }),
    );
    for (const voice of ['calliope', 'medium'])
      for (const { text } of sentences) {
        let [time, cpu, seconds] = [Infinity, Infinity, 0];
        for (const kind of ['bulk', 'bulk'] as const) {
          const { totalMs, cpuMs, samples } = await hear(engine, request(text, kind, 5, voice));
          seconds = samples / (await rateOf(modelsDir, voice));
          time = Math.min(time, totalMs / 1000 / seconds);
          cpu = Math.min(cpu, cpuMs / 1000 / seconds);
        }
        const threaded = threads === 1 ? '1 thread' : `${threads} threads`;
        progress(`real-time factor of ${voice}, ${threaded}, ${seconds.toFixed(1)} s`);
        rows.push({
          what: `real-time factor of ${voice}, ${threaded}, ${seconds.toFixed(1)} s`,
          got: `${time.toFixed(3)} by the clock, ${cpu.toFixed(3)} of CPU`,
          target: '< 1',
          met: cpu < 1,
        });
      }
    await engine.close();
  }
  return rows;
}

const rateOf = async (modelsDir: string, voice: string): Promise<number> =>
  (await openCatalogue({ modelsDir, espeak: false })).get(voice).sampleRateHz;

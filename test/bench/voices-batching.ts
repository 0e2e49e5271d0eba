import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createLocalEngine, type Engine, openCatalogue, type SpeakRequest } from '@rhapsode/voices';
import { writeFixture } from '../../models/fixtures/make.ts';
import { medium } from '../../models/fixtures/vits.ts';
import type { Row } from './table.ts';
import { hear, spread } from './voice-cost.ts';

/**
 * What it costs to compute windows of four sentences in one run, against each by itself: CPU time per second of audio,
 * interleaved.
 *
 *   node test/bench/voices-batching.ts [--rounds 5]
 */
export async function measureBatching(modelsDir: string, rounds: number): Promise<Row[]> {
  const open = async (batchWindows: number): Promise<Engine> => {
    const sessions = { batchWindows, batchWaitMs: 2 };
    const engine = createLocalEngine(await openCatalogue({ modelsDir, espeak: false, sessions }));
    await engine.load('medium');
    return engine;
  };
  const [single, together] = [await open(1), await open(4)];
  const rows: Row[] = [];
  for (const kind of ['interactive', 'bulk'] as const) {
    const ratios: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      const before = await fourAtOnce(single, kind);
      const batched = await fourAtOnce(together, kind);
      const after = await fourAtOnce(single, kind);
      // The first round warms both up.
      if (round > 0) ratios.push((2 * batched) / (before + after));
    }
    const { text } = spread(ratios);
    rows.push({
      what: `4 at once on one thread, ${kind}: CPU time with windows in one run, of each by itself`,
      got: text,
      // It is a setting, and off: what it costs is told, and nothing is promised.
      target: 'none: off',
      met: true,
    });
  }
  await single.close();
  await together.close();
  return rows;
}

/** CPU time for a second of audio. */
async function fourAtOnce(engine: Engine, kind: SpeakRequest['class']): Promise<number> {
  const texts = [
    'Good morning to you all, and welcome to this reading of an old book from here.',
    'Somebody said a very long time ago that the sea is never the same on any two days.',
    'Good evening to you all, and welcome to that reading of a new book from there.',
    'Nobody knows how it began, but all of them remember very well how it had to end.',
  ];
  const cpu = process.cpuUsage();
  const all = await Promise.all(
    texts.map((text, segment) =>
      hear(engine, { voice: 'medium', text, segment, seed: segment, speed: 1, class: kind }),
    ),
  );
  const { user, system } = process.cpuUsage(cpu);
  return (user + system) / all.reduce((sum, { samples }) => sum + samples, 0);
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } });
  const modelsDir = mkdtempSync(join(tmpdir(), 'rhapsode-bench-'));
  try {
    writeFixture(modelsDir, 'medium', medium);
    console.table(await measureBatching(modelsDir, Number(values.rounds)));
  } finally {
    rmSync(modelsDir, { recursive: true, force: true });
  }
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createEngineHost } from '@rhapsode/voices';
import { writeFixture } from '../../models/fixtures/make.ts';
import { tiny } from '../../models/fixtures/vits.ts';

/**
 * Whether a child's memory grows with the number of sentences of varying length:
 *
 *   node test/bench/voices-soak.ts [--sentences 5000]
 */
const words = 'it was the best of times it was the worst of times and then it all began once more'.split(' ');

export async function soakVoices(sentences: number): Promise<void> {
  const modelsDir = mkdtempSync(join(tmpdir(), 'rhapsode-soak-'));
  writeFixture(modelsDir, 'tiny', tiny);
  const host = createEngineHost({ children: 1, catalogue: { modelsDir, espeak: false }, warm: ['tiny'] });
  try {
    await host.ready();
    let early = 0;
    for (let i = 1; i <= sentences; i++) {
      const count = 1 + ((i * 7919) % 40);
      const text = `${Array.from({ length: count }, (_, w) => words[(i + w) % words.length]).join(' ')}.`;
      const kind = i % 3 === 0 ? 'bulk' : 'interactive';
      const request = { voice: 'tiny', text, segment: i, seed: i, speed: 1, class: kind } as const;
      for await (const _ of host.speak(request, new AbortController().signal));
      const [rss = 0] = host.stats().rssBytes;
      if (i === Math.min(500, Math.ceil(sentences / 10))) early = rss;
      if (i % Math.ceil(sentences / 10) === 0)
        console.log(`${i} sentences: ${(rss / 2 ** 20).toFixed(0)} MB`);
      if (i === sentences)
        console.log(`end / start: ${(rss / early).toFixed(3)}, restarts ${host.stats().restarts}`);
    }
  } finally {
    await host.close();
    rmSync(modelsDir, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { sentences: { type: 'string', default: '5000' } } });
  await soakVoices(Number(values.sentences));
}

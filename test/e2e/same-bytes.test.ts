import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readAudio } from '../support/audio-client.ts';
import { startFleet } from '../support/fleet.ts';
import { speakEmbedded } from '../support/reference.ts';
import { firstDifference } from '../support/same-audio.ts';
import { plainText } from '../support/texts.ts';

const fixtures = fileURLToPath(new URL('../../models/fixtures', import.meta.url));
const input = [
  'Chapter 1. Dr. Smith paid $3.50 at 9:15 a.m., and left.',
  '"Where to?" asked the driver; nobody answered.',
  plainText(10),
].join('\n\n');

test('three services give the bytes of the embedded run', { timeout: 180_000 }, async (context) => {
  const modelsDir = await mkdtemp(join(tmpdir(), 'rhapsode-models-'));
  context.onTestFinished(() => rm(modelsDir, { recursive: true, force: true }));
  await cp(fixtures, modelsDir, { recursive: true });
  const fleet = await startFleet({ workers: 2, env: { RHAPSODE_MODELS_DIR: modelsDir } });
  context.onTestFinished(() => fleet.stop());

  for (const voice of ['tone', 'fixture-tiny'])
    for (const seed of [0, 0xffff_ffff]) {
      const id = await fleet.create({ input, voice, seed });
      const { pcm } = await readAudio(id, { collectors: fleet.collectorUrls });
      const reference = await speakEmbedded(input, {
        catalogue: { testVoices: true, modelsDir },
        voice,
        seed,
      });
      expect(reference.pcm.length).toBeGreaterThan(16_000 * 10);
      expect(firstDifference(pcm, reference), `${voice}, seed ${seed}`).toBeUndefined();
    }
});

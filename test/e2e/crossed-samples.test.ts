import { toneSamples } from '@rhapsode/voices';
import { expect, test } from 'vitest';
import { readAudio } from '../support/audio-client.ts';
import { startFleet } from '../support/fleet.ts';
import { type Reference, speakEmbedded } from '../support/reference.ts';
import { firstDifference } from '../support/same-audio.ts';

const utterances = 1_000;
const listeners = 50;
const input = 'The river sleeps. The wind does not. Then it rains.';

/** What the voice says with this seed, in the lengths that every seed has. */
function expected(seed: number, { segments, pcm }: Reference): Reference {
  const whole = new Int16Array(pcm.length);
  let at = 0;
  for (const [segment, { samples, pauseSamples }] of segments.entries()) {
    whole.set(toneSamples(seed, segment, 0, samples), at);
    at += samples + pauseSamples;
  }
  return { segments, pcm: whole };
}

test(`no sample of ${utterances} interleaved utterances reaches another's listener`, {
  timeout: 300_000,
}, async (context) => {
  const fleet = await startFleet({ workers: 2, collectors: 2, slots: 2 });
  context.onTestFinished(() => fleet.stop());
  const lengths = await speakEmbedded(input, { seed: 1 });
  expect(firstDifference(lengths.pcm, expected(1, lengths))).toBeUndefined();

  const waiting = Array.from({ length: utterances }, (_, seed) => seed);
  const crossed: string[] = [];
  async function listenOn(which: number): Promise<void> {
    for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
      const id = await fleet.create({ input, seed });
      const { pcm } = await readAudio(id, { collectors: [fleet.collectorUrls[which % 2]!] });
      const difference = firstDifference(pcm, expected(seed, lengths));
      if (difference !== undefined) crossed.push(`seed ${seed}: ${difference}`);
    }
  }
  await Promise.all(Array.from({ length: listeners }, (_, which) => listenOn(which)));
  expect(crossed).toEqual([]);
});

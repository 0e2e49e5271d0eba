import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeAll } from '../../../test/support/decode.ts';
import { audioFormatNames, pcmBytes, pcmSamples } from '../src/index.ts';
import { encode } from './encode.ts';
import { holds } from './holds.ts';
import { delayOf, leastLikeness, likeness, resampled, voice } from './signal.ts';

/** From the voice's rate to that of the bytes: every size of frames, up and down. */
const rates = [
  [24_000, 24_000],
  [44_100, 44_100],
  [22_050, 16_000],
  [24_000, 48_000],
] as const;

const lossless = ['flac', 'wav', 'pcm'];

/** What an independent decoder makes of every format: page "what each format can hold" in docs/decisions. */
describe.each(audioFormatNames)('%s, decoded by ffmpeg', (format) => {
  const { delay, decodedHz, frameSamples, decoded } = holds[format];
  // Opus knows no 44.1 kHz.
  const known = rates.filter(([, encodedHz]) => format !== 'opus' || encodedHz !== 44_100);

  it.each([false, true])(
    'has exactly the samples that it can hold, at their place, with its length told: %s',
    async (isKnown) => {
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 9_000, max: 30_000 }), async (random) => {
          const streams = known.flatMap(([sampleRateHz, encodedHz]) => {
            const frame = Math.round((frameSamples(encodedHz) * sampleRateHz) / encodedHz);
            return [0, 1, 46, 47, frame - 1, frame, frame + 1, 2 * frame, random].map((samples) => ({
              samples,
              sampleRateHz,
              encodedHz,
              isKnown,
            }));
          });
          const sounds = streams.map(({ samples, sampleRateHz }) => voice(samples, sampleRateHz));
          const files: Buffer[] = [];
          for (const [n, { samples, sampleRateHz, encodedHz }] of streams.entries())
            files.push(
              await encode(
                format,
                { sampleRateHz, wantedRateHz: encodedHz },
                [sounds[n]!],
                isKnown ? samples : undefined,
              ),
            );
          const heard = await decodeAll(files, format);
          expect(heard.map(({ length }, n) => ({ ...streams[n]!, decoded: length }))).toEqual(
            streams.map((stream) => ({ ...stream, decoded: decoded(stream) })),
          );

          for (const [n, { samples, sampleRateHz, encodedHz }] of streams.entries()) {
            if (lossless.includes(format)) {
              const raw = await encode('pcm', { sampleRateHz, wantedRateHz: encodedHz }, [sounds[n]!]);
              expect(Buffer.compare(pcmBytes(heard[n]!), raw), `${samples} at ${encodedHz}`).toBe(0);
              if (sampleRateHz === encodedHz) expect(pcmSamples(raw)).toEqual(sounds[n]);
            } else if (samples === random) {
              const heardHz = decodedHz ?? encodedHz;
              const wanted = resampled(sounds[n]!, sampleRateHz, heardHz);
              expect(delayOf(heard[n]!, wanted, 1200), `${samples} at ${encodedHz}`).toBe(delay);
              const sound = heard[n]!.subarray(delay);
              expect(leastLikeness(sound, wanted, heardHz / 20)).toBeGreaterThan(0.9);
              // The last 50 ms are there, up to the last sample.
              const tail = wanted.length - Math.round(heardHz / 20);
              expect(likeness(wanted.subarray(tail), sound.subarray(tail))).toBeGreaterThan(0.9);
            }
          }
        }),
        { numRuns: 1, endOnFailure: true },
      );
    },
  );
});

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pcmBytes, pcmSamples, wavHeader } from '@rhapsode/audio';
import { outputSettings } from '@rhapsode/book';
import { applyGain, chooseGain } from '@rhapsode/book/render/gain';
import {
  createLoudnessMeter,
  createLoudnessSum,
  integratedLufs,
  type Loudness,
} from '@rhapsode/book/render/loudness';
import { describe, expect, it } from 'vitest';
import { needExecutable } from '../../../test/support/executables.ts';
import { seeded } from '../../../test/support/seeded.ts';

/** Tones of many pitches and loudnesses, noise, clicks and silence. */
function noisy(sampleRateHz: number, seconds: number, seed: number): Int16Array {
  const random = seeded(seed);
  const out = new Int16Array(sampleRateHz * seconds);
  for (let at = 0; at < out.length; ) {
    const length = Math.round(sampleRateHz * (0.2 + random() * 1.5));
    const level = random() < 0.2 ? 0 : 20_000 * random() ** 2;
    const step = (2 * Math.PI * (60 + 5000 * random() ** 2)) / sampleRateHz;
    for (let i = 0; i < length && at < out.length; i++, at++)
      out[at] = Math.round(level * (0.8 * Math.sin(step * i) + 0.2 * (2 * random() - 1)));
  }
  return out;
}

function ffmpegSays(pcm: Int16Array, sampleRateHz: number): { lufs: number; truePeakDb: number } {
  const folder = mkdtempSync(join(tmpdir(), 'rhapsode-loudness-'));
  try {
    const file = join(folder, 'a.wav');
    writeFileSync(file, Buffer.concat([wavHeader(sampleRateHz, pcm.length), pcmBytes(pcm)]));
    // Its report goes to stderr.
    const { stderr } = spawnSync(
      needExecutable('ffmpeg'),
      ['-nostats', '-i', file, '-af', 'ebur128=peak=true', '-f', 'null', '-'],
      { encoding: 'utf8', maxBuffer: 2 ** 26 },
    );
    return parse(stderr);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const parse = (report: string) => ({
  lufs: Number(/I:\s+(-?[\d.]+) LUFS\s*\n\s*Threshold/.exec(report)![1]),
  truePeakDb: Number(/Peak:\s+(-?[\d.]+) dBFS/.exec(report)![1]),
});

function measure(pcm: Int16Array, sampleRateHz: number, piece: number): Loudness {
  const meter = createLoudnessMeter(sampleRateHz);
  for (let at = 0; at < pcm.length; at += piece) meter.push(pcm.subarray(at, at + piece));
  return meter.result();
}

describe('the loudness meter', () => {
  it.each([16_000, 22_050, 24_000, 48_000])('agrees with ffmpeg’s at %i Hz', (sampleRateHz) => {
    const pcm = noisy(sampleRateHz, 20, sampleRateHz);
    const found = measure(pcm, sampleRateHz, 1234);
    const said = ffmpegSays(pcm, sampleRateHz);
    expect(Math.abs(integratedLufs([found])! - said.lufs)).toBeLessThan(0.15);
    expect(Math.abs(20 * Math.log10(found.truePeak) - said.truePeakDb)).toBeLessThan(0.4);
  });

  it('finds the same however the samples arrive, and adds up chapters to the book', () => {
    const pcm = noisy(22_050, 30, 7);
    expect(measure(pcm, 22_050, 1)).toEqual(measure(pcm, 22_050, 100_000));
    const middle = 22_050 * 15;
    const parts = [pcm.subarray(0, middle), pcm.subarray(middle)].map((part) => measure(part, 22_050, 5000));
    expect(integratedLufs(parts)!).toBeCloseTo(integratedLufs([measure(pcm, 22_050, 5000)])!, 0);
  });

  it('finds the curve’s height between the samples', () => {
    // A tone of a quarter of the rate, hit 45 degrees beside its tops: the samples reach 0.707 of it.
    const pcm = Int16Array.from({ length: 8000 }, (_, i) =>
      Math.round(16_384 * Math.sin((Math.PI / 2) * i + Math.PI / 4)),
    );
    expect(measure(pcm, 24_000, 777).truePeak).toBeGreaterThan(0.49);
    expect(measure(pcm, 24_000, 777).truePeak).toBeLessThan(0.515);
  });

  it('adds chapters up to their book, which takes no more room for being longer', () => {
    const chapters = Array.from({ length: 12 }, (_, n) =>
      measure(noisy(16_000, 6, 1 + (n % 3)), 16_000, 4096),
    );
    const sumOf = (parts: readonly Loudness[]) => {
      const sum = createLoudnessSum();
      for (const part of parts) sum.add(part);
      return sum.result();
    };
    const whole = sumOf(chapters);
    expect(integratedLufs([whole])!).toBeCloseTo(integratedLufs(chapters)!, 9);
    expect(whole.truePeak).toBe(Math.max(...chapters.map(({ truePeak }) => truePeak)));
    expect(whole.blocks.length).toBe(sumOf(chapters.slice(0, 3)).blocks.length);
  });

  it('says nothing of silence', () => {
    expect(integratedLufs([measure(new Int16Array(50_000), 22_050, 5000)])).toBeUndefined();
  });
});

describe('the gain of a book', () => {
  const { loudness } = outputSettings.parse({});
  const speech = noisy(22_050, 20, 3).map((sample) => sample / 4);

  it('brings it to the loudness that was asked for', async () => {
    const found = measure(speech, 22_050, 5000);
    const { gainDb } = chooseGain([found], { targetLufs: -30, truePeakDb: -1 }, undefined);
    const louder: Uint8Array[] = [];
    async function* once() {
      yield pcmBytes(speech);
    }
    for await (const bytes of applyGain(once(), gainDb)) louder.push(bytes);
    expect(integratedLufs([measure(pcmSamples(Buffer.concat(louder)), 22_050, 5000)])!).toBeCloseTo(-30, 1);
  });

  it('is smaller where the peaks would be cut', () => {
    const found = { ...measure(speech, 22_050, 5000), truePeak: 0.8 };
    const { gainDb } = chooseGain([found], { targetLufs: -10, truePeakDb: -1 }, undefined);
    expect(20 * Math.log10(0.8) + gainDb).toBeLessThanOrEqual(-1);
    expect(20 * Math.log10(0.8) + gainDb).toBeGreaterThan(-1.02);
  });

  it('stays as it was for a change of half a LU, and moves for more', () => {
    const found = measure(speech, 22_050, 5000);
    const first = chooseGain([found], loudness, undefined);
    expect(chooseGain([found], loudness, { ...first, gainDb: first.gainDb - 0.4 }).gainDb).toBe(
      first.gainDb - 0.4,
    );
    expect(chooseGain([found], loudness, { ...first, gainDb: first.gainDb - 0.6 }).gainDb).toBe(first.gainDb);
  });

  it('does not stay where it would cut the peaks', () => {
    const found = { ...measure(speech, 22_050, 5000), truePeak: 0.8 };
    const settings = { targetLufs: -10, truePeakDb: -1 };
    const chosen = chooseGain([found], settings, undefined);
    expect(chooseGain([found], settings, { ...chosen, gainDb: chosen.gainDb + 0.2 })).toEqual(chosen);
  });

  it('is none where it was not asked for, and for silence', () => {
    const found = measure(speech, 22_050, 5000);
    expect(chooseGain([found], null, undefined).gainDb).toBe(0);
    expect(chooseGain([measure(new Int16Array(9000), 22_050, 900)], loudness, undefined).gainDb).toBe(0);
  });
});

import { execFileSync } from 'node:child_process';
import { needExecutable } from '../../../test/support/executables.ts';
import { pcmBytes, pcmSamples } from '../src/index.ts';

/** Voice-like sound that is nowhere the same twice: gliding harmonics, a second tone that wanders, noise, syllables. */
export function voice(samples: number, sampleRateHz: number): Int16Array {
  let noise = 12_345;
  let pitch = 0;
  let wander = 0;
  return Int16Array.from({ length: samples }, (_, i) => {
    const t = i / sampleRateHz;
    const wave = (hz: number) => Math.sin(2 * Math.PI * hz * t);
    pitch += (140 + 60 * wave(0.7) + 30 * wave(2.3)) / sampleRateHz;
    wander += (900 + 500 * wave(1.1)) / sampleRateHz;
    let value = 0.7 * Math.sin(2 * Math.PI * wander);
    for (let k = 1; k < 12; k++) value += Math.sin(2 * Math.PI * k * pitch) / k;
    noise = (Math.imul(noise, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    value += 0.1 * (noise / 0x7fff_ffff - 0.5);
    return Math.round(3000 * value * (0.6 + 0.4 * wave(3.1)));
  });
}

/** How alike two stretches are: 1 for the same shape, 0 for nothing in common. */
export function likeness(a: Int16Array, b: Int16Array): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]!, b[i] ?? 0];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa === 0 || bb === 0 ? Number(aa === bb) : ab / Math.sqrt(aa * bb);
}

/** How many samples later than in `original` the sound is in `decoded`; looked for up to `most` in both directions. */
export function delayOf(decoded: Int16Array, original: Int16Array, most: number): number {
  const length = Math.min(original.length, decoded.length) - 2 * most;
  if (length < 1000) throw new Error('too short to find a delay in');
  const part = original.subarray(most, most + Math.min(length, 12_000));
  let best = { delay: 0, likeness: Number.NEGATIVE_INFINITY };
  for (let delay = -most; delay <= most; delay++) {
    const like = likeness(part, decoded.subarray(most + delay, most + delay + part.length));
    if (like > best.likeness) best = { delay, likeness: like };
  }
  return best.delay;
}

/** The least alike of all stretches of 50 ms, so that one that is lost, doubled or moved shows. */
export function leastLikeness(decoded: Int16Array, original: Int16Array, stretch: number): number {
  let least = 1;
  for (let at = 0; at + stretch <= original.length; at += stretch)
    least = Math.min(
      least,
      likeness(original.subarray(at, at + stretch), decoded.subarray(at, at + stretch)),
    );
  return least;
}

/** The same sound at another rate, by a resampler that is not ours: ffmpeg's. */
export function resampled(pcm: Int16Array, fromHz: number, toHz: number): Int16Array {
  if (fromHz === toHz) return pcm;
  const input = ['-v', 'error', '-f', 's16le', '-ar', `${fromHz}`, '-ac', '1', '-i', 'pipe:0'];
  const output = ['-ar', `${toHz}`, '-f', 's16le', 'pipe:1'];
  const bytes = execFileSync(needExecutable('ffmpeg'), [...input, ...output], {
    input: pcmBytes(pcm),
    maxBuffer: 1 << 28,
  });
  return pcmSamples(bytes);
}

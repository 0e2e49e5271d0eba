import { createTruePeakMeter } from './true-peak.ts';

/**
 * Loudness as ITU-R BS.1770-4 and EBU R128 define it: K-weighted power of 400 ms blocks, one each 100 ms, those below -70 LUFS
 * and those 10 LU below the rest left out. Blocks are kept as a histogram of hundredths of a LU, so that a chapter of any
 * length is a few kilobytes, and chapters add up to the book.
 */
export interface Loudness {
  /** Blocks: hundredths of a LU above -70, how many, and their power together. Ascending. */
  readonly blocks: readonly (readonly [bin: number, count: number, power: number])[];
  /** Largest value of the curve between the samples; 1 is full scale. */
  readonly truePeak: number;
}

export interface LoudnessMeter {
  push(pcm: Int16Array): void;
  result(): Loudness;
}

const absoluteGateLufs = -70;
const relativeGateLu = -10;
const binsPerLu = 100;
/** Of the power of full scale, at the frequency where the weighting is neutral. */
const offsetLufs = -0.691;

const lufsOf = (power: number) => offsetLufs + 10 * Math.log10(power);

export function createLoudnessMeter(sampleRateHz: number): LoudnessMeter {
  const stepSamples = Math.round(sampleRateHz / 10);
  const weighting = createKWeighting(sampleRateHz);
  const truePeak = createTruePeakMeter();
  const bins = new Map<number, { count: number; power: number }>();
  /** Sums of squares of the last four steps, the newest last. */
  const steps: number[] = [];
  let sum = 0;
  let inStep = 0;

  function closeStep(): void {
    steps.push(sum);
    sum = 0;
    inStep = 0;
    weighting.settle();
    if (steps.length > 4) steps.shift();
    if (steps.length < 4) return;
    const power = (steps[0]! + steps[1]! + steps[2]! + steps[3]!) / (4 * stepSamples);
    const bin = power > 0 ? Math.floor((lufsOf(power) - absoluteGateLufs) * binsPerLu) : -1;
    if (bin < 0) return;
    const entry = bins.get(bin) ?? { count: 0, power: 0 };
    entry.count += 1;
    entry.power += power;
    bins.set(bin, entry);
  }

  return {
    push(pcm) {
      truePeak.push(pcm);
      for (let at = 0; at < pcm.length; ) {
        const end = Math.min(pcm.length, at + stepSamples - inStep);
        sum = weighting.add(sum, pcm, at, end);
        inStep += end - at;
        at = end;
        if (inStep === stepSamples) closeStep();
      }
    },
    result: () => ({
      blocks: blocksOf(bins),
      truePeak: truePeak.result(),
    }),
  };
}

/** Parts added up: what it holds does not grow with their number. */
export function createLoudnessSum() {
  const bins = new Map<number, { count: number; power: number }>();
  let truePeak = 0;
  return {
    add(part: Loudness): void {
      truePeak = Math.max(truePeak, part.truePeak);
      for (const [bin, count, power] of part.blocks) {
        const entry = bins.get(bin) ?? { count: 0, power: 0 };
        entry.count += count;
        entry.power += power;
        bins.set(bin, entry);
      }
    },
    result: (): Loudness => ({ blocks: blocksOf(bins), truePeak }),
  };
}

const blocksOf = (bins: ReadonlyMap<number, { count: number; power: number }>): Loudness['blocks'] =>
  [...bins].sort(([a], [b]) => a - b).map(([bin, { count, power }]) => [bin, count, power] as const);

/** Integrated loudness in LUFS of all parts together; undefined where all of it is silence. */
export function integratedLufs(parts: readonly Loudness[]): number | undefined {
  const mean = (fromBin: number): number | undefined => {
    let count = 0;
    let power = 0;
    for (const { blocks } of parts)
      for (const [bin, blockCount, blockPower] of blocks)
        if (bin >= fromBin) {
          count += blockCount;
          power += blockPower;
        }
    return count === 0 ? undefined : power / count;
  };
  const ungated = mean(0);
  if (ungated === undefined) return undefined;
  const gate = lufsOf(ungated) + relativeGateLu - absoluteGateLufs;
  return lufsOf(mean(Math.max(0, Math.floor(gate * binsPerLu)))!);
}

/**
 * The two filters of BS.1770 for any sample rate: a shelf for the head, a high pass for the ear, from the analogue filters
 * behind the standard's table for 48 kHz.
 */
function createKWeighting(sampleRateHz: number) {
  const shelf = Math.tan((Math.PI * 1681.974450955533) / sampleRateHz);
  const shelfQ = 0.7071752369554196;
  const high = 10 ** (3.999843853973347 / 20);
  const middle = high ** 0.4996667741545416;
  const a0 = 1 + shelf / shelfQ + shelf * shelf;
  const [b0, b1, b2] = [
    (high + (middle * shelf) / shelfQ + shelf * shelf) / a0,
    (2 * (shelf * shelf - high)) / a0,
    (high - (middle * shelf) / shelfQ + shelf * shelf) / a0,
  ];
  const [a1, a2] = [(2 * (shelf * shelf - 1)) / a0, (1 - shelf / shelfQ + shelf * shelf) / a0];
  const pass = Math.tan((Math.PI * 38.13547087602444) / sampleRateHz);
  const passQ = 0.5003270373238773;
  const c0 = 1 + pass / passQ + pass * pass;
  const [c1, c2] = [(2 * (pass * pass - 1)) / c0, (1 - pass / passQ + pass * pass) / c0];
  let [s1, s2, p1, p2] = [0, 0, 0, 0];
  return {
    /** Adds the squares of a stretch, sample by sample: how the samples are divided into stretches changes no bit of the sum. */
    add(sum: number, pcm: Int16Array, from: number, to: number): number {
      let all = sum;
      for (let i = from; i < to; i++) {
        const s0 = pcm[i]! / 32768 - a1 * s1 - a2 * s2;
        const shelved = b0 * s0 + b1 * s1 + b2 * s2;
        s2 = s1;
        s1 = s0;
        const p0 = shelved - c1 * p1 - c2 * p2;
        const heard = p0 - 2 * p1 + p2;
        p2 = p1;
        p1 = p0;
        all += heard * heard;
      }
      return all;
    },
    /** What dies away in the filters for ever would cost a hundred times the time once it is too small to be normal. */
    settle(): void {
      if (Math.abs(s1) + Math.abs(s2) < 1e-25) [s1, s2] = [0, 0];
      if (Math.abs(p1) + Math.abs(p2) < 1e-25) [p1, p2] = [0, 0];
    },
  };
}

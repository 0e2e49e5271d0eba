/** The curve between the samples, looked at four times as often (BS.1770-4, annex 2), by a windowed sinc of 24 samples. */
const oversampling = 4;
const half = 12;

const phases = Array.from({ length: oversampling - 1 }, (_, index) => {
  const offset = (index + 1) / oversampling;
  const taps = Float64Array.from({ length: 2 * half }, (_, tap) => {
    const x = tap - (half - 1) - offset;
    // A Hann window over the sinc, a little wider than the taps.
    return (Math.sin(Math.PI * x) / (Math.PI * x)) * Math.cos((Math.PI * x) / (2 * (half + 0.5))) ** 2;
  });
  const sum = taps.reduce((a, b) => a + b, 0);
  return taps.map((tap) => tap / sum);
});
const [early, middle, late] = phases as [Float64Array, Float64Array, Float64Array];
/** No curve rises higher above its samples. */
const mostGain = Math.max(...phases.map((taps) => taps.reduce((sum, tap) => sum + Math.abs(tap), 0)));

const stretch = 64;
/** Stretches that may hold the peak are looked through in pieces of so many samples. */
const piece = 8;

export interface TruePeakMeter {
  push(pcm: Int16Array): void;
  /** 1 is full scale. */
  result(): number;
}

/** Quiet stretches, which can't hold the peak, are only looked at sample by sample. */
export function createTruePeakMeter(): TruePeakMeter {
  const window = new Float64Array(2 * half + stretch);
  let held = 0;
  let peak = 0;
  /** Of what is held, and of the stretch before it, from which the window's first samples are. */
  let largest = 0;
  let largestBefore = 0;

  function largestOf(from: number, to: number): number {
    let most = 0;
    for (let i = from; i < to; i++) {
      const value = Math.abs(window[i]!);
      if (value > most) most = value;
    }
    return most;
  }

  function look(from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const sample = Math.abs(window[i + half]!);
      let [first, second, third] = [0, 0, 0];
      for (let tap = 0; tap < 2 * half; tap++) {
        const value = window[i + 1 + tap]!;
        first += early[tap]! * value;
        second += middle[tap]! * value;
        third += late[tap]! * value;
      }
      peak = Math.max(peak, sample, Math.abs(first), Math.abs(second), Math.abs(third));
    }
  }

  function endStretch(): void {
    if (Math.max(largest, largestBefore) * mostGain > peak)
      for (let at = 0; at < stretch; at += piece)
        if (largestOf(at, at + piece + 2 * half) * mostGain > peak) look(at, at + piece);
    window.copyWithin(0, stretch);
    largestBefore = largest;
    largest = 0;
    held = 0;
  }

  function push(pcm: Int16Array): void {
    for (let at = 0; at < pcm.length; ) {
      const count = Math.min(stretch - held, pcm.length - at);
      for (let i = 0; i < count; i++) {
        const value = pcm[at + i]!;
        window[2 * half + held + i] = value;
        const size = value < 0 ? -value : value;
        if (size > largest) largest = size;
      }
      at += count;
      held += count;
      if (held === stretch) endStretch();
    }
  }

  return {
    push,
    result() {
      // The last samples have to come to the window's middle.
      push(new Int16Array(2 * half + stretch));
      return peak / 32768;
    },
  };
}

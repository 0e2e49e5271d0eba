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
/** No curve rises higher above its samples. */
const mostGain = Math.max(...phases.map((taps) => taps.reduce((sum, tap) => sum + Math.abs(tap), 0)));

const stretch = 64;

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

  function look(count: number): void {
    let largest = 0;
    for (let i = 0; i < 2 * half + count; i++) largest = Math.max(largest, Math.abs(window[i]!));
    if (largest * mostGain <= peak) return;
    for (let i = 0; i < count; i++) {
      peak = Math.max(peak, Math.abs(window[i + half]!));
      for (const taps of phases) {
        let value = 0;
        for (let tap = 0; tap < taps.length; tap++) value += taps[tap]! * window[i + 1 + tap]!;
        peak = Math.max(peak, Math.abs(value));
      }
    }
  }

  function take(sample: number): void {
    window[2 * half + held] = sample;
    held += 1;
    if (held < stretch) return;
    look(stretch);
    window.copyWithin(0, stretch);
    held = 0;
  }

  return {
    push(pcm) {
      for (let i = 0; i < pcm.length; i++) take(pcm[i]!);
    },
    result() {
      // The last samples have to come to the window's middle.
      for (let i = 0; i < 2 * half + stretch; i++) take(0);
      return peak / 32768;
    },
  };
}

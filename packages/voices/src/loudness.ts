import { RhapsodeError } from '@rhapsode/contracts';

/** Where the limiter begins to bend. */
const knee = 0.8;
/** Peak that a voice's calibration sentence gets. */
const targetPeak = 0.7;

/** A voice's own gain, fixed: a peak that is found at the end of a sentence can't be used at its beginning. */
export const gainFor = (peak: number): number => (peak > 1e-4 ? Math.min(20, targetPeak / peak) : 1);

/** Each sample by itself, so that windows do not matter. Throws `engine_output_invalid` for what is no number. */
export function toPcm(audio: Float32Array, gain: number): Int16Array {
  const pcm = new Int16Array(audio.length);
  for (let i = 0; i < audio.length; i++) {
    const value = audio[i]! * gain;
    const size = Math.abs(value);
    if (!(size < Infinity)) throw new RhapsodeError('engine_output_invalid');
    const limited = size <= knee ? size : knee + (1 - knee) * Math.tanh((size - knee) / (1 - knee));
    pcm[i] = Math.round((value < 0 ? -limited : limited) * 32_767);
  }
  return pcm;
}

export const peakOf = (audio: Float32Array): number => {
  let peak = 0;
  for (const value of audio) if (Math.abs(value) > peak) peak = Math.abs(value);
  return peak;
};

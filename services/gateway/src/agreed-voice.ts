import type { VoiceInfo } from '@rhapsode/contracts';
import type { WorkerRecord } from '@rhapsode/store';

/**
 * What all workers of a pool together promise of a voice. Where they have other files of it, as in the middle of an update, or
 * compute on processors that add up in another order, a sentence that one takes over from another would not go on at the very sample:
 * so it is delivered when one of them has spoken all of it.
 */
export function agreedVoice(voice: VoiceInfo, workers: readonly WorkerRecord[]): VoiceInfo {
  const all = workers.flatMap((worker) => worker.voices.filter(({ id }) => id === voice.id));
  const agreed = all.every(
    ({ digest, kernels, deterministic }) =>
      digest === voice.digest && kernels === voice.kernels && deterministic === voice.deterministic,
  );
  if (agreed || !voice.deterministic) return voice;
  return {
    ...voice,
    deterministic: false,
    capabilities: { ...voice.capabilities, streaming: false },
    note: 'delivered by the sentence: the workers of its pool differ in its files, their processors or their threads',
  };
}

import type { Mark, SpeechSettings, UtteranceClass } from '@rhapsode/contracts';

/**
 * An engine speaks one sentence at a time into PCM.
 *
 * Promises
 * - Pieces come in order: mono, signed 16-bit at the voice's rate, each at most one second; then exactly one `end`.
 *   A text with nothing to say gives no audio and an `end` with 0 samples.
 * - The engine works ahead of its consumer by a few pieces at most.
 * - When the signal is aborted it stops at the next piece and throws the signal's reason.
 * - Samples are finite; an engine that computed something else throws `engine_output_invalid`.
 * - For a voice declared deterministic, equal `voice, text, segment, seed, speed, speaker, settings, class` give equal
 *   samples, in whatever pieces, in every process. `segment` matters to the test engine only. Another `class` or
 *   `chunk_seconds` changes a sample by at most one; none at all where the machine's arithmetic was found to allow it.
 */
export interface Engine {
  speak(request: SpeakRequest, signal: AbortSignal): AsyncIterable<SpeechPiece>;
  close(): Promise<void>;
}

export interface SpeakRequest {
  /** The voice's own id. */
  readonly voice: string;
  readonly text: string;
  readonly segment: number;
  readonly seed: number;
  readonly speed: number;
  readonly speaker?: string | undefined;
  readonly settings?: SpeechSettings | undefined;
  readonly class: UtteranceClass;
}

export type SpeechPiece =
  | { readonly type: 'audio'; readonly pcm: Int16Array }
  | { readonly type: 'end'; readonly facts: SegmentFacts };

export interface SegmentFacts {
  readonly samples: number;
  readonly marksFrom: 'model' | 'estimated' | 'none';
  readonly marks: readonly Mark[];
  /** Phonemes that the voice does not know and left out. */
  readonly unknownPhonemes?: readonly string[];
}

import { createHash } from 'node:crypto';
import type { SpeechSettings } from '@rhapsode/contracts';

/** How a sentence is spoken: a voice and all that changes its sound. Frozen when the book is accepted. */
export interface VoiceChoice {
  readonly voice: string;
  readonly digest: string;
  readonly deterministic: boolean;
  readonly sampleRateHz: number;
  readonly pool: string;
  readonly speaker?: string | undefined;
  readonly speed: number;
  readonly settings?: SpeechSettings | undefined;
}

/** Raised when the same request would be spoken otherwise by this version of the program. */
const version = 1;

/**
 * Names the audio of a sentence by all that it depends on. The text is what is said, so lexicon, normalisation and written
 * phonemes are in it already: another version of a lexicon changes the key of those sentences only that it changes.
 */
export function contentKey(spoken: string, choice: VoiceChoice, seed: number): string {
  const { voice, digest, speaker, speed, settings, sampleRateHz } = choice;
  const other = Object.entries(settings ?? {})
    .filter(([, value]) => value !== undefined)
    .sort();
  const all = [version, spoken, voice, digest, speaker ?? null, speed, seed, sampleRateHz, other];
  return createHash('sha256').update(JSON.stringify(all)).digest('hex');
}

/** What the engine is told instead of the sentence's number; see `Segment.place`. */
export const placeOf = (key: string): number => Number.parseInt(key.slice(0, 8), 16) & 0x7fff_ffff;

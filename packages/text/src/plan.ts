import type { PlanWarning } from './documents/document.ts';
import type { Lexicon } from './lexicon.ts';
import type { Override } from './overrides.ts';
import type { Pauses } from './pauses.ts';
import type { MapPiece } from './spoken.ts';

/** A sentence (or clause of a very long one) of a source text, and what the voice is to say for it. */
export interface PlannedSegment {
  /** Span of the source in UTF-16 code units, [start, end). The spans of a text tile it. */
  readonly start: number;
  readonly end: number;
  /** The exact source. */
  readonly source: string;
  /** What is to be spoken; empty where there is nothing to say. */
  readonly spoken: string;
  /** Which part of `source` each part of `spoken` comes from; offsets within the two strings. */
  readonly map: readonly MapPiece[];
  /** What ends it. */
  readonly ends: SegmentEnd;
  /** Silence after it. */
  readonly pauseMs: number;
  readonly estimatedMs: number;
}

/**
 * `clause`: the sentence goes on in the next segment. `line`: of verse, of an address. `scene`: nothing to say, as `* * *`.
 * `pause`: a pause that the text asks for. `end`: the text ends.
 */
export type SegmentEnd =
  | 'clause'
  | 'sentence'
  | 'line'
  | 'item'
  | 'quote'
  | 'paragraph'
  | 'heading'
  | 'scene'
  | 'chapter'
  | 'pause'
  | 'end';

export interface PlanOptions {
  /** BCP 47; `en` if absent. */
  readonly locale?: string | undefined;
  /** `short` gives a listener the first clause of a long first sentence at once. `full` by default. */
  readonly firstSegment?: 'short' | 'full';
  /** Most of a segment's spoken text, as `measure` counts it; code points if there is no `measure`. */
  readonly maxLength?: number;
  /** What a voice counts: its tokens for a text. */
  readonly measure?: (spoken: string) => number;
  readonly normalise?: 'auto' | 'on' | 'off';
  /** Milliseconds of silence for each kind of ending. */
  readonly pauses?: Partial<Pauses>;
  /** Words said otherwise; the first lexicon that knows one decides. */
  readonly lexicons?: readonly Lexicon[];
  /** Obey `[pause:1.5s]` and `[word](/ipa/)`. */
  readonly inline?: boolean;
  /** What of this the voice can do. What it can't is told to `warn`. */
  readonly can?: VoiceCan;
  readonly warn?: (warning: PlanWarning) => void;
  /** What is to be said for stretches of the text, in order; offsets are the text's. */
  readonly told?: readonly Override[];
}

/** Nothing, unless it is said. */
export interface VoiceCan {
  /** Takes sounds in IPA, written `[[ˈwɜːd]]`. */
  readonly phonemes?: boolean;
  readonly rate?: boolean;
  readonly pitch?: boolean;
  readonly volume?: boolean;
  readonly emphasis?: boolean;
  /** Names of other voices that a text may switch to. */
  readonly voices?: readonly string[];
  /** Languages besides its own. */
  readonly languages?: readonly string[];
}

export { createPlanner, type Planner, planText } from './planner.ts';

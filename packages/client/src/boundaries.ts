import type { ServerMessageOf } from '@rhapsode/contracts/session';

/** Where a word (or whatever the voice marks) begins in the audio and in the text. */
export interface Boundary {
  readonly type: 'word' | 'phoneme' | 'sentence';
  /** As it stands in the text that was fed. */
  readonly text: string;
  /** Its place there, in UTF-16 code units. */
  readonly start: number;
  readonly end: number;
  /** From the start of the utterance. */
  readonly sample: number;
  readonly seconds: number;
  readonly durationSeconds: number;
  readonly segment: number;
  /** By the voice's model; otherwise from the lengths of the words. */
  readonly isExact: boolean;
}

export function boundariesOf(
  sentence: ServerMessageOf<'segment_start'>,
  { marks, marks_from, segment }: ServerMessageOf<'segment_end'>,
  voiceRateHz: number,
): Boundary[] {
  return marks.map(({ type, start = sentence.start, end = sentence.end, sample, samples, seconds }) => ({
    type,
    text: (sentence.text ?? sentence.spoken).slice(start - sentence.start, end - sentence.start),
    start,
    end,
    sample,
    seconds,
    durationSeconds: samples / voiceRateHz,
    segment,
    isExact: marks_from === 'model',
  }));
}

/** Boundaries that wait for their sample to be reached; they come in its order. */
export interface BoundaryLine {
  add(boundaries: readonly Boundary[]): void;
  /** All samples before `sample` were given or heard. */
  reach(sample: number): void;
}

export function createBoundaryLine(tell: (boundary: Boundary) => void): BoundaryLine {
  let waiting: Boundary[] = [];
  let reached = 0;
  function settle(): void {
    const due = waiting.findIndex(({ sample }) => sample >= reached);
    const told = due < 0 ? waiting : waiting.slice(0, due);
    waiting = due < 0 ? [] : waiting.slice(due);
    for (const boundary of told) tell(boundary);
  }
  return {
    add(boundaries) {
      waiting = waiting.concat(boundaries);
      settle();
    },
    reach(sample) {
      reached = sample;
      settle();
    },
  };
}

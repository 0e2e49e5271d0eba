import type { Segment } from './utterance.ts';

/** Which part of a text is meant: [start, end) in UTF-16 code units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * The part of the utterance's whole text that a part of a segment's spoken text stands for. What was written otherwise than
 * it is said (`$10`) is one piece and is answered whole.
 */
export function sourceSpan(
  { start, text, map }: Pick<Segment, 'start' | 'text' | 'map'>,
  spoken: Span,
): Span {
  const pieces = map ?? [0, text.length, 0, text.length];
  let from: number | undefined;
  let to = 0;
  for (let at = 0; at + 3 < pieces.length; at += 4) {
    const [sourceStart, sourceEnd, spokenStart, spokenEnd] = pieces.slice(at, at + 4) as [
      number,
      number,
      number,
      number,
    ];
    if (spokenEnd <= spoken.start || spokenStart >= spoken.end) continue;
    const asWritten = sourceEnd - sourceStart === spokenEnd - spokenStart;
    from ??= asWritten ? sourceStart + Math.max(0, spoken.start - spokenStart) : sourceStart;
    to = asWritten ? sourceStart + Math.min(spokenEnd, spoken.end) - spokenStart : sourceEnd;
  }
  return from === undefined ? { start, end: start } : { start: start + from, end: start + to };
}

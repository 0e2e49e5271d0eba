import type { SegmentEnd } from './plan.ts';

/** Milliseconds of silence after a segment, by what ends it. */
export type Pauses = Readonly<Record<Exclude<SegmentEnd, 'pause'>, number>>;

export const defaultPauses: Pauses = {
  clause: 120,
  sentence: 350,
  line: 250,
  item: 400,
  quote: 600,
  paragraph: 700,
  heading: 900,
  scene: 1200,
  chapter: 2000,
  end: 0,
};

/** The usual pauses with another one after sentences; no other ending of a sentence pauses for less than that. */
export function pausesWithSentence(ms: number): Pauses {
  const { clause, end, ...others } = defaultPauses;
  const longer = Object.entries(others).map(([kind, usual]) => [kind, Math.max(usual, ms)]);
  return { clause, end, ...(Object.fromEntries(longer) as typeof others), sentence: ms };
}

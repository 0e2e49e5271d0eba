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

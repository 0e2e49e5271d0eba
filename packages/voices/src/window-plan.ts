/** How a sentence is divided. Any way gives the same samples of a voice whose windows agree (see onnx/prepare.ts). */
export interface WindowPace {
  /** Frames of the first window. */
  readonly first: number;
  /** Each window is so much longer than the one before … */
  readonly growth: number;
  /** … up to this. */
  readonly most: number;
  /** Inner parts of the voice compute so many times what is asked for, the first of them so many times … */
  readonly ahead: number;
  readonly aheadFirst: number;
  /** … up to so many frames. */
  readonly mostAhead: number;
  /** Runs of the vocoder are so many frames long or a multiple; 1 if it is not given. */
  readonly runStep?: number | undefined;
  /** Frames that can be made before the listener has heard all there is; as many as the plan likes if it is not given. */
  readonly possible?: (() => number) | undefined;
}

/** Windows that are computed together have one of few lengths: they would seldom meet else. */
export const runStep = 16;

/**
 * For a listener the first window is short and the next ones grow; for bulk they are long and equal, as every window costs
 * its context again.
 */
export const windowPaces = {
  interactive: { first: 24, growth: 2, most: 256, ahead: 2, aheadFirst: 6, mostAhead: 512 },
  bulk: { first: 1024, growth: 1, most: 1024, ahead: 1, aheadFirst: 1, mostAhead: 1024 },
} as const satisfies Record<string, WindowPace>;

/** A listener who asks for chunks of some length gets the first one as soon as it can be. */
export function windowPaceFor(
  kind: keyof typeof windowPaces,
  chunkSeconds: number | undefined,
  framesPerSecond: number,
): WindowPace {
  const pace = windowPaces[kind];
  if (kind === 'bulk' || chunkSeconds === undefined) return pace;
  const first = Math.ceil(chunkSeconds * framesPerSecond);
  return { ...pace, first, most: Math.max(first, pace.most) };
}

/** A last window shorter than this is part of the one before it. */
const leastTail = 12;
/** A sentence no longer than this is one window: dividing it would gain a few milliseconds. */
const leastDivided = 64;

/** Where the window that begins at `from` ends. `previous` is the length of the one before it. */
export function nextEnd(
  pace: WindowPace,
  frames: number,
  from: number,
  previous: number | undefined,
): number {
  if (frames <= leastDivided) return frames;
  const { first, growth, most, possible = () => Infinity } = pace;
  let size = first;
  if (growth === 1) size = Math.ceil((frames - from) / Math.ceil((frames - from) / most));
  else if (previous !== undefined)
    size = Math.min(most, Math.max(first, Math.floor(Math.min(previous * growth, possible()))));
  return frames - (from + size) < leastTail ? frames : from + size;
}

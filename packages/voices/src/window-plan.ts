export interface WindowPlan {
  /** Frames of the first window. */
  readonly first: number;
  /** Each window is so much longer than the one before … */
  readonly growth: number;
  /** … up to this. */
  readonly most: number;
}

/**
 * For a listener the first window is short and the next ones grow no faster than they are made while the one before is
 * heard; for bulk they are long and equal, as every window costs its context again.
 *
 * A plan must not depend on anything measured: other windows give other roundings of the last bit, and a second
 * attempt on another machine has to give the same samples.
 */
export const windowPlans = {
  interactive: { first: 24, growth: 2, most: 256 },
  bulk: { first: 1024, growth: 1, most: 1024 },
} as const satisfies Record<string, WindowPlan>;

/** A listener who asks for chunks of some length gets the first one as soon as it can be. */
export function windowPlanFor(
  kind: keyof typeof windowPlans,
  chunkSeconds: number | undefined,
  framesPerSecond: number,
): WindowPlan {
  const plan = windowPlans[kind];
  if (kind === 'bulk' || chunkSeconds === undefined) return plan;
  const first = Math.ceil(chunkSeconds * framesPerSecond);
  return { ...plan, first, most: Math.max(first, plan.most) };
}

/** A last window shorter than this is part of the one before it. */
const leastTail = 12;
/** A sentence no longer than this is one window: dividing it would gain a few milliseconds. */
const leastDivided = 64;

/** Ends of the windows of a sentence; the last is `frames`. */
export function windowEnds(plan: WindowPlan, frames: number): number[] {
  if (frames <= leastDivided) return frames > 0 ? [frames] : [];
  if (plan.growth === 1) {
    const count = Math.ceil(frames / plan.most);
    return Array.from({ length: count }, (_, i) => Math.round(((i + 1) * frames) / count));
  }
  const ends: number[] = [];
  let size: number = plan.first;
  for (let at = 0; at < frames; ) {
    const end = at + Math.round(size);
    at = frames - end < leastTail ? frames : end;
    ends.push(at);
    size = Math.min(plan.most, size * plan.growth);
  }
  return ends;
}

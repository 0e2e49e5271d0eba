import type { PlannedSegment } from './plan.ts';
import type { Planner } from './planner.ts';

export interface TimedPlanner {
  feed(text: string): void;
  flush(): void;
  finish(): void;
  /** Stops the timer; nothing more is shown. */
  close(): void;
}

/** Shows segments as they are found, and speaks what is held when no text has come for `idleMs`. */
export function createTimedPlanner(
  planner: Planner,
  show: (segments: readonly PlannedSegment[]) => void,
  idleMs: number,
): TimedPlanner {
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const stop = () => {
    clearTimeout(timer);
    timer = undefined;
  };
  const pass = (segments: readonly PlannedSegment[]) => {
    if (!closed && segments.length > 0) show(segments);
  };
  return {
    feed(text) {
      if (closed) return;
      stop();
      pass(planner.feed(text));
      timer = setTimeout(() => pass(planner.flush()), idleMs);
    },
    flush() {
      stop();
      pass(planner.flush());
    },
    finish() {
      stop();
      pass(planner.finish());
      closed = true;
    },
    close() {
      stop();
      closed = true;
    },
  };
}

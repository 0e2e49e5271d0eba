import { RhapsodeError } from '@rhapsode/contracts';
import { LockLost } from './port.ts';

/**
 * Why a run is to stop. A later reason replaces an earlier one only if it is stronger: a run that lost its lock may change
 * nothing in the queue any more, one that was cancelled must not be tried again, one that is drained goes back.
 */
export type StopReason = 'draining' | 'cancelled' | 'lock-lost';
const strength = { draining: 1, cancelled: 2, 'lock-lost': 3 } as const;

/** One run of a handler in this process. */
export interface Run {
  readonly id: string;
  readonly signal: AbortSignal;
  readonly stop: StopReason | undefined;
  /** Settles like `handled`; rejects when the handler still goes on a while after it was drained. */
  outcome(handled: Promise<void>): Promise<void>;
  lockLost(): void;
  /** What is left to do needs no slot. */
  freeSlot(): void;
  end(): void;
}

/** How long a drained handler may take to notice its signal. */
export const stopWithinMs = 1_000;

/** What runs in a consumer: the part that every adapter shares. `onRoom` is called when a run gives back its slot, and when it ends. */
export function createRunSet(slots: number, onRoom = () => {}) {
  const runs = new Set<Run & { abort(stop: StopReason, reason: unknown): void; giveUp(): void }>();
  /** Those that hold a slot. */
  const slotted = new Set<Run>();
  let touchedMs = performance.now();
  let whenEmpty = Promise.withResolvers<void>();

  const touch = () => {
    touchedMs = performance.now();
  };

  return {
    /** A job was taken or has ended, or the queue was empty. */
    touch,
    idleMs: () => performance.now() - touchedMs,
    /** Whether another may begin. Runs without a slot that do not end (their log is away) hold back others, too. */
    hasRoom: () => slotted.size < slots && runs.size < 2 * slots,
    /** A job that came back to the process that lost it may run here twice. */
    ids: () => [...new Set([...runs].map((run) => run.id))],

    begin(id: string): Run {
      const controller = new AbortController();
      const givenUp = Promise.withResolvers<never>();
      givenUp.promise.catch(() => {});
      let stop: StopReason | undefined;
      const run = {
        id,
        signal: controller.signal,
        get stop() {
          return stop;
        },
        abort(why: StopReason, reason: unknown) {
          if (stop === undefined || strength[why] > strength[stop]) stop = why;
          controller.abort(reason);
        },
        giveUp: () => givenUp.reject(controller.signal.reason),
        outcome: (handled: Promise<void>) => Promise.race([handled, givenUp.promise]),
        lockLost: () => run.abort('lock-lost', new LockLost(`the lock of job ${id} was lost`)),
        freeSlot() {
          if (slotted.delete(run)) onRoom();
        },
        end() {
          runs.delete(run);
          slotted.delete(run);
          touch();
          if (runs.size === 0) whenEmpty.resolve();
          onRoom();
        },
      };
      if (runs.size === 0) whenEmpty = Promise.withResolvers();
      runs.add(run);
      slotted.add(run);
      touch();
      return run;
    },

    abort(id: string, reason: unknown): boolean {
      const found = [...runs].filter((run) => run.id === id);
      for (const run of found) run.abort('cancelled', reason);
      return found.length > 0;
    },

    /** Waits for what runs; aborts it after `graceMs`, gives it up a while later. */
    async drain(graceMs: number): Promise<void> {
      if (runs.size === 0) return;
      const grace = setTimeout(() => {
        for (const run of runs) run.abort('draining', new RhapsodeError('draining'));
      }, graceMs);
      const patience = setTimeout(() => {
        for (const run of runs) run.giveUp();
      }, graceMs + stopWithinMs);
      await whenEmpty.promise;
      clearTimeout(grace);
      clearTimeout(patience);
    },
  };
}

export type RunSet = ReturnType<typeof createRunSet>;

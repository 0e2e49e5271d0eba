import type { Band, SentenceJob } from '@rhapsode/contracts';

/**
 * The queue of sentence jobs of one pool.
 *
 * Promises
 * - Adding a job whose id (`jobId`) is still known to the queue is a no-op; so adding is safe to repeat.
 * - Served first are jobs that come back from a worker which died or lost its lock, then retries of jobs whose handler
 *   threw, then lower bands before higher ones, first in first out within a band.
 * - At least once: a job may run twice, even at the same moment (a worker that was thought dead), and even in one process.
 *   `attempt` is higher on every start, whatever the reason, so that an older run can be fenced. How an older run ends
 *   changes nothing.
 * - A job ends as `completed` (the handler returned), or as `failed` (the handler threw a `PermanentFailure`, or threw on
 *   its last attempt, or was aborted by `abort(id)`, or its workers died too often: no handler sees that last end, only
 *   `states` tells). Ended jobs are forgotten after a while: `unknown`.
 * - A server without room has `add` fail with `queue_full`.
 * - Without the server, calls of the queue fail within about a second with `queue_unavailable`, and may or may not have had
 *   their effect; a consumer waits as long as it takes and goes on by itself.
 * - A handler that gives back its slot (`freeSlot`) goes on while another job begins. No more than twice `slots` run at once.
 * - `close()` of a consumer stops taking jobs at once and waits for the running ones until `graceMs` is over; what still
 *   runs then is aborted and goes back to the head of its band without having used an attempt. A handler that does not
 *   stop when it is aborted is not waited for.
 */
export interface JobQueue {
  /** All or nothing is not promised; repeat the whole call on failure. */
  add(entries: readonly QueueEntry[]): Promise<void>;
  /** States in the order of `ids`. */
  states(ids: readonly string[]): Promise<JobState[]>;
  /** Removes those that are not running; ended ones are forgotten. Returns how many there were. */
  remove(ids: readonly string[]): Promise<number>;
  counts(): Promise<{ waiting: number; active: number }>;
  /** Greatest age, in seconds since it was added, of the jobs next in their band; 0 when none waits. Nothing is scanned. */
  oldestWaitSeconds(): Promise<number>;
  work(handler: JobHandler, options: WorkOptions): JobConsumer;
  /** Resolves when the connection answers; rejects with `queue_unavailable`. */
  ping(): Promise<void>;
  /** Closes consumers that are still open, without grace, and the connection. */
  close(): Promise<void>;
}

export interface QueueEntry {
  readonly job: SentenceJob;
  readonly band: Band;
}

export type JobState = 'waiting' | 'active' | 'completed' | 'failed' | 'unknown';

export interface Delivery {
  readonly job: SentenceJob;
  readonly id: string;
  /** Rises on every start of this job, from 1. */
  readonly attempt: number;
  /** If this run throws, there will be no other. */
  readonly lastAttempt: boolean;
  /** What is left to do needs no slot: another job may begin. */
  readonly freeSlot: () => void;
}

/**
 * Makes one segment. `signal` is aborted when the lock is lost (its reason is a `LockLost`), when the consumer's grace has
 * run out (a RhapsodeError `draining`) or by `abort(id, reason)`; the handler then stops as soon as it can, by throwing.
 */
export type JobHandler = (delivery: Delivery, signal: AbortSignal) => Promise<void>;

export interface WorkOptions {
  /** Who takes the jobs: told to whoever looks at one. */
  readonly name?: string;
  /** Jobs run at once, but for those that have given back their slot. */
  readonly slots: number;
  /** Called for what goes wrong outside of a job: connection lost, lock lost, a job given up unseen. Never throws. */
  readonly onError?: (error: unknown) => void;
}

export interface JobConsumer {
  /** Aborts a running job here, without a further attempt. False if it does not run here. */
  abort(id: string, reason: unknown): boolean;
  /** Ids of the jobs that run now. */
  running(): string[];
  /** Milliseconds (monotonic) since a job was last taken or ended, or the queue was last seen empty. */
  idleMs(): number;
  close(options: { graceMs: number }): Promise<void>;
}

/** Reason of a run's signal: another worker may run the job by now; what this run still makes is of no use. */
export class LockLost extends Error {
  override readonly name = 'LockLost';
}

/** Thrown by a handler: do not try this job again. */
export class PermanentFailure extends Error {
  override readonly name = 'PermanentFailure';
}

export const queueDefaults = {
  lockDurationMs: 3_000,
  stalledIntervalMs: 1_000,
  /** A job whose workers died this often is not tried again. */
  maxStalledCount: 4,
  attempts: 4,
  /** The second attempt follows at once, perhaps elsewhere; the third waits this long, each later one twice as long. */
  retryDelayMs: 500,
} as const;
export type QueueSettings = { [K in keyof typeof queueDefaults]: number };

/** Wait before the next attempt of a job whose handler has thrown this often. */
export const retryDelayMs = (thrown: number, settings: QueueSettings): number =>
  thrown <= 1 ? 0 : settings.retryDelayMs * 2 ** (thrown - 2);

/** How long ended jobs are remembered: the newest `count`, for `ageSeconds`. */
export const remembered = {
  completed: { count: 10_000, ageSeconds: 600 },
  failed: { count: 10_000, ageSeconds: 86_400 },
} as const;

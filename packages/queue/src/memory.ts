import { type Band, bands, jobId, RhapsodeError, type SentenceJob } from '@rhapsode/contracts';
import { createLanes } from './lanes.ts';
import {
  type JobConsumer,
  type JobHandler,
  type JobQueue,
  type JobState,
  PermanentFailure,
  type QueueSettings,
  queueDefaults,
  remembered,
  retryDelayMs,
  type WorkOptions,
} from './port.ts';
import { createRunSet, type Run } from './run-set.ts';

/** What can go wrong with a queue behind a network, on demand. */
export interface QueueFaults {
  /**
   * The worker of a running job silently loses its lock: the job is served again before all others while the older run
   * goes on; how that one ends is ignored. With `noticed`, the older run's signal is aborted. False if it does not run.
   */
  stall(id: string, options?: { noticed?: boolean }): boolean;
  /** The next job that is taken stalls in that very moment: two attempts run side by side from the start. */
  duplicateNext(): void;
  /** The next handler's return does not reach the queue: its job is served again although all its work is done. */
  loseNextCompletion(): void;
  /** The next `add` stores its jobs and then rejects. */
  failNextAdd(): void;
  /** While unavailable, calls reject and no job is taken; running ones go on. */
  setAvailable(available: boolean): void;
}

export interface MemoryQueue extends JobQueue {
  readonly faults: QueueFaults;
}

/**
 * A job's way: waiting -> active -> completed | failed. From active it goes back to waiting when its handler throws (retry
 * rank, perhaps after a delay), when it is drained (front of its band) and when it stalls (before all others).
 */
interface Entry {
  readonly id: string;
  readonly job: SentenceJob;
  readonly addedAtMs: number;
  rank: number;
  state: Exclude<JobState, 'unknown'>;
  /** The run whose end counts; older ones are ignored. */
  owner?: Run | undefined;
  starts: number;
  throws: number;
  stalls: number;
  retryTimer?: NodeJS.Timeout | undefined;
}

/** Before every band: jobs that their workers lost. */
const stalledRank = 0;

/** A queue in this process: the same promises as the distributed one, but its jobs end with the process. */
export function createMemoryQueue(given: Partial<QueueSettings> = {}): MemoryQueue {
  const settings: QueueSettings = { ...queueDefaults, ...given };
  const entries = new Map<string, Entry>();
  const lanes = createLanes<Entry>();
  /** Jobs between two attempts. */
  const delayed = new Set<Entry>();
  const ended = { completed: new Map<Entry, number>(), failed: new Map<Entry, number>() };
  const consumers = new Set<{ take(): boolean; close(): Promise<void> }>();
  let available = true;
  let closed = false;
  let served = false;
  const once = { duplicate: false, loseCompletion: false, failAdd: false };

  async function reachable(): Promise<void> {
    if (!available || closed) throw new RhapsodeError('queue_unavailable');
  }

  function serveSoon(): void {
    if (served) return;
    served = true;
    setImmediate(() => {
      served = false;
      // One job each in turn, so that consumers share what waits.
      while ([...consumers].map((consumer) => consumer.take()).includes(true));
    });
  }

  function wait(entry: Entry, rank: number, place: 'front' | 'back'): void {
    entry.state = 'waiting';
    entry.owner = undefined;
    if (place === 'front') lanes.pushFront(entry, rank);
    else lanes.push(entry, rank);
    serveSoon();
  }

  function end(entry: Entry, state: 'completed' | 'failed'): void {
    entry.state = state;
    entry.owner = undefined;
    const { count, ageSeconds } = remembered[state];
    const nowMs = performance.now();
    ended[state].set(entry, nowMs);
    for (const [oldest, endedAtMs] of ended[state]) {
      if (ended[state].size <= count && nowMs - endedAtMs <= ageSeconds * 1000) break;
      forget(oldest);
    }
  }

  function forget(entry: Entry): void {
    entries.delete(entry.id);
    ended.completed.delete(entry);
    ended.failed.delete(entry);
    delayed.delete(entry);
    clearTimeout(entry.retryTimer);
    lanes.remove(entry);
  }

  function stall(entry: Entry): void {
    entry.stalls++;
    wait(entry, stalledRank, 'back');
  }

  function retry(entry: Entry): void {
    entry.rank = bands.retry;
    const delayMs = retryDelayMs(entry.throws, settings);
    if (delayMs === 0) {
      wait(entry, entry.rank, 'back');
      return;
    }
    entry.state = 'waiting';
    entry.owner = undefined;
    delayed.add(entry);
    entry.retryTimer = setTimeout(() => {
      delayed.delete(entry);
      wait(entry, entry.rank, 'back');
    }, delayMs);
  }

  function returned(entry: Entry, run: Run): void {
    if (entry.owner !== run) return;
    if (once.loseCompletion) {
      once.loseCompletion = false;
      stall(entry);
    } else end(entry, 'completed');
  }

  function threw(entry: Entry, run: Run, error: unknown): void {
    if (entry.owner !== run) return;
    if (run.stop === 'draining') {
      wait(entry, entry.rank, 'front');
      return;
    }
    entry.throws++;
    const final =
      run.stop === 'cancelled' || error instanceof PermanentFailure || entry.throws >= settings.attempts;
    if (final) end(entry, 'failed');
    else retry(entry);
  }

  function work(handler: JobHandler, { slots, onError }: WorkOptions): JobConsumer {
    const runs = createRunSet(slots, serveSoon);
    let closing: Promise<void> | undefined;

    async function start(entry: Entry): Promise<void> {
      const run = runs.begin(entry.id);
      entry.state = 'active';
      entry.owner = run;
      entry.starts++;
      const delivery = {
        job: { ...entry.job },
        id: entry.id,
        attempt: entry.starts,
        lastAttempt: entry.throws + 1 >= settings.attempts,
        freeSlot: run.freeSlot,
      };
      if (once.duplicate) {
        once.duplicate = false;
        stall(entry);
      }
      try {
        await run.outcome(handler(delivery, run.signal));
        returned(entry, run);
      } catch (error) {
        threw(entry, run, error);
      } finally {
        run.end();
      }
    }

    const consumer = {
      take(): boolean {
        if (closing !== undefined || !available || !runs.hasRoom()) return false;
        const entry = lanes.take();
        if (entry === undefined) {
          runs.touch();
          return false;
        }
        if (entry.stalls > settings.maxStalledCount) {
          end(entry, 'failed');
          onError?.(
            new RhapsodeError('engine_crashed', { message: `workers of job ${entry.id} died too often` }),
          );
        } else void start(entry);
        return true;
      },
      close: () => close({ graceMs: 0 }),
    };
    consumers.add(consumer);
    serveSoon();

    function close({ graceMs }: { graceMs: number }): Promise<void> {
      closing ??= runs.drain(graceMs).finally(() => consumers.delete(consumer));
      return closing;
    }

    return {
      abort: runs.abort,
      running: runs.ids,
      idleMs: () => (lanes.size() === 0 && runs.hasRoom() && closing === undefined ? 0 : runs.idleMs()),
      close,
    };
  }

  return {
    async add(added) {
      await reachable();
      for (const { job, band } of added) {
        const id = jobId(job.utterance, job.segment, job.generation);
        if (entries.has(id)) continue;
        const entry = newEntry(id, job, band);
        entries.set(id, entry);
        wait(entry, band, 'back');
      }
      if (!once.failAdd) return;
      once.failAdd = false;
      throw new RhapsodeError('queue_unavailable');
    },
    async states(ids) {
      await reachable();
      return ids.map((id) => entries.get(id)?.state ?? 'unknown');
    },
    async remove(ids) {
      await reachable();
      const found = ids.map((id) => entries.get(id)).filter((entry) => entry !== undefined);
      const idle = found.filter((entry) => entry.state !== 'active');
      idle.forEach(forget);
      return idle.length;
    },
    async counts() {
      await reachable();
      const known = entries.size - ended.completed.size - ended.failed.size;
      const waiting = lanes.size() + delayed.size;
      return { waiting, active: known - waiting };
    },
    async oldestWaitSeconds() {
      await reachable();
      const added = [...lanes.fronts(), ...delayed].map((entry) => entry.addedAtMs);
      return added.length === 0 ? 0 : (performance.now() - Math.min(...added)) / 1000;
    },
    work,
    ping: reachable,
    async close() {
      closed = true;
      await Promise.all([...consumers].map((consumer) => consumer.close()));
      for (const entry of delayed) clearTimeout(entry.retryTimer);
    },
    faults: {
      stall(id, { noticed = false } = {}) {
        const entry = entries.get(id);
        const owner = entry?.owner;
        if (entry === undefined || owner === undefined) return false;
        stall(entry);
        if (noticed) owner.lockLost();
        return true;
      },
      duplicateNext() {
        once.duplicate = true;
      },
      loseNextCompletion() {
        once.loseCompletion = true;
      },
      failNextAdd() {
        once.failAdd = true;
      },
      setAvailable(now) {
        available = now;
        if (available) serveSoon();
      },
    },
  };
}

const newEntry = (id: string, job: SentenceJob, band: Band): Entry => ({
  id,
  job: { ...job },
  addedAtMs: performance.now(),
  rank: band,
  state: 'waiting',
  starts: 0,
  throws: 0,
  stalls: 0,
});

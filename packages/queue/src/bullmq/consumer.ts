import { setTimeout as sleep } from 'node:timers/promises';
import { bands, RhapsodeError, type SentenceJob, sentenceJob } from '@rhapsode/contracts';
import { redisError, redisWord } from '@rhapsode/contracts/redis-refusal';
import { type Job, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import {
  type JobConsumer,
  type JobHandler,
  PermanentFailure,
  type QueueSettings,
  retryDelayMs,
  type WorkOptions,
} from '../port.ts';
import { createRunSet, type Run, stopWithinMs } from '../run-set.ts';
import { connectWorker, isConnectionError } from './connection.ts';
import { keepLock } from './lock.ts';

export interface ConsumerOptions extends WorkOptions {
  readonly url: string;
  readonly queue: string;
  readonly prefix: string;
  readonly settings: QueueSettings;
}

/** How long the last words to the server may take when a consumer closes. */
const farewellMs = 2_000;
/** A server that refuses to give a job (out of memory, a replica) is not asked again at once. */
const refusedPauseMs = 500;

export function createConsumer(handler: JobHandler, options: ConsumerOptions): JobConsumer {
  const { settings } = options;
  const connection = connectWorker(options.url);
  const runs = createRunSet();
  let closing: Promise<void> | undefined;
  /** What keeps the server from serving, as it was told last. */
  let outage: string | undefined;

  function report(error: unknown): void {
    const kind = isConnectionError(error) ? 'away' : redisWord(error);
    if (kind === undefined || kind === 'ERR') {
      options.onError?.(error);
      return;
    }
    // One report for each outage, not one for each try.
    if (outage === kind || closing !== undefined) return;
    outage = kind;
    options.onError?.(redisError('queue', error));
  }

  class WatchedWorker extends Worker<SentenceJob, void> {
    /** The one place that sees both a job taken and a queue found empty; BullMQ's `drained` tells only the first time. */
    protected override async moveToActive(token: string, name?: string) {
      try {
        const job = await super.moveToActive(token, name);
        outage = undefined;
        runs.touch();
        return job;
      } catch (error) {
        if (!isConnectionError(error) && closing === undefined) await sleep(refusedPauseMs);
        throw error;
      }
    }
  }

  async function process(job: Job<SentenceJob, void>, token: string): Promise<void> {
    // Was on its way when the consumer was closed.
    if (closing !== undefined) throw await handBack(job, token);
    const parsed = sentenceJob.safeParse(job.data);
    if (!parsed.success) throw new UnrecoverableError(`not a sentence job: ${parsed.error.message}`);
    const run = runs.begin(job.id!);
    const lock = keepLock({
      durationMs: settings.lockDurationMs,
      renew: async () => (await job.extendLock(token, settings.lockDurationMs)) === 1,
      onLost: run.lockLost,
      onError: report,
    });
    const lastAttempt = job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
    const delivery = { job: parsed.data, id: job.id!, attempt: job.attemptsStarted, lastAttempt };
    try {
      await run.outcome(handler(delivery, run.signal));
      if (run.stop === 'lock-lost') throw run.signal.reason;
    } catch (error) {
      throw await verdict(job, token, run, lastAttempt, error);
    } finally {
      lock.release();
      run.end();
    }
  }

  /** What BullMQ is to do with a run that did not make its job: the kind of error that it is thrown decides. */
  async function verdict(
    job: Job<SentenceJob, void>,
    token: string,
    run: Run,
    lastAttempt: boolean,
    thrown: unknown,
  ): Promise<Error> {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    if (run.stop === 'lock-lost') {
      report(thrown);
      // The job belongs to somebody else: leave it alone.
      return new WaitingError();
    }
    if (run.stop === 'draining') return handBack(job, token);
    if (run.stop === 'cancelled' || error instanceof PermanentFailure)
      return new UnrecoverableError(error.message);
    // A retry goes to the end of its priority: give it the one before all others.
    if (!lastAttempt && job.priority !== bands.retry) await job.changePriority({ priority: bands.retry });
    return error;
  }

  /** To the front of its priority, without having used an attempt. */
  async function handBack(job: Job<SentenceJob, void>, token: string): Promise<Error> {
    try {
      await job.moveToWait(token);
    } catch (error) {
      // The lock is lost: the job goes back by itself.
      report(error);
    }
    return new WaitingError();
  }

  const worker = new WatchedWorker(
    options.queue,
    // BullMQ's own signal would belong to the job's id; a run has its own.
    (job: Job<SentenceJob, void>, token?: string) => process(job, token!),
    {
      connection: connection.client,
      prefix: options.prefix,
      ...(options.name === undefined ? {} : { name: options.name }),
      concurrency: options.slots,
      autorun: false,
      lockDuration: settings.lockDurationMs,
      stalledInterval: settings.stalledIntervalMs,
      maxStalledCount: settings.maxStalledCount,
      skipLockRenewal: true,
      drainDelay: 2,
      runRetryDelay: 1_000,
      settings: { backoffStrategy: (thrown) => retryDelayMs(thrown, settings) },
    },
  );
  worker.on('error', report);
  worker.on('failed', (job, error) => {
    if (job?.deferredFailure === undefined) return;
    report(new RhapsodeError('engine_crashed', { message: `job ${job.id} was given up: ${error.message}` }));
  });
  connection.client.on('ready', () => {
    if (outage === 'away') outage = undefined;
  });
  worker.run().catch(report);

  async function close(graceMs: number): Promise<void> {
    // BullMQ stops taking jobs now, and waits without limit; the runs are drained here.
    const closed = worker.close().catch(report);
    const deadline = new AbortController();
    await Promise.race([
      Promise.all([closed, runs.drain(graceMs)]),
      sleep(graceMs + stopWithinMs + farewellMs, undefined, { signal: deadline.signal }).catch(() => {}),
    ]);
    deadline.abort();
    connection.disconnect();
  }

  return {
    abort: runs.abort,
    running: runs.ids,
    idleMs: runs.idleMs,
    close: ({ graceMs }) => {
      closing ??= close(graceMs);
      return closing;
    },
  };
}

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
/** A server that is away, or refuses to give a job (out of memory, a replica), is not asked again at once. */
const takePauseMs = 500;
const endPauseMs = 1_000;

export function createConsumer(handler: JobHandler, options: ConsumerOptions): JobConsumer {
  const { settings } = options;
  const connection = connectWorker(options.url);
  const runs = createRunSet(options.slots, () => wake());
  const runOf = new WeakMap<Job, Run>();
  const stopping = new AbortController();
  let closing: Promise<void> | undefined;
  let wake = () => {};
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

  class SlotWorker extends Worker<SentenceJob, void> {
    /** BullMQ's own loop takes a job when the one before is all done; this one as soon as there is room. */
    override async run(): Promise<void> {
      await this.startStalledCheckTimer();
      this.mainLoopRunning = this.takeForever();
      await this.mainLoopRunning;
    }

    private async takeForever(): Promise<void> {
      const inHand = new Set<Promise<unknown>>();
      for (let count = 0; closing === undefined; count++) {
        if (!runs.hasRoom()) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          continue;
        }
        try {
          const job = await this.getNextJob(`${this.id}:${count}`);
          if (job === undefined) {
            // While somebody limits the queue's rate BullMQ answers without having asked: others must have their turn.
            await sleep(1);
            continue;
          }
          const run = runs.begin(job.id!);
          runOf.set(job, run);
          const done = this.processJob(job, job.token!, () => false)
            .catch(report)
            .finally(() => {
              run.end();
              inHand.delete(done);
            });
          inHand.add(done);
        } catch (error) {
          report(error);
          // One job that can't be read is no reason to wait: it is taken, and the next one is asked for.
          const refused = isConnectionError(error) || redisWord(error) !== undefined;
          await sleep(refused ? takePauseMs : 1, undefined, { signal: stopping.signal }).catch(() => {});
        }
      }
      await Promise.all(inHand);
    }

    /** The one place that sees both a job taken and a queue found empty; BullMQ's `drained` tells only the first time. */
    protected override async moveToActive(token: string, name?: string) {
      const job = await super.moveToActive(token, name);
      outage = undefined;
      runs.touch();
      return job;
    }
  }

  async function process(job: Job<SentenceJob, void>, token: string): Promise<void> {
    // Was on its way when the consumer was closed.
    if (closing !== undefined) throw await handBack(job, token);
    const parsed = sentenceJob.safeParse(job.data);
    if (!parsed.success) throw new UnrecoverableError(`not a sentence job: ${parsed.error.message}`);
    const run = runOf.get(job)!;
    const lock = keepLock({
      durationMs: settings.lockDurationMs,
      renew: async () => (await job.extendLock(token, settings.lockDurationMs)) === 1,
      onLost: run.lockLost,
      onError: report,
    });
    const lastAttempt = job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
    const { freeSlot } = run;
    const delivery = { job: parsed.data, id: job.id!, attempt: job.attemptsStarted, lastAttempt, freeSlot };
    try {
      await run.outcome(handler(delivery, run.signal));
      if (run.stop === 'lock-lost') throw run.signal.reason;
    } catch (error) {
      throw await verdict(job, token, run, lastAttempt, error);
    } finally {
      lock.release();
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

  const worker = new SlotWorker(
    options.queue,
    // BullMQ's own signal would belong to the job's id; a run has its own.
    (job: Job<SentenceJob, void>, token?: string) => process(job, token!),
    {
      connection: connection.client,
      prefix: options.prefix,
      ...(options.name === undefined ? {} : { name: options.name }),
      autorun: false,
      lockDuration: settings.lockDurationMs,
      stalledInterval: settings.stalledIntervalMs,
      maxStalledCount: settings.maxStalledCount,
      skipLockRenewal: true,
      drainDelay: 2,
      runRetryDelay: endPauseMs,
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
    stopping.abort();
    wake();
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

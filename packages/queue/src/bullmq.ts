import { bands, jobId, queueName, type SentenceJob } from '@rhapsode/contracts';
import { Queue } from 'bullmq';
import { connectProducer } from './bullmq/connection.ts';
import { createConsumer } from './bullmq/consumer.ts';
import {
  type JobConsumer,
  type JobQueue,
  type JobState,
  type QueueSettings,
  queueDefaults,
  remembered,
} from './port.ts';

export interface BullmqQueueOptions {
  /** redis:// or rediss:// */
  readonly url: string;
  readonly pool: string;
  readonly settings?: Partial<QueueSettings>;
  /** First part of all keys. */
  readonly prefix?: string;
  /** How long a call may wait for the server. */
  readonly timeoutMs?: number;
}

/** Commands sent at once: short scripts in small crowds, so that nobody else's command waits long. */
const batch = 500;

/** Priority is the upper part of a waiting job's score, a counter the lower. */
const scoreOf = (band: number): string => String(band * 2 ** 32);

const stateOf: Record<string, JobState> = {
  prioritized: 'waiting',
  waiting: 'waiting',
  delayed: 'waiting',
  active: 'active',
  completed: 'completed',
  failed: 'failed',
};

/** Sentence jobs on Redis, by BullMQ. */
export function createBullmqQueue(options: BullmqQueueOptions): JobQueue {
  const { url, prefix = 'bull', timeoutMs = 1_000 } = options;
  const settings: QueueSettings = { ...queueDefaults, ...options.settings };
  const name = queueName(options.pool);
  const { client, ask } = connectProducer(url, timeoutMs);
  const consumers = new Set<JobConsumer>();
  let opened: Promise<Queue<SentenceJob>> | undefined;

  /** A queue whose first words to the server were cut off stays broken: such a one is thrown away. */
  function open(): Promise<Queue<SentenceJob>> {
    opened ??= (async () => {
      const queue = new Queue<SentenceJob>(name, { connection: client, prefix });
      queue.on('error', () => {});
      try {
        await queue.waitUntilReady();
        return queue;
      } catch (error) {
        opened = undefined;
        await queue.close();
        throw error;
      }
    })();
    return opened;
  }

  const withQueue = <T>(question: (queue: Queue<SentenceJob>) => Promise<T>) => ask(open, question);

  async function each<T>(
    ids: readonly string[],
    question: (queue: Queue, id: string) => Promise<T>,
  ): Promise<T[]> {
    const answers: T[] = [];
    for (let at = 0; at < ids.length; at += batch) {
      const part = ids.slice(at, at + batch);
      answers.push(...(await withQueue((queue) => Promise.all(part.map((id) => question(queue, id))))));
    }
    return answers;
  }

  const jobOptions = {
    attempts: settings.attempts,
    backoff: { type: 'custom' },
    removeOnComplete: { count: remembered.completed.count, age: remembered.completed.ageSeconds },
    removeOnFail: { count: remembered.failed.count, age: remembered.failed.ageSeconds },
    stackTraceLimit: 1,
  };

  return {
    async add(entries) {
      for (let at = 0; at < entries.length; at += batch) {
        const jobs = entries.slice(at, at + batch).map(({ job, band }) => ({
          name: 'sentence',
          data: job,
          opts: { ...jobOptions, jobId: jobId(job.utterance, job.segment, job.generation), priority: band },
        }));
        await withQueue((queue) => queue.addBulk(jobs));
      }
    },

    states: (ids) => each(ids, async (queue, id) => stateOf[await queue.getJobState(id)] ?? 'unknown'),

    async remove(ids) {
      // BullMQ says 1 for a job that it does not know, too.
      const known = await each(ids, async (queue, id) => (await client.exists(queue.toKey(id))) === 1);
      const there = ids.filter((_, index) => known[index]);
      const removed = await each(there, (queue, id) => queue.remove(id));
      return removed.filter((count) => count === 1).length;
    },

    counts: () =>
      withQueue(async (queue) => {
        const { wait, prioritized, delayed, active } = await queue.getJobCounts(
          'wait',
          'prioritized',
          'delayed',
          'active',
        );
        return { waiting: (wait ?? 0) + (prioritized ?? 0) + (delayed ?? 0), active: active ?? 0 };
      }),

    oldestWaitSeconds: () =>
      withQueue(async (queue) => {
        // The next of each band, the next of those that come back from a lost worker, the next of the delayed.
        const next = await Promise.all([
          ...Object.values(bands).map((band) =>
            client.zrange(
              queue.toKey('prioritized'),
              scoreOf(band),
              `(${scoreOf(band + 1)}`,
              'BYSCORE',
              'LIMIT',
              0,
              1,
            ),
          ),
          client.lrange(queue.toKey('wait'), -1, -1),
          client.zrange(queue.toKey('delayed'), '0', '0'),
        ]);
        const added = await Promise.all(next.flat().map((id) => client.hget(queue.toKey(id), 'timestamp')));
        const oldestMs = Math.min(Date.now(), ...added.filter((at) => at !== null).map(Number));
        return (Date.now() - oldestMs) / 1000;
      }),

    work(handler, workOptions) {
      const consumer = createConsumer(handler, { ...workOptions, url, queue: name, prefix, settings });
      consumers.add(consumer);
      return {
        ...consumer,
        close: (grace) => consumer.close(grace).finally(() => consumers.delete(consumer)),
      };
    },

    ping: () => withQueue(async () => void (await client.ping())),

    async close() {
      await Promise.all([...consumers].map((consumer) => consumer.close({ graceMs: 0 })));
      client.disconnect();
    },
  };
}

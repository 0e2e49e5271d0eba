import { jobId, queueName } from '@rhapsode/contracts';
import { Redis } from 'ioredis';

/** Name of the worker that has, or had last, a sentence: what BullMQ keeps with the job. */
export async function workerOf(
  redisUrl: string,
  utterance: string,
  segment: number,
  generation = 0,
): Promise<string | undefined> {
  const redis = new Redis(redisUrl);
  try {
    const key = `bull:${queueName('default')}:${jobId(utterance, segment, generation)}`;
    return (await redis.hget(key, 'pb')) ?? undefined;
  } finally {
    redis.disconnect();
  }
}

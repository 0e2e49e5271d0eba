import type { JobQueue } from '@rhapsode/queue';

/** The queues of all pools that this process has met, each opened once. */
export function createQueues(open: (pool: string) => JobQueue) {
  const queues = new Map<string, JobQueue>();
  return {
    of(pool: string): JobQueue {
      let queue = queues.get(pool);
      if (!queue) {
        queue = open(pool);
        queues.set(pool, queue);
      }
      return queue;
    },
    async close(): Promise<void> {
      await Promise.all([...queues.values()].map((queue) => queue.close()));
      queues.clear();
    },
  };
}

import { setTimeout as sleep } from 'node:timers/promises';
import { redisError } from '@rhapsode/contracts/redis-refusal';
import { Redis, type RedisOptions } from 'ioredis';

/** Quick at first, once a second in a long outage, and not all clients in step. */
const retryStrategy = (times: number): number =>
  Math.min(2 ** times * 10, 1_000) * (0.75 + Math.random() / 2);

/**
 * For callers that have to answer somebody: a command fails within `timeoutMs` whatever has become of the server, and
 * nothing is kept to be sent later.
 */
export function connectProducer(url: string, timeoutMs: number) {
  const client = new Redis(url, {
    retryStrategy,
    maxRetriesPerRequest: 1,
    enableOfflineQueue: false,
    commandTimeout: timeoutMs,
    // A server that still loads its data says so itself.
    enableReadyCheck: false,
  });
  // What goes wrong is told by the calls.
  let lastTrouble: unknown;
  client.on('error', (error) => {
    lastTrouble = error;
  });
  client.on('ready', () => {
    lastTrouble = undefined;
  });

  async function ready(deadlineMs: number): Promise<void> {
    if (client.status === 'ready') return;
    if (client.status === 'end') throw new Error('the queue is closed');
    const { promise, resolve } = Promise.withResolvers<void>();
    client.once('ready', resolve);
    try {
      await before(deadlineMs, promise);
    } finally {
      client.removeListener('ready', resolve);
    }
  }

  return {
    client,
    /** Asks once more when the connection breaks in between: a short restart of the server is not seen by callers. */
    async ask<C, T>(open: () => Promise<C>, question: (opened: C) => Promise<T>): Promise<T> {
      const deadlineMs = performance.now() + timeoutMs;
      for (;;) {
        try {
          await ready(deadlineMs);
          return await question(await before(deadlineMs, open()));
        } catch (cause) {
          const closed = client.status === 'end';
          if (closed || !isConnectionError(cause) || performance.now() > deadlineMs)
            throw redisError('queue', (client.status !== 'ready' && lastTrouble) || cause);
          await sleep(10);
        }
      }
    },
  };
}

async function before<T>(deadlineMs: number, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error('no connection in time')),
    deadlineMs - performance.now(),
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * For workers: commands wait for the server as long as it takes. A worker needs a second connection for its blocking reads,
 * which BullMQ makes with `duplicate()`; both are kept here, because BullMQ can't close one that is between two tries to
 * reconnect: it waits for an end that never comes.
 */
export function connectWorker(url: string) {
  const clients: Redis[] = [];
  let over = false;
  function keep(client: Redis): Redis {
    // BullMQ reports errors, until it is closed.
    client.on('error', () => {});
    clients.push(client);
    return client;
  }
  class WorkerClient extends Redis {
    override duplicate(override?: Partial<RedisOptions>): Redis {
      return keep(super.duplicate(override));
    }
  }
  const client = new WorkerClient(url, {
    retryStrategy: (times) => (over ? null : retryStrategy(times)),
    maxRetriesPerRequest: null,
    // A server that is gone without a word: longer than any blocking read.
    socketTimeout: 15_000,
  });
  keep(client);
  return {
    client,
    disconnect() {
      over = true;
      for (const each of clients) {
        // Its commands are rejected when the next try fails; `disconnect()` would take that try away and leave them pending.
        if (each.status === 'reconnecting') each.once('connect', () => each.disconnect());
        else each.disconnect();
      }
    },
  };
}

export const isConnectionError = (error: unknown): boolean =>
  error instanceof Error &&
  (/^E[A-Z]+$/.test((error as NodeJS.ErrnoException).code ?? '') ||
    /Connection is closed|Socket timeout|Stream isn't writeable|max retries per request/.test(error.message));

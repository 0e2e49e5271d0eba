import { connect } from '@nats-io/transport-node';
import { decodeEnvelope, headerName, type LogMessage, liveStreamSubjects } from '@rhapsode/contracts';
import { within } from './wait.ts';

/** A message as it passed on the bus, without its audio. */
export interface Seen {
  readonly utterance: string;
  readonly message: LogMessage;
  readonly atMs: number;
}

export interface LiveObserver {
  /** Everything so far, in order of arrival. */
  readonly seen: readonly Seen[];
  /** The first that matches, of those that were seen and those to come. */
  when(match: (seen: Seen) => boolean, what: string, timeoutMs?: number): Promise<Seen>;
  /** The next that matches, from now on. */
  next(match: (seen: Seen) => boolean, what: string, timeoutMs?: number): Promise<Seen>;
  close(): Promise<void>;
}

/** Listens to the live copy of every utterance's messages: what tests wait for before they kill something. */
export async function observeLive(natsUrl: string, shards: number): Promise<LiveObserver> {
  const connection = await connect({
    servers: natsUrl,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 50,
    reconnectJitter: 0,
  });
  const seen: Seen[] = [];
  const watchers = new Set<(one: Seen) => void>();
  for (let shard = 0; shard < shards; shard++)
    connection.subscribe(liveStreamSubjects(shard), {
      callback(error, message) {
        if (error !== null) return;
        const { message: decoded } = decodeEnvelope(message.headers?.get(headerName), message.data);
        const one = {
          utterance: message.subject.split('.').at(-1)!,
          message: decoded,
          atMs: performance.now(),
        };
        seen.push(one);
        for (const watch of watchers) watch(one);
      },
    });
  await connection.flush();

  async function next(match: (seen: Seen) => boolean, what: string, timeoutMs = 20_000): Promise<Seen> {
    const { promise, resolve } = Promise.withResolvers<Seen>();
    const watch = (one: Seen) => {
      if (match(one)) resolve(one);
    };
    watchers.add(watch);
    try {
      return await within(promise, { what, timeoutMs });
    } finally {
      watchers.delete(watch);
    }
  }

  return {
    seen,
    async when(match, what, timeoutMs) {
      return seen.find(match) ?? (await next(match, what, timeoutMs));
    },
    next,
    close: () => connection.close(),
  };
}

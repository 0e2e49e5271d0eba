import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { audioStream } from '@rhapsode/contracts';
import { Redis } from 'ioredis';

export interface Leftovers {
  /** Names of Redis' keys, sorted, but for BullMQ's mark of its last look for the dead, which comes and goes. */
  readonly keys: readonly string[];
  /** Messages in the audio log. */
  readonly messages: number;
}

/** What is in the servers: the same before and after, if nothing was left behind. */
export async function leftoversIn(servers: { redisUrl: string; natsUrl: string }): Promise<Leftovers> {
  const redis = new Redis(servers.redisUrl);
  const nats = await connect({ servers: servers.natsUrl });
  try {
    const keys = await redis.keys('*');
    const { state } = await (await jetstreamManager(nats)).streams.info(audioStream(0));
    return { keys: keys.filter((key) => !key.endsWith(':stalled-check')).sort(), messages: state.messages };
  } finally {
    redis.disconnect();
    await nats.close();
  }
}

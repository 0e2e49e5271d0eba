import type { Utterance } from '@rhapsode/contracts';
import { type LiveObserver, observeLive } from './live.ts';
import { type NatsOptions, type NatsServer, startNats } from './nats.ts';
import { dropMessages } from './nats-frames.ts';
import { type RedisOptions, type RedisServer, startRedis } from './redis.ts';
import { type Service, type ServiceName, startService } from './service.ts';
import { startTcpProxy, type TcpProxy, type TcpProxyOptions } from './tcp-proxy.ts';

export interface FleetOptions {
  /** 2 if not given. */
  readonly workers?: number;
  /** 1 if not given. */
  readonly collectors?: number;
  /** Engine processes of each worker; 1 if not given. */
  readonly slots?: number;
  readonly redis?: RedisOptions;
  readonly nats?: NatsOptions;
  /** Added to the environment of every service. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether a live message is lost on its way to a collector; asked for each. */
  readonly loseLive?: () => boolean;
  /** Puts a proxy between each worker and Redis. */
  readonly workerRedisProxies?: boolean;
}

export interface SpeakBody {
  readonly id?: string;
  readonly input: string;
  readonly voice?: string;
  readonly seed?: number;
  readonly speed?: number;
  readonly class?: Utterance['class'];
}

/** The three services, each in processes of its own, on a Redis and a NATS of their own. */
export interface Fleet {
  readonly redis: RedisServer;
  readonly nats: NatsServer;
  readonly gateway: Service;
  readonly workers: readonly Service[];
  readonly collectors: readonly Service[];
  /** In the order of `workers`; empty without `workerRedisProxies`. */
  readonly redisProxies: readonly TcpProxy[];
  readonly live: LiveObserver;
  /** Base URLs of the collectors, for a client. */
  readonly collectorUrls: readonly string[];
  /** Creates an utterance of the voice `tone` and answers its id. */
  create(body: SpeakBody, by?: Service): Promise<string>;
  /** One more, of another tenant for example. */
  addGateway(env: Readonly<Record<string, string>>): Promise<Service>;
  /** Answers the status. */
  cancel(id: string): Promise<number>;
  /** What the services wrote last. */
  output(): string;
  stop(): Promise<void>;
}

/** One shard: all utterances of a test pass through one stream, the hardest case. */
const shards = 1;

export async function startFleet(options: FleetOptions = {}): Promise<Fleet> {
  const { workers: workerCount = 2, collectors: collectorCount = 1, slots = 1, loseLive } = options;
  const closers: (() => Promise<void>)[] = [];
  async function stop(): Promise<void> {
    for (const close of closers.splice(0).reverse()) await close();
  }
  /** What is started is stopped again, whatever happens in between. */
  async function keep<T>(started: Promise<T>, close: (one: T) => Promise<void>): Promise<T> {
    const one = await started;
    closers.push(() => close(one));
    return one;
  }
  const proxyTo = (proxy: TcpProxyOptions) => keep(startTcpProxy(proxy), (one) => one.close());
  const many = <T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: count }, (_, index) => make(index)));

  try {
    const redis = await keep(startRedis(options.redis), (one) => one.stop());
    const nats = await keep(startNats(options.nats), (one) => one.stop());
    const live = await keep(observeLive(nats.url, shards), (one) => one.close());
    const launch = (service: ServiceName, env: Readonly<Record<string, string>>): Promise<Service> =>
      keep(
        startService({
          service,
          env: {
            RHAPSODE_REDIS_URL: redis.url,
            RHAPSODE_NATS_URL: nats.url,
            RHAPSODE_LOG_SHARDS: String(shards),
            RHAPSODE_TEST_VOICES: 'true',
            RHAPSODE_DEFAULT_VOICE: 'tone',
            ...options.env,
            ...env,
          },
        }),
        (one) => one.stop(),
      );

    const redisProxies = options.workerRedisProxies
      ? await many(workerCount, () => proxyTo({ to: redis.port }))
      : [];
    const lossy = loseLive && {
      to: nats.port,
      fromServer: () => dropMessages((subject) => subject.startsWith('rhapsode.live.') && loseLive()),
    };
    const lossyPort = lossy && (await proxyTo(lossy)).port;

    const collectors = await many(collectorCount, () =>
      launch('collector', lossyPort ? { RHAPSODE_NATS_URL: `nats://127.0.0.1:${lossyPort}` } : {}),
    );
    const workers = await many(workerCount, (index) =>
      launch('worker', {
        RHAPSODE_SLOTS: String(slots),
        RHAPSODE_WORKER_ID: `worker-${index}`,
        ...(redisProxies[index]
          ? { RHAPSODE_REDIS_URL: `redis://127.0.0.1:${redisProxies[index].port}` }
          : {}),
      }),
    );
    const addGateway = (env: Readonly<Record<string, string>>) =>
      launch('gateway', {
        RHAPSODE_COLLECTOR_URL: collectors.map((one) => one.url).join(','),
        ...env,
      });
    const gateway = await addGateway({});

    return {
      redis,
      nats,
      gateway,
      workers,
      collectors,
      redisProxies,
      live,
      collectorUrls: collectors.map((one) => one.url),
      addGateway,
      async create(body, by = gateway) {
        const response = await fetch(`${by.url}/v1/utterances`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ voice: 'tone', ...body }),
        });
        const answer = await response.text();
        if (!response.ok) throw new Error(`the gateway answered ${response.status}: ${answer}`);
        return (JSON.parse(answer) as { id: string }).id;
      },
      async cancel(id) {
        return (await fetch(`${gateway.url}/v1/utterances/${id}`, { method: 'DELETE' })).status;
      },
      output: () =>
        [gateway, ...workers, ...collectors]
          .map((one) => `--- ${one.service} ${one.url}\n${one.output().slice(-3_000)}`)
          .join('\n'),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

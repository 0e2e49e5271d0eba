import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { newUtteranceId } from '@rhapsode/contracts';
import { bigChunkOf, chunkIn, everything } from '@rhapsode/log/conformance';
import { createNatsLog, type NatsLogOptions } from '@rhapsode/log/nats';
import { afterEach, describe, expect, test } from 'vitest';
import { type NatsServer, startNats } from '../support/nats.ts';
import { freePort } from '../support/ports.ts';
import { until } from '../support/wait.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** Three servers that keep streams together. */
async function startCluster() {
  const names = ['a', 'b', 'c'];
  const routes = await Promise.all(names.map(() => freePort()));
  const servers = new Map<string, NatsServer>();
  for (const [i, name] of names.entries()) {
    const cluster = ['--cluster_name', 'rhapsode', '--cluster', `nats://127.0.0.1:${routes[i]}`];
    const args = [
      '--server_name',
      name,
      ...cluster,
      '--routes',
      routes.map((port) => `nats://127.0.0.1:${port}`).join(','),
    ];
    const server = await startNats({ args });
    stops.push(() => server.stop());
    servers.set(name, server);
  }
  const url = [...servers.values()].map((server) => server.url).join(',');
  const nc = await connect({ servers: url.split(','), maxReconnectAttempts: -1 });
  stops.push(() => nc.close());
  const jsm = await jetstreamManager(nc, { checkAPI: false });

  return {
    async open(options: Partial<NatsLogOptions>) {
      const log = createNatsLog({ url, replicas: 3, appendTimeoutMs: 60_000, ...options });
      stops.push(() => log.close());
      await until(() => log.ping().then(() => true), { what: 'a leader', timeoutMs: 60_000, everyMs: 100 });
      return log;
    },
    async leader(): Promise<NatsServer> {
      const { cluster } = await jsm.streams.info('RHAPSODE_AUDIO_0');
      return servers.get(cluster!.leader!)!;
    },
    async follower(): Promise<NatsServer> {
      const leader = await this.leader();
      return [...servers.values()].find((server) => server !== leader)!;
    },
  };
}

/** As a worker publishes: at most eight not yet acknowledged. */
async function write(append: (chunk: number) => Promise<unknown>, count: number) {
  const inFlight = new Set<Promise<void>>();
  for (let chunk = 0; chunk < count; chunk++) {
    const done: Promise<void> = append(chunk).then(() => void inFlight.delete(done));
    inFlight.add(done);
    while (inFlight.size >= 8) await Promise.race(inFlight);
  }
  await Promise.all(inFlight);
}

describe('a log of three replicas', () => {
  test('never says that there is nothing of what it has acknowledged, though a replica may lag', async () => {
    const cluster = await startCluster();
    const writer = await cluster.open({});
    // A server answers direct gets from its own replica, and a majority can acknowledge without it.
    const log = await cluster.open({ url: (await cluster.follower()).url, dropLive: () => true });
    const utterance = newUtteranceId();
    const reader = log.read(utterance);
    for (let chunk = 0; chunk < 300; chunk++) {
      const sequence = await writer.append(utterance, ...bigChunkOf(chunk, 20_000));
      const [got, read] = await Promise.all([log.get(utterance, sequence), reader.next(0)]);
      expect(got).toMatchObject({ sequence });
      expect(read).toMatchObject({ sequence, message: { chunk } });
    }
  });

  test.each(['memory', 'file'] as const)(
    'loses nothing, doubles nothing and tells of no loss when its leader is killed (%s storage)',
    async (storage) => {
      const cluster = await startCluster();
      const [writer, log] = [await cluster.open({ storage }), await cluster.open({ storage })];
      const utterance = newUtteranceId();
      const reader = log.read(utterance);
      let stored = 0;
      let killed: Promise<void> | undefined;
      await write(async (chunk) => {
        await writer.append(utterance, ...bigChunkOf(chunk, 20_000));
        if (++stored === 150) killed = cluster.leader().then((server) => server.kill());
      }, 400);
      await killed;
      const chunks = (await everything(reader)).map(chunkIn);
      expect(chunks.sort((a, b) => a - b)).toEqual(Array.from({ length: 400 }, (_, chunk) => chunk));
    },
  );
});

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { audioStream, audioSubject, liveSubject, newUtteranceId, noPcm } from '@rhapsode/contracts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type NatsOptions, type NatsServer, startNats } from '../../../test/support/nats.ts';
import { freePort } from '../../../test/support/ports.ts';
import { until, within } from '../../../test/support/wait.ts';
import { bigChunkOf, chunkIn, chunkOf, everything, take, upTo } from '../src/conformance.ts';
import { ensureStream, streamConfig } from '../src/nats/stream.ts';
import { createNatsLog, type NatsLogOptions } from '../src/nats.ts';
import { type AudioLog, type Entry, type LogReader, logDefaults } from '../src/port.ts';

let utterance: string;
const started: (() => Promise<void>)[] = [];
beforeEach(() => {
  utterance = newUtteranceId();
});
afterEach(async () => {
  for (const stop of started.splice(0).reverse()) await stop();
});

async function startServer(options: NatsOptions = {}): Promise<NatsServer> {
  const server = await startNats(options);
  started.push(() => server.stop());
  return server;
}

function openLog(server: { url: string }, options: Partial<NatsLogOptions> = {}): AudioLog {
  const log = createNatsLog({ url: server.url, pollMs: 100, requestTimeoutMs: 1_000, ...options });
  started.push(() => log.close());
  return log;
}

/** Straight at the server, beside the log. */
async function openManager(server: { url: string }) {
  const nc = await connect({ servers: server.url });
  started.push(() => nc.close());
  return { nc, jsm: await jetstreamManager(nc) };
}

/** As a worker publishes: at most eight not yet acknowledged. */
async function write(
  log: AudioLog,
  chunks: number[],
  onStored: (chunk: number) => void = () => {},
  bytes = 64,
) {
  const inFlight = new Set<Promise<void>>();
  for (const chunk of chunks) {
    const stored = log.append(utterance, ...bigChunkOf(chunk, bytes)).then(() => onStored(chunk));
    const done: Promise<void> = stored.finally(() => inFlight.delete(done));
    inFlight.add(done);
    while (inFlight.size >= 8) await Promise.race(inFlight);
  }
  await Promise.all(inFlight);
}

/** Writes 400 chunks; the server is killed when 100 are stored, and started again. */
async function writeThroughRestart(log: AudioLog, server: NatsServer, signal: NodeJS.Signals = 'SIGKILL') {
  let stored = 0;
  let restarting: Promise<number> | undefined;
  await write(log, upTo(400), () => {
    stored++;
    if (stored !== 100) return;
    restarting = server.kill(signal).then(async () => {
      const before = stored;
      await server.restart();
      return before;
    });
  });
  // Or it was no restart in the middle.
  expect(await restarting).toBeLessThan(392);
}

const numbers = (entries: readonly Entry[]) => entries.map(chunkIn);
const sorted = (list: readonly number[]) => [...list].sort((a, b) => a - b);

describe('a server that goes away', () => {
  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'by %s loses nothing with file storage; readers and writers go on',
    async (signal) => {
      const server = await startServer();
      const log = openLog(server, { storage: 'file' });
      const reading = [take(log.read(utterance), 400), take(log.read(utterance), 400)];
      await writeThroughRestart(log, server, signal);
      const [one, other] = await Promise.all(reading);
      expect(sorted(numbers(one!))).toEqual(upTo(400));
      expect(other).toEqual(one);
      expect(await everything(log.read(utterance))).toEqual(one);
    },
  );

  test('with memory storage is told to every reader; writers go on', async () => {
    const server = await startServer();
    const log = openLog(server, { storage: 'memory' });
    const other = openLog(server, { storage: 'memory' });
    const readers = [log.read(utterance), other.read(utterance), other.read(newUtteranceId())];
    const before = upTo(450).slice(400);
    await write(log, before);
    for (const reader of readers.slice(0, 2)) expect(sorted(numbers(await take(reader, 50)))).toEqual(before);
    await writeThroughRestart(log, server);

    /** All of the log that there is now, after the last loss. */
    const afterLoss = async (reader: LogReader) => {
      let losses = 0;
      let entries: Entry[] = [];
      for (;;) {
        const item = await reader.next(0);
        if (item === undefined) return { losses, entries };
        if ('lost' in item) {
          losses++;
          entries = [];
        } else entries.push(item);
      }
    };
    const now = await everything(other.read(utterance));
    expect(await afterLoss(readers[0]!)).toEqual({ losses: 1, entries: now });
    expect(await afterLoss(readers[1]!)).toEqual({ losses: 1, entries: now });
    expect(await afterLoss(readers[2]!)).toEqual({ losses: 1, entries: [] });
    expect(numbers(now)).toContain(399);
    expect(numbers(now)).not.toContain(0);
  });

  test('without a word, as behind a dead switch, makes calls fail in time and repeats nothing later', async () => {
    const server = await startServer();
    const log = openLog(server, { appendTimeoutMs: 600, requestTimeoutMs: 200 });
    await log.ping();
    await server.kill('SIGSTOP');
    const ping = () =>
      log.ping().then(
        () => 'answers',
        ({ code }) => code,
      );
    await expect.poll(ping).toBe('log_unavailable');
    await expect(log.append(utterance, ...chunkOf(0))).rejects.toMatchObject({ code: 'log_unavailable' });
    await server.kill('SIGCONT');
    await log.append(utterance, ...chunkOf(0));
    expect(numbers(await everything(log.read(utterance)))).toEqual([0]);
  });

  test('for a moment, with acknowledgements lost, has every message once', async () => {
    const server = await startServer();
    const log = openLog(server, { requestTimeoutMs: 100 });
    const reader = log.read(utterance);
    await log.ping();
    let paused: Promise<unknown> | undefined;
    await write(log, upTo(60), (chunk) => {
      if (chunk % 20 !== 10) return;
      paused = server.kill('SIGSTOP').then(async () => {
        await new Promise((resolve) => setTimeout(resolve, 250));
        await server.kill('SIGCONT');
      });
    });
    await paused;
    expect(sorted(numbers(await take(reader, 60)))).toEqual(upTo(60));
    expect(await reader.next(0)).toBeUndefined();
  });
});

describe('a server that is not there at first', () => {
  test('is waited for: calls fail in time until it comes, then work', async () => {
    const port = await freePort();
    const log = openLog({ url: `nats://127.0.0.1:${port}` }, { appendTimeoutMs: 400, requestTimeoutMs: 300 });
    const reader = log.read(utterance);
    const cancelled: string[] = [];
    log.onCancel((id) => cancelled.push(id), new AbortController().signal);
    const unavailable = { code: 'log_unavailable' };
    await expect(within(log.ping(), { what: 'ping', timeoutMs: 3_000 })).rejects.toMatchObject(unavailable);
    await expect(log.append(utterance, ...chunkOf(0))).rejects.toMatchObject(unavailable);
    await expect(log.purge(utterance)).rejects.toMatchObject(unavailable);
    await log.announceCancel(utterance);
    const waiting = reader.next(0);

    const server = await startServer({ port });
    await until(() => log.ping().then(() => true), { what: 'the log to answer' });
    expect(await waiting).toBeUndefined();
    await log.append(utterance, ...chunkOf(1));
    expect(await reader.next(5_000)).toMatchObject({ message: { chunk: 1 } });
    await log.announceCancel('told');
    await expect.poll(() => cancelled).toEqual(['told']);
    expect(server.running).toBe(true);
  });

  test('can be given up on', async () => {
    const log = openLog({ url: `nats://127.0.0.1:${await freePort()}` });
    const waiting = expect(log.read(utterance).next(0)).rejects.toMatchObject({ code: 'log_unavailable' });
    await within(log.close(), { what: 'close', timeoutMs: 2_000 });
    await waiting;
  });
});

describe('a server that is not as it must be', () => {
  const refusal = (message: RegExp) => ({ code: 'config_invalid', message: expect.stringMatching(message) });

  test('is refused by name of the setting, and taken when that is put right', async () => {
    const server = await startServer();
    await openLog(server, { storage: 'file', maxAgeMs: 60_000 }).ping();
    const log = openLog(server, { storage: 'memory' });
    const differences =
      /RHAPSODE_AUDIO_0 .*storage is "file", not "memory"; max_age is 60 s, not 900 s; duplicate_window is 60 s, not 120 s.*stream rm/;
    await expect(log.ping()).rejects.toMatchObject(refusal(differences));
    await expect(log.append(utterance, ...chunkOf(0))).rejects.toMatchObject(refusal(differences));
    const reader = log.read(utterance);
    await expect(reader.next(0)).rejects.toMatchObject(refusal(differences));

    const { jsm } = await openManager(server);
    await jsm.streams.delete(audioStream(0));
    await until(() => log.ping().then(() => true), { what: 'the stream to be made' });
    await log.append(utterance, ...chunkOf(0));
    expect(await reader.next(5_000)).toMatchObject({ message: { chunk: 0 } });
  });

  test('is refused when the stream forgets its oldest messages, or does not republish', async () => {
    const server = await startServer();
    const { jsm } = await openManager(server);
    await jsm.streams.add({ name: audioStream(0), subjects: ['rhapsode.audio.0.>'], max_msgs: 10 });
    await expect(openLog(server).ping()).rejects.toMatchObject(
      refusal(/discard is "old", not "new".*max_msgs is 10, not -1.*allow_direct.*republish is not set, not/),
    );
  });

  test('is refused when it has no room for what was asked', async () => {
    const server = await startServer();
    await expect(openLog(server, { maxBytes: 2 ** 50 }).ping()).rejects.toMatchObject(
      refusal(/can't make the stream RHAPSODE_AUDIO_0: insufficient memory/),
    );
  });

  test('is refused when JetStream is off', async () => {
    const config = new URL('support/no-jetstream.conf', import.meta.url).pathname;
    const server = await startServer({ config });
    await expect(openLog(server).ping()).rejects.toMatchObject(refusal(/JetStream is off/));
  });

  test.each(['', 'http://localhost:4222', 'nats://', 'nats://a:4222,not a host'])(
    'is refused before anything is tried when its URL is %j',
    (url) => {
      expect(() => createNatsLog({ url })).toThrow(expect.objectContaining({ code: 'config_invalid' }));
    },
  );

  test('wants a password: the right one opens it, the wrong one does not, and is not told to anybody', async () => {
    const server = await startServer({ args: ['--user', 'worker', '--pass', 'p@ss'] });
    const urlWith = (password: string) =>
      server.url.replace('//', `//worker:${encodeURIComponent(password)}@`);
    await openLog({ url: urlWith('p@ss') }).ping();
    const failure = await openLog({ url: urlWith('other') }, { requestTimeoutMs: 300 })
      .ping()
      .catch((error) => error);
    expect(failure).toMatchObject({ code: 'log_unavailable' });
    expect(String(failure) + String(failure.cause)).not.toMatch(/other/);
  });
});

describe('a stream that is made anew under a connection that lasts', () => {
  async function start(options: Partial<NatsLogOptions> = {}) {
    const server = await startServer();
    const [log, writer] = [openLog(server, options), openLog(server)];
    const { jsm } = await openManager(server);
    const reader = log.read(utterance);
    await write(writer, upTo(3));
    expect(sorted(numbers(await take(reader, 3)))).toEqual(upTo(3));
    return { log, writer, reader, forget: () => jsm.streams.delete(audioStream(0)) };
  }

  test('is told to readers that wait, also when nobody writes', async () => {
    const { reader, forget } = await start();
    const waiting = reader.next(60_000);
    await forget();
    expect(await waiting).toEqual({ lost: true });
  });

  test.each([
    ['live copies come', () => false],
    ['no live copy comes', () => true],
  ])('by another process is told to readers when %s', async (_, dropLive) => {
    const { reader, writer, forget } = await start({ dropLive });
    const waiting = reader.next(60_000);
    await forget();
    await writer.append(utterance, ...chunkOf(10));
    expect(await waiting).toEqual({ lost: true });
    expect(numbers(await take(reader, 1))).toEqual([10]);
  });

  test('by another process is told to readers that are kept busy by live copies', async () => {
    const { log, reader, writer, forget } = await start({ pollMs: 500 });
    await forget();
    // As many as the old log had: the next one fits the reader's cursor, and so does every one after it.
    await write(writer, upTo(13).slice(10));
    let lost = false;
    for (let chunk = 13; !lost; chunk++) {
      await writer.append(utterance, ...chunkOf(chunk));
      lost = 'lost' in (await reader.next(60_000))!;
    }
    const entries = await everything(reader);
    expect(entries).toEqual(await everything(log.read(utterance)));
    expect(numbers(entries).slice(0, 3).sort()).toEqual([10, 11, 12]);
  });
});

describe('readers', () => {
  test('yield the same when 30 % of the live copies are dropped, in another process or this', async () => {
    const server = await startServer();
    const writer = openLog(server);
    let seed = 1;
    const random = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    let dropped = 0;
    const lossy = openLog(server, {
      dropLive: () => {
        const drop = random() < 0.3;
        if (drop) dropped++;
        return drop;
      },
    });
    const reading = [take(writer.read(utterance), 500), take(lossy.read(utterance), 500)];
    await lossy.ping();
    await write(writer, upTo(500));
    const [whole, mended] = await Promise.all(reading);
    expect(sorted(numbers(whole!))).toEqual(upTo(500));
    expect(mended).toEqual(whole);
    expect(dropped).toBeGreaterThan(50);
  });

  test('of a slow consumer keep few messages, however many are stored', async () => {
    const server = await startServer();
    const log = openLog(server);
    const reader = log.read(utterance);
    expect(await reader.next(0)).toBeUndefined();
    const bytesHeld = await createHeldBytes();
    const before = bytesHeld();
    const chunkBytes = 40_000;
    for (let n = 0; n < 1_000; n += 50) await write(log, upTo(n + 50).slice(n), undefined, chunkBytes);
    expect(bytesHeld() - before).toBeLessThan(40 * chunkBytes);
    expect(sorted(numbers(await take(reader, 1_000)))).toEqual(upTo(1_000));
  }, 120_000);

  test('are a thousand on one connection, without a consumer on the server', async () => {
    const server = await startServer();
    const log = openLog(server, { shards: 2, pollMs: 1_000 });
    const ids = upTo(1_000).map(newUtteranceId);
    const readers = ids.map((id) => log.read(id));
    await log.ping();
    for (let chunk = 0; chunk < 3; chunk++)
      for (let n = 0; n < ids.length; n += 50)
        await Promise.all(
          ids.slice(n, n + 50).map((id, i) => log.append(id, ...chunkOf(((n + i) * 3 + chunk) % 30_000))),
        );
    for (const [n, reader] of readers.entries())
      expect(numbers(await take(reader, 3))).toEqual(upTo(3).map((chunk) => (n * 3 + chunk) % 30_000));
    const { jsm } = await openManager(server);
    for (const shard of [0, 1]) {
      const { state } = await jsm.streams.info(audioStream(shard));
      expect(state.consumer_count).toBe(0);
      expect(state.messages).toBeGreaterThan(1_000);
    }
    for (const reader of readers) reader.close();
  }, 120_000);

  test('tell of a message that they cannot read, and go on behind it', async () => {
    const server = await startServer();
    const log = openLog(server);
    await log.ping();
    const reader = log.read(utterance);
    await reader.next(0);
    const { nc } = await openManager(server);
    await nc.request(audioSubject(utterance, 1), 'not ours');
    await log.append(utterance, { kind: 'utterance-end', segments: 0 }, noPcm);
    for (const each of [reader, log.read(utterance)]) {
      await expect(each.next(5_000)).rejects.toMatchObject({ code: 'bad_message' });
      expect(await each.next(5_000)).toMatchObject({ message: { kind: 'utterance-end' } });
    }
    await expect(log.get(utterance, 1)).rejects.toMatchObject({ code: 'bad_message' });
  });

  test('leave no subscription behind', async () => {
    const server = await startServer();
    const log = openLog(server);
    await log.ping();
    const { nc } = await openManager(server);
    const reader = log.read(utterance);
    await reader.next(0);
    const listeners = () =>
      nc.request(liveSubject(utterance, 1), '', { timeout: 200 }).then(
        () => true,
        (error: Error) => !/no responders/.test(error.message),
      );
    expect(await listeners()).toBe(true);
    reader.close();
    await expect.poll(listeners).toBe(false);
  });
});

test('of many processes that find no stream, one makes it, and all of them have it', async () => {
  const server = await startServer();
  const managers = await Promise.all(upTo(6).map(() => openManager(server)));
  const wanted = streamConfig(0, { ...logDefaults, storage: 'memory', replicas: 1, maxBytes: undefined });
  for (const _ of upTo(60)) {
    const made = await Promise.all(managers.map((manager) => ensureStream(manager, wanted)));
    expect(made.map(({ config }) => config.name)).toEqual(managers.map(() => wanted.name));
    await managers[0]!.jsm.streams.delete(wanted.name);
  }
});

test('two processes that append one message at once store it once', async () => {
  const server = await startServer();
  const logs = [openLog(server), openLog(server), openLog(server)];
  await logs[0]!.ping();
  for (const chunk of upTo(20)) {
    const sequences = await Promise.all(logs.map((log) => log.append(utterance, ...chunkOf(chunk))));
    expect(new Set(sequences).size).toBe(1);
  }
  expect(numbers(await everything(logs[0]!.read(utterance)))).toEqual(upTo(20));
});

/** Bytes in buffers outside of the heap, after the garbage is gone. */
async function createHeldBytes(): Promise<() => number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  return () => {
    collect();
    collect();
    return process.memoryUsage().arrayBuffers;
  };
}

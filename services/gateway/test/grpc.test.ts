import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { createLifecycle, createLog } from '@rhapsode/telemetry';
import { toneLength, toneSamples } from '@rhapsode/voices';
import { afterEach, describe, expect, it } from 'vitest';
import { filesOf, healthOf, servicesOf } from '../../../test/support/grpc-client.ts';
import { framesOf, type LunaRequest, lunaClient, samplesOf } from '../../../test/support/luna-client.ts';
import { freePort } from '../../../test/support/ports.ts';
import { speakEmbedded } from '../../../test/support/reference.ts';
import { startTcpProxy } from '../../../test/support/tcp-proxy.ts';
import { until } from '../../../test/support/wait.ts';
import { type GrpcOptions, startGrpc } from '../src/grpc/server.ts';
import { startProtocols } from '../src/protocols.ts';
import { type ServeOptions, serve } from './serve.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const log = createLog({ service: 'test', level: 'silent' });
const noTls = { grpcTlsCert: undefined, grpcTlsKey: undefined, grpcTlsClientCa: undefined };
const pem = (name: string) =>
  fileURLToPath(new URL(`../../../test/support/certificates/${name}.pem`, import.meta.url));
const tls = { grpcTlsCert: pem('server'), grpcTlsKey: pem('server-key') };

async function start(options: ServeOptions = {}, grpc: Partial<GrpcOptions> = {}) {
  const served = await serve(options);
  closers.push(() => served.close());
  const lifecycle = createLifecycle({ log, graceMs: 20_000 });
  const ready = { ok: true };
  const health = { ready: async () => ({ ...ready, state: 'ready' as const, checks: {} }) };
  const { port } = await startGrpc(served.deps, {
    host: '127.0.0.1',
    port: 0,
    lifecycle,
    health,
    ...noTls,
    ...grpc,
  });
  closers.push(() => lifecycle.drain('the test is over'));
  const luna = lunaClient(port);
  closers.push(() => luna.close());
  return { ...served, lifecycle, port, luna, ready };
}

const sentence = 'The river turns around the stone.';
const story = `${sentence} The wind goes on. ${sentence}`;
const spoken = () => toneSamples(0, 0, 0, toneLength(sentence));
const tone = (fields: { encoding?: number; nSamples?: number } = {}) => ({ voiceId: 'tone', ...fields });

describe('Luna’s gRPC', () => {
  it('tells its version and its voices', async () => {
    const { luna } = await start();
    expect((await luna.version({})).version).toMatch(/^\d+\.\d+\.\d+$/);
    const { voices } = await luna.listVoices({});
    expect(voices).toContainEqual({ id: 'tone', name: 'Test tone', sampleRate: 16_000, language: 'mul' });
  });

  it('speaks a text in one answer, with every sample in its place', async () => {
    const { luna } = await start();
    const { audio } = await luna.synthesize({ config: tone({ nSamples: 100 }), text: sentence });
    expect(samplesOf(audio)).toEqual(spoken());
  });

  it('gives floats of the same samples', async () => {
    const { luna } = await start();
    const { audio } = await luna.synthesize({ config: tone({ encoding: 1 }), text: sentence });
    const floats = new Float32Array(audio.buffer.slice(audio.byteOffset, audio.byteOffset + audio.length));
    expect(Int16Array.from(floats, (sample) => sample * 32_768)).toEqual(spoken());
  });

  it.each([
    [1, 0],
    [777, 0],
    [31_680, 0],
    [31_681, 1],
    [4_000, 1],
    [1_000_000, 0],
  ])('gives just %d samples in every message but the last, encoding %d', async (nSamples, encoding) => {
    const { luna } = await start();
    const text = nSamples === 1 ? 'Oh.' : sentence;
    const frames = await framesOf(luna.stream({ config: tone({ encoding, nSamples }), text }));
    const width = encoding === 0 ? 2 : 4;
    const samples = toneLength(text);
    expect(frames.map((frame) => frame.length / width)).toEqual(
      Array.from({ length: Math.ceil(samples / nSamples) }, (_, n) =>
        Math.min(nSamples, samples - n * nSamples),
      ),
    );
    const all = Buffer.concat(frames);
    if (encoding === 0) expect(samplesOf(all)).toEqual(toneSamples(0, 0, 0, samples));
  });

  it('sends audio while more is made, and all of it', async () => {
    const { luna } = await start({ realTimeFactor: 0.05 });
    const frames = await framesOf(luna.stream({ text: story }));
    expect(frames.length).toBeGreaterThan(5);
    expect(samplesOf(Buffer.concat(frames))).toEqual((await speakEmbedded(story)).pcm);
  });

  it.each([
    ['an unknown voice', { config: { voiceId: 'nobody' }, text: 'a' }, 'NOT_FOUND', 'voice_not_found'],
    ['no text', { config: tone() }, 'INVALID_ARGUMENT', 'text_empty'],
    ['nothing to speak', { text: ' … ' }, 'INVALID_ARGUMENT', 'text_empty'],
    ['too long a text', { text: 'a'.repeat(2_000) }, 'INVALID_ARGUMENT', 'text_too_long'],
    ['a control character', { text: 'bell \u0007' }, 'INVALID_ARGUMENT', 'invalid_request'],
    [
      'another encoding',
      { config: tone({ encoding: 7 }), text: 'a' },
      'INVALID_ARGUMENT',
      'unsupported_format',
    ],
    ['huge messages', { config: tone({ nSamples: 1e12 }), text: 'a' }, 'INVALID_ARGUMENT', 'invalid_request'],
    ['a sentence that fails', { text: 'It {{tone:fail}} fails.' }, 'INTERNAL', 'synthesis_failed'],
  ] as const)(
    'refuses %s with its status, in a stream and without',
    async (what, request: LunaRequest, grpc, code) => {
      const { luna, backlogSeconds, metrics } = await start();
      const refused: Promise<unknown>[] = [framesOf(luna.stream(request))];
      // Only streams have frames.
      if (what !== 'huge messages') refused.push(luna.synthesize(request));
      for (const one of refused) {
        const error = (await one.catch((thrown: unknown) => thrown)) as ServiceError;
        expect(status[error.code]).toBe(grpc);
        expect(error.metadata.get('rhapsode-code')).toEqual([code]);
        if (what === 'an unknown voice')
          expect(error.metadata.get('rhapsode-param')).toEqual(['config.voice_id']);
      }
      await until(async () => (await backlogSeconds()) === 0, { what: 'nothing to be left' });
      const count = `rhapsode_rejected_total{reason="${code}"} ${refused.length}`;
      expect((await metrics.render()).body).toContain(count);
    },
  );

  it('refuses a text that is not UTF-8, and speaks one that holds a replacement character', async () => {
    const { port } = await start();
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    closers.push(() => client.close());
    /** Field 2, the text, byte for byte. */
    const send = async (text: Uint8Array) => {
      const bytes = Buffer.from([0x12, text.length, ...text]);
      const { promise, resolve } = Promise.withResolvers<ServiceError | null>();
      const same = (one: Buffer) => one;
      client.makeUnaryRequest('/cobaltspeech.luna.Luna/Synthesize', same, same, bytes, (error) =>
        resolve(error),
      );
      return promise;
    };
    const error = (await send(Buffer.from('Caf\xe9 au lait.', 'latin1')))!;
    expect(status[error.code]).toBe('INVALID_ARGUMENT');
    expect(error.metadata.get('rhapsode-code')).toEqual(['invalid_encoding']);
    expect(await send(Buffer.from('Caf\ufffd au lait.'))).toBeNull();
  });

  it('refuses a message that is too long before it reads it', async () => {
    const { luna } = await start();
    const refused = luna.synthesize({ text: 'a'.repeat(5 << 20) });
    await expect(refused).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
  });

  it('tells of a failure behind the first audio by the status of the stream', async () => {
    const { luna } = await start();
    const got: number[] = [];
    const heard = async () => {
      for await (const { audio } of luna.stream({ text: `${sentence} It {{tone:fail}} fails.` }))
        got.push(audio.length);
    };
    await expect(heard()).rejects.toMatchObject({ code: status.INTERNAL });
    expect(got.length).toBeGreaterThan(0);
  });

  it.each(['cancel', 'deadline', 'broken connection'])('makes nothing more after a %s', async (how) => {
    const { port, backlogSeconds } = await start({ realTimeFactor: 1 });
    const proxy = await startTcpProxy({ to: port });
    const luna = lunaClient(proxy.port);
    closers.push(
      () => proxy.close(),
      () => luna.close(),
    );
    const options = how === 'deadline' ? { deadline: Date.now() + 700 } : {};
    const stream = luna.stream({ text: `${sentence} `.repeat(9) }, options);
    const ended = framesOf(stream);
    if (how === 'cancel') stream.once('data', () => stream.cancel());
    if (how === 'broken connection') stream.once('data', () => proxy.cut());
    const error = (await ended.catch((thrown: unknown) => thrown)) as ServiceError;
    if (how === 'deadline') expect(error.code).toBe(status.DEADLINE_EXCEEDED);
    await until(async () => (await backlogSeconds()) === 0, { what: 'it to be cancelled' });
  });

  it('stops the work of a whole answer that nobody waits for', async () => {
    const { luna, backlogSeconds } = await start({ realTimeFactor: 1 });
    const text = `${sentence} `.repeat(9);
    const given = luna.synthesize({ text }, { deadline: Date.now() + 300 });
    await expect(given).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
    await until(async () => (await backlogSeconds()) === 0, { what: 'it to be cancelled' });
  });

  it('makes only a few sentences for a client that does not read', async () => {
    const { luna, embedded, deps } = await start({ limits: { maxSpeechCharacters: 1_000_000 } });
    const { store } = embedded;
    let id = '';
    const create = deps.store.create.bind(store);
    store.create = (utterance, limits) => {
      id = utterance.id;
      return create(utterance, limits);
    };
    const long = `${sentence} `.repeat(40);
    const stream = luna.stream({ text: long });
    const reader = (stream as AsyncIterable<{ audio: Buffer }>)[Symbol.asyncIterator]();
    const frames = [(await reader.next()).value!.audio];
    let before = -1;
    await until(
      async () => {
        const { released } = (await store.get(id))!;
        const still = released === before;
        before = released;
        return still;
      },
      { what: 'the work to stop', everyMs: 300 },
    );
    expect(before).toBeLessThan(35);
    for (let next = await reader.next(); !next.done; next = await reader.next())
      frames.push(next.value.audio);
    expect(Buffer.concat(frames).length / 2).toBe(40 * toneLength(sentence) + 39 * 5_600);
  });

  it('says by gRPC’s health whether it may be sent calls, and what it speaks by reflection', async () => {
    const { port, ready, lifecycle } = await start();
    await until(async () => (await healthOf(port)) === 'SERVING', { what: 'it to serve' });
    expect(await healthOf(port, 'cobaltspeech.luna.Luna')).toBe('SERVING');
    ready.ok = false;
    await until(async () => (await healthOf(port)) === 'NOT_SERVING', { what: 'the health to be told' });
    const services = ['cobaltspeech.luna.Luna', 'grpc.health.v1.Health'];
    expect(await servicesOf(port)).toEqual(expect.arrayContaining(services));
    expect(String((await filesOf(port, 'grpc.health.v1.Health'))[0])).toContain('HealthCheckRequest');
    const [file] = await filesOf(port, 'cobaltspeech.luna.Luna');
    for (const name of ['SynthesizeStream', 'n_samples', 'RAW_FLOAT32']) expect(String(file)).toContain(name);
    expect(lifecycle.state).toBe('starting');
  });

  it('lets a stream end, and takes no other, while the service drains', async () => {
    const { luna, lifecycle, port } = await start({ realTimeFactor: 0.1 });
    const stream = luna.stream({ text: story });
    const first = Promise.withResolvers<void>();
    stream.once('data', () => first.resolve());
    const frames = framesOf(stream);
    await first.promise;
    // Answers over HTTP may take all of the grace.
    const held = Promise.withResolvers<void>();
    lifecycle.onClose('http', () => held.promise);
    const drained = lifecycle.drain('test');
    const late = lunaClient(port);
    await expect(late.version({})).rejects.toMatchObject({ code: status.UNAVAILABLE });
    late.close();
    const whole = (await speakEmbedded(story)).pcm;
    expect(samplesOf(Buffer.concat(await frames)).length).toBe(whole.length);
    held.resolve();
    await drained;
  });
});

describe('TLS of gRPC', () => {
  const authority = () => readFile(pem('authority'));

  it('speaks TLS when there is a certificate, and nothing else', async () => {
    const { port, luna } = await start({}, tls);
    const secure = lunaClient(port, credentials.createSsl(await authority()), 'localhost');
    closers.push(() => secure.close());
    expect(samplesOf((await secure.synthesize({ config: tone(), text: sentence })).audio)).toEqual(spoken());
    await expect(luna.version({})).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });

  it('lets in only who shows a certificate of the authority, when there is one', async () => {
    const { port } = await start({}, { ...tls, grpcTlsClientCa: pem('authority') });
    const ca = await authority();
    const known = credentials.createSsl(ca, await readFile(pem('client-key')), await readFile(pem('client')));
    const [welcome, stranger] = [
      lunaClient(port, known, 'localhost'),
      lunaClient(port, credentials.createSsl(ca), 'localhost'),
    ];
    closers.push(() => [welcome.close(), stranger.close()]);
    expect((await welcome.version({})).version).toBeTruthy();
    await expect(stranger.version({})).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });

  it.each([
    ['no key', { grpcTlsCert: pem('server') }, 'RHAPSODE_GRPC_TLS_KEY is not set'],
    ['no certificate', { grpcTlsKey: pem('server-key') }, 'RHAPSODE_GRPC_TLS_CERT is not set'],
    ['an authority alone', { grpcTlsClientCa: pem('authority') }, 'RHAPSODE_GRPC_TLS_CLIENT_CA needs'],
    [
      'a file that is not there',
      { ...tls, grpcTlsCert: '/nowhere.pem' },
      '/nowhere.pem cannot be read (ENOENT)',
    ],
    [
      'a key as certificate',
      { ...tls, grpcTlsCert: pem('server-key') },
      'RHAPSODE_GRPC_TLS_CERT: the file holds no',
    ],
    [
      'a certificate as key',
      { ...tls, grpcTlsKey: pem('server') },
      'RHAPSODE_GRPC_TLS_KEY: the file holds no',
    ],
    ['another one’s key', { ...tls, grpcTlsKey: pem('client-key') }, 'is not the key of the certificate'],
    [
      'a key as authority',
      { ...tls, grpcTlsClientCa: pem('client-key') },
      'TLS_CLIENT_CA: the file holds no',
    ],
  ])('does not start with %s, and says why', async (_, files, message) => {
    await expect(start({}, files)).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining(message),
    });
  });
});

describe('the port of gRPC', () => {
  const options = { host: '127.0.0.1', wyomingPort: 'off' as const, ...noTls };

  it('is an error when it was asked for and is in use, and can be off', async () => {
    const { deps, port, lifecycle } = await start();
    const well = async () => ({ ok: true, state: 'ready' as const, checks: {} });
    const context = { lifecycle, health: { ready: well, live: well } };
    await expect(startProtocols({ ...options, grpcPort: port }, deps, context)).rejects.toMatchObject({
      code: 'port_in_use',
      message: expect.stringContaining('RHAPSODE_GRPC_PORT'),
    });
    await startProtocols({ ...options, grpcPort: 'off' }, deps, context);
    const free = await freePort();
    await startProtocols({ ...options, grpcPort: free }, deps, context);
    const luna = lunaClient(free);
    closers.push(() => luna.close());
    expect((await luna.version({})).version).toBeTruthy();
  });
});

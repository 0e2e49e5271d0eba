import { createServer, get, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { createLifecycle, createLog, createMetrics } from '@rhapsode/telemetry';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../../../test/support/wait.ts';
import { createHttpApp, createSocketDrain, disconnectSignal, sendBody } from '../src/index.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const log = createLog({ service: 'test', level: 'silent' });

/** Serves `body` at /; tells what became of it. */
async function serve(body: (signal: AbortSignal) => AsyncIterable<Uint8Array>) {
  const app = createHttpApp({
    log,
    metrics: createMetrics(),
    lifecycle: createLifecycle({ log, graceMs: 0 }),
  });
  const state = { gaps: [] as number[], firstBytes: 0, ended: 0, aborted: false };
  app.get('/', async (request, reply) => {
    const signal = disconnectSignal(request, reply);
    const answer = { status: 206, headers: { 'content-type': 'audio/pcm' }, body: body(signal) };
    await sendBody(request, reply, answer, signal, {
      drain: createSocketDrain(),
      log,
      onGap: (seconds) => state.gaps.push(seconds),
      onFirstByte: () => {
        state.firstBytes += 1;
      },
    });
    state.ended += 1;
    state.aborted = signal.aborted;
    return reply;
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  closers.push(() => {
    app.server.closeAllConnections();
    return app.close();
  });
  return { url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`, state };
}

async function* pieces(count: number, size = 1000) {
  for (let i = 0; i < count; i++) yield Buffer.alloc(size, i);
}

describe('sendBody', () => {
  it('sends all pieces with status and headers, and measures the gaps between them', async () => {
    const { url, state } = await serve(() => pieces(5));
    const response = await fetch(url);
    expect(response.status).toBe(206);
    expect(response.headers.get('content-type')).toBe('audio/pcm');
    expect(response.headers.get('x-request-id')).toMatch(/./);
    expect((await response.arrayBuffer()).byteLength).toBe(5000);
    expect(state).toMatchObject({ firstBytes: 1, ended: 1, aborted: false });
    expect(state.gaps).toHaveLength(4);
  });

  it('cuts the connection when the body fails, so that nobody takes it for whole', async () => {
    const arrived = Promise.withResolvers<void>();
    const { url, state } = await serve(async function* () {
      yield* pieces(2);
      await arrived.promise;
      throw new Error('lost');
    });
    const response = await fetch(url);
    arrived.resolve();
    await expect(response.arrayBuffer()).rejects.toThrow();
    expect(state.ended).toBe(1);
  });

  it('resets the connection for a reader of HTTP/1.0, who would take an end for the end', async () => {
    const arrived = Promise.withResolvers<void>();
    const { url } = await serve(async function* () {
      yield Buffer.alloc(1000);
      // A reader in Node takes a reset for an end while there is something left to read.
      await arrived.promise;
      throw new Error('lost');
    });
    const port = Number(new URL(url).port);
    const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.0\r\n\r\n'));
    const { promise, resolve } = Promise.withResolvers<unknown>();
    let received = 0;
    socket.on('data', (data) => {
      received += data.length;
      if (received > 1000) arrived.resolve();
    });
    socket.on('end', () => resolve('a clean end'));
    socket.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code));
    expect(await promise).toBe('ECONNRESET');
  });

  it('asks for no more than the reader takes', async () => {
    let asked = 0;
    const { url } = await serve(async function* () {
      for (;;) {
        asked += 1;
        yield Buffer.alloc(20_000);
      }
    });
    const response = await new Promise<IncomingMessage>((resolve) => get(url, resolve));
    response.pause();
    closers.push(() => response.destroy());
    let before = -1;
    while (before !== asked) {
      before = asked;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    // The reader's own kernel takes some, too.
    expect(asked * 20_000).toBeLessThan(process.platform === 'linux' ? 3_000_000 : 20_000_000);
    response.resume();
    await until(() => asked > before + 100, { what: 'more to be asked for' });
  });

  it('stops and lets the body clean up when the reader goes away', async () => {
    let cleaned = false;
    const { url, state } = await serve(async function* (signal) {
      try {
        yield Buffer.alloc(10);
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      } finally {
        cleaned = true;
      }
    });
    const leaving = new AbortController();
    await fetch(url, { signal: leaving.signal });
    leaving.abort();
    await until(() => state.ended === 1, { what: 'the end' });
    expect(state.aborted).toBe(true);
    expect(cleaned).toBe(true);
  });
});

describe('disconnectSignal', () => {
  it('is aborted already for a client that went before', async () => {
    const seen = Promise.withResolvers<boolean>();
    const server = createServer((request, raw) => {
      const ask = () => disconnectSignal({ raw: request } as never, { raw } as never).aborted;
      raw.once('close', () => setImmediate(() => seen.resolve(ask())));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(() => server.close());
    const request = get(`http://127.0.0.1:${(server.address() as AddressInfo).port}`).on('error', () => {});
    server.once('request', () => request.destroy());
    expect(await seen.promise).toBe(true);
  });
});

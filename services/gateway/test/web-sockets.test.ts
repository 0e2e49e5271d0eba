import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type ClientOptions, WebSocket, WebSocketServer } from 'ws';
import { keepAlive } from '../src/web-sockets.ts';

const minuteMs = 60_000;
const frame = new Uint8Array(1024 * 1024);
const frames = 16;

describe('a WebSocket that is kept alive', () => {
  const closers: (() => void)[] = [];
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
  afterEach(() => {
    vi.useRealTimers();
    for (const close of closers.splice(0)) close();
  });

  async function connect(options: ClientOptions = {}) {
    const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { promise: accepted, resolve } = Promise.withResolvers<{ ws: WebSocket; socket: Socket }>();
    server.on('upgrade', (request, socket, head) =>
      sockets.handleUpgrade(request, socket, head, (ws) => resolve({ ws, socket: request.socket })),
    );
    const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, options);
    client.on('error', () => {});
    closers.push(
      () => client.terminate(),
      () => server.close(),
    );
    const { ws, socket } = await accepted;
    if (client.readyState !== client.OPEN) await once(client, 'open');
    keepAlive(ws, socket);
    return { client, ws };
  }

  test('stays open while its client has not yet read what was sent', async () => {
    const { client, ws } = await connect();
    client.pause();
    for (let i = 0; i < frames; i++) ws.send(frame);
    vi.advanceTimersByTime(2 * minuteMs);
    let bytes = 0;
    const all = new Promise<void>((resolve, reject) => {
      client.on('close', () => reject(new Error(`closed after ${bytes} bytes`)));
      client.on('message', (data) => {
        bytes += (data as Buffer).length;
        if (bytes === frames * frame.length) resolve();
      });
    });
    client.resume();
    await all;
  });

  test('is closed when its client has read nothing for many minutes', async () => {
    const { client, ws } = await connect();
    client.pause();
    for (let i = 0; i < frames; i++) ws.send(frame);
    const closed = once(ws, 'close');
    vi.advanceTimersByTime(10 * minuteMs);
    expect(await closed).toEqual([1006, Buffer.alloc(0)]);
  });

  test('is closed within a minute when its client, who has all, does not answer', async () => {
    const { ws } = await connect({ autoPong: false });
    const closed = once(ws, 'close');
    vi.advanceTimersByTime(minuteMs);
    expect(await closed).toEqual([1006, Buffer.alloc(0)]);
  });
});

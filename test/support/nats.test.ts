import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startNats } from './nats.ts';

/** The first line that a server says. */
const infoOf = (port: number) =>
  new Promise<Record<string, unknown>>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', reject);
    socket.once('data', (data) => {
      socket.destroy();
      resolve(JSON.parse(data.toString().split('\r\n')[0]!.slice('INFO '.length)));
    });
  });

async function start() {
  const server = await startNats();
  onTestFinished(() => server.stop());
  return server;
}

test('runs with the settings that are shipped', async () => {
  const { port } = await start();
  expect(await infoOf(port)).toMatchObject({ jetstream: true, max_payload: 1_048_576, host: '127.0.0.1' });
});

test('a restart is another process on the same port', async () => {
  const server = await start();
  const before = server.pid;
  await server.restart();
  expect(server.pid).not.toBe(before);
  expect(await infoOf(server.port)).toMatchObject({ port: server.port });
});

test('a killed server is gone at once and can be started again', async () => {
  const server = await start();
  await server.kill();
  expect(server.running).toBe(false);
  await expect(infoOf(server.port)).rejects.toThrow(/ECONNREFUSED/);
  await server.restart();
  expect(await infoOf(server.port)).toMatchObject({ jetstream: true });
});

test('its temporary data is removed when it is stopped', async () => {
  const server = await startNats();
  expect(existsSync(server.dir)).toBe(true);
  await server.stop();
  expect(existsSync(server.dir)).toBe(false);
});

import { existsSync } from 'node:fs';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { startRedis } from './redis.ts';

async function start() {
  const server = await startRedis();
  const client = new Redis(server.url);
  client.on('error', () => {});
  onTestFinished(async () => {
    client.disconnect();
    await server.stop();
  });
  return { server, client };
}

test('runs with the settings that are shipped', async () => {
  const { client } = await start();
  const settings = await client.config('GET', 'appendonly', 'appendfsync', 'maxmemory-policy', 'save');
  expect(settings).toEqual(
    expect.arrayContaining([
      'appendonly',
      'yes',
      'appendfsync',
      'everysec',
      'maxmemory-policy',
      'noeviction',
      'save',
      '',
    ]),
  );
});

test('a restart is another process on the same port with the same data', async () => {
  const { server, client } = await start();
  await client.set('kept', 'yes');
  const before = server.pid;
  await server.restart();
  expect(server.pid).not.toBe(before);
  expect(await client.get('kept')).toBe('yes');
});

test('a killed server is gone at once and can be started again', async () => {
  const { server, client } = await start();
  await server.kill();
  expect(server.running).toBe(false);
  expect(() => process.kill(server.pid, 0)).toThrow();
  await server.restart();
  expect(await client.ping()).toBe('PONG');
});

test('what it has written survives a kill', async () => {
  const { server, client } = await start();
  for (let i = 0; i < 100; i++) await client.set(`key${i}`, 'x'.repeat(10_000));
  await server.written();
  await server.kill();
  await server.restart();
  expect(await client.dbsize()).toBe(100);
});

test('its temporary data is removed when it is stopped', async () => {
  const server = await startRedis();
  const client = new Redis(server.url);
  const dir = ((await client.config('GET', 'dir')) as string[])[1]!;
  client.disconnect();
  expect(existsSync(dir)).toBe(true);
  await server.stop();
  expect(existsSync(dir)).toBe(false);
});

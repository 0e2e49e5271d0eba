import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startTcpProxy } from './tcp-proxy.ts';
import { until } from './wait.ts';

/** A server that says everything back, behind a proxy, and a client of it. */
async function start() {
  const server = createServer((socket) => socket.on('error', () => {}).pipe(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await startTcpProxy({ to: (server.address() as AddressInfo).port });
  const client: Socket = connect(proxy.port, '127.0.0.1');
  let heard = '';
  client.on('data', (data) => {
    heard += data.toString();
  });
  client.on('error', () => {});
  await once(client, 'connect');
  onTestFinished(async () => {
    client.destroy();
    await proxy.close();
    server.close();
  });
  return { proxy, client, heard: () => heard };
}

test('passes everything on', async () => {
  const { client, heard } = await start();
  client.write('hello');
  await until(() => heard() === 'hello', { what: 'the echo' });
});

test('holds what is said while it is frozen, and passes it on in order afterwards', async () => {
  const { proxy, client, heard } = await start();
  client.write('a');
  await until(() => heard() === 'a', { what: 'the echo' });
  proxy.freeze();
  for (const letter of 'bcd') client.write(letter);
  // Time for an answer that must not come: the same way round, beside the proxy, takes well under a millisecond.
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(heard()).toBe('a');
  proxy.thaw();
  await until(() => heard() === 'abcd', { what: 'the rest' });
});

test('breaks its connections when it is told to', async () => {
  const { proxy, client } = await start();
  // The break is an error of the socket's, too.
  const closed = new Promise((resolve) => client.once('close', resolve));
  proxy.cut();
  await closed;
});

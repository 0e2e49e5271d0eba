import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { RhapsodeError } from '@rhapsode/contracts';
import type { Lifecycle } from '@rhapsode/telemetry';
import type { GatewayDeps } from '../deps.ts';
import { type Conversation, converse } from './conversation.ts';

export interface WyomingOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly lifecycle: Lifecycle;
}

const mostConnections = 512;

/** Speaks the Wyoming protocol, so that Home Assistant finds us. Resolves with the port when it listens. */
export async function startWyoming(
  deps: GatewayDeps,
  { host, port, lifecycle }: WyomingOptions,
): Promise<number> {
  const open = new Map<Socket, Conversation>();
  const server = createServer({ allowHalfOpen: true, keepAlive: true, keepAliveInitialDelay: 30_000 });
  server.maxConnections = mostConnections;
  server.on('connection', (socket) => {
    const conversation = converse(socket, deps);
    open.set(socket, conversation);
    socket.once('close', () => open.delete(socket));
  });
  server.listen({ host, port });
  await once(server, 'listening').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EADDRINUSE') throw cause;
    throw new RhapsodeError('port_in_use', {
      message: `Port ${port} of ${host} is in use; stop the other program or set RHAPSODE_WYOMING_PORT.`,
      cause,
    });
  });
  const closed = Promise.withResolvers<void>();
  server.once('close', () => closed.resolve());
  /** At once, however long others are still to be closed before us. */
  const takeNoMore = () => {
    server.close();
    for (const conversation of open.values()) conversation.drain();
  };
  if (lifecycle.draining.aborted) takeNoMore();
  else lifecycle.draining.addEventListener('abort', takeNoMore, { once: true });
  lifecycle.onClose('wyoming', async ({ signal }) => {
    const cut = () => {
      for (const socket of open.keys()) socket.destroy();
    };
    signal.addEventListener('abort', cut, { once: true });
    if (signal.aborted) cut();
    await closed.promise;
    signal.removeEventListener('abort', cut);
  });
  return (server.address() as AddressInfo).port;
}

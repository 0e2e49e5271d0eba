import { connect, createServer, type Socket } from 'node:net';
import { type Duplex, PassThrough, pipeline, Transform } from 'node:stream';

export interface TcpProxyOptions {
  /** Port of the loopback that connections are passed on to. */
  readonly to: number;
  /** Made for each connection; what the server says goes through it. */
  readonly fromServer?: () => Duplex;
}

export interface TcpProxy {
  readonly port: number;
  /** Breaks all connections, as a crashed peer does. */
  cut(): void;
  /** From now on nothing passes in either direction, and nobody is told: a partition. */
  freeze(): void;
  thaw(): void;
  close(): Promise<void>;
}

/** Stands between a program and a server, to make their connection misbehave. */
export async function startTcpProxy({
  to,
  fromServer = () => new PassThrough(),
}: TcpProxyOptions): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const held = new Set<() => void>();
  let frozen = false;

  /** Holds what passes while the proxy is frozen; behind it the sender's own buffers fill. */
  const door = () =>
    new Transform({
      transform(data: Buffer, _encoding, done) {
        const pass = () => done(null, data);
        if (frozen) held.add(pass);
        else pass();
      },
    });

  const server = createServer((client) => {
    const upstream = connect(to, '127.0.0.1');
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    }
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    pipeline(client, door(), upstream, end);
    pipeline(upstream, fromServer(), door(), client, end);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');

  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: address.port,
    cut,
    freeze() {
      frozen = true;
    },
    thaw() {
      frozen = false;
      for (const pass of held) pass();
      held.clear();
    },
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      cut();
      return closed;
    },
  };
}

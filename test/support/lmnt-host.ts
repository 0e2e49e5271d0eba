import { readFile } from 'node:fs/promises';
import { type AddressInfo, connect, Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { createServer, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { fileURLToPath } from 'node:url';

const host = 'api.lmnt.com';
const pem = (name: string) => readFile(fileURLToPath(new URL(`certificates/${name}.pem`, import.meta.url)));

/**
 * Leads this process's connections to LMNT's host to a port of ours, as a name server and a trusted certificate would: the
 * sockets of LMNT's older clients go to `wss://api.lmnt.com` and nowhere else.
 */
export async function becomeLmnt(port: number): Promise<{ close(): Promise<void> }> {
  const [cert, key, authority] = await Promise.all([pem('server'), pem('server-key'), pem('authority')]);
  const server = createServer({ cert, key }, (secure) => {
    const plain = connect(port, '127.0.0.1');
    const ignore = () => {};
    pipeline(secure, plain, ignore);
    pipeline(plain, secure, ignore);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: ours } = server.address() as AddressInfo;

  const trusted = getCACertificates('default');
  setDefaultCACertificates([...trusted, authority.toString()]);
  const { connect: usual } = Socket.prototype;
  Socket.prototype.connect = function (this: Socket, ...args: unknown[]) {
    // Node hands over what it has made of the arguments as one list.
    const [options] = (Array.isArray(args[0]) ? args[0] : args) as [{ host?: string; port?: number }];
    if (options?.host === host) Object.assign(options, { host: '127.0.0.1', port: ours });
    return (usual as (...all: unknown[]) => Socket).apply(this, args);
  } as typeof usual;

  return {
    async close() {
      Socket.prototype.connect = usual;
      setDefaultCACertificates(trusted);
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

import type { AddressInfo } from 'node:net';
import { RhapsodeError } from '@rhapsode/contracts';
import type { Lifecycle } from '@rhapsode/telemetry';
import type { FastifyInstance } from 'fastify';

export interface ListenOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly lifecycle: Lifecycle;
}

/**
 * Listens, and closes with the lifecycle: no new connection from then on, answers that are under way may end, until the
 * grace is over.
 */
export async function listen(
  app: FastifyInstance,
  { host, port, lifecycle }: ListenOptions,
): Promise<AddressInfo> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
      throw new RhapsodeError('config_invalid', {
        message: `${host} is no address of this machine; set RHAPSODE_HOST to one that is, 0.0.0.0 for all, or 127.0.0.1.`,
        cause,
      });
    if (code === 'EACCES')
      throw new RhapsodeError('config_invalid', {
        message: `This user may not listen on port ${port} of ${host}; set RHAPSODE_PORT to one from 1024 on.`,
        cause,
      });
    if (code !== 'EADDRINUSE') throw cause;
    throw new RhapsodeError('port_in_use', {
      message: `Port ${port} of ${host} is in use; stop the other program or set RHAPSODE_PORT.`,
      cause,
    });
  }
  lifecycle.onClose('http', async ({ signal }) => {
    const cut = () => app.server.closeAllConnections();
    signal.addEventListener('abort', cut, { once: true });
    if (signal.aborted) cut();
    await app.close();
    signal.removeEventListener('abort', cut);
  });
  return app.server.address() as AddressInfo;
}

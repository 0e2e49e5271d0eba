import type { Lifecycle } from '@rhapsode/telemetry';
import type { GatewayDeps } from './deps.ts';
import { startWyoming } from './wyoming/server.ts';

export interface ProtocolOptions {
  readonly host: string;
  readonly wyomingPort: number | undefined;
}

/** Starts the protocols that have a port of their own, those that are not off. */
export async function startProtocols(
  { host, wyomingPort }: ProtocolOptions,
  deps: GatewayDeps,
  lifecycle: Lifecycle,
): Promise<void> {
  if (wyomingPort !== undefined) {
    const port = await startWyoming(deps, { host, port: wyomingPort, lifecycle });
    deps.log.info({ port }, 'Wyoming is up');
  }
}

import { RhapsodeError } from '@rhapsode/contracts';
import type { Health, Lifecycle } from '@rhapsode/telemetry';
import type { GatewayDeps } from './deps.ts';
import type { TlsFiles } from './grpc/credentials.ts';
import { startGrpc } from './grpc/server.ts';
import { startWyoming } from './wyoming/server.ts';

export interface ProtocolOptions extends TlsFiles {
  readonly host: string;
  readonly grpcPort: number | 'off' | undefined;
  readonly wyomingPort: number | 'off';
}

export interface ProtocolContext {
  readonly lifecycle: Lifecycle;
  readonly health: Health;
}

const usualGrpcPort = 50_051;

/** Starts the protocols that have a port of their own. Those that are off are named too. */
export async function startProtocols(
  options: ProtocolOptions,
  deps: GatewayDeps,
  context: ProtocolContext,
): Promise<void> {
  const { host, wyomingPort } = options;
  const { log } = deps;
  await startLuna(options, deps, context);
  if (wyomingPort === 'off') log.info('Wyoming is off');
  else {
    const port = await startWyoming(deps, { host, port: wyomingPort, lifecycle: context.lifecycle });
    log.info({ port }, 'Wyoming is up');
  }
}

/** A port that nobody asked for is no reason not to start: several gateways may be on one machine. */
async function startLuna(
  options: ProtocolOptions,
  deps: GatewayDeps,
  context: ProtocolContext,
): Promise<void> {
  const { grpcPort: asked } = options;
  const { log } = deps;
  if (asked === 'off') return log.info('gRPC is off');
  try {
    const { port, tls } = await startGrpc(deps, { ...options, port: asked ?? usualGrpcPort, ...context });
    log.info({ port, tls }, 'gRPC is up');
  } catch (error) {
    if (asked !== undefined || !(error instanceof RhapsodeError) || error.code !== 'port_in_use') throw error;
    log.warn(
      { port: usualGrpcPort },
      'gRPC is off: another program has its usual port; set RHAPSODE_GRPC_PORT',
    );
  }
}

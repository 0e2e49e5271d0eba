import { fileURLToPath } from 'node:url';
import {
  loadPackageDefinition,
  logVerbosity,
  Server,
  type ServiceClientConstructor,
  setLogVerbosity,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { RhapsodeError } from '@rhapsode/contracts';
import type { Health, Lifecycle } from '@rhapsode/telemetry';
import { HealthImplementation } from 'grpc-health-check';
import type { GatewayDeps } from '../deps.ts';
import { withCheckedText } from './checked-text.ts';
import { createCredentials, type TlsFiles } from './credentials.ts';
import { lunaService } from './luna.ts';

export interface GrpcOptions extends TlsFiles {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly lifecycle: Lifecycle;
  /** What `grpc.health.v1` says follows `/readyz`. */
  readonly health: Pick<Health, 'ready'>;
}

const serviceName = 'cobaltspeech.luna.Luna';
const healthEveryMs = 2_000;
/** For what was written to reach its readers. */
const lastWordsMs = 500;
const limits = {
  // A text of the default limit is a fifth of it.
  'grpc.max_receive_message_length': 4 << 20,
  'grpc.max_send_message_length': 68 << 20,
  'grpc.max_concurrent_streams': 1_000,
  // A client whose machine went away without a word is noticed.
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 20_000,
};

/** Speaks Luna's gRPC, with health and reflection beside. Resolves with the port when it listens. */
export async function startGrpc(
  deps: GatewayDeps,
  options: GrpcOptions,
): Promise<{ port: number; tls: string }> {
  const { host, lifecycle } = options;
  // What goes wrong is said in our own log.
  setLogVerbosity(logVerbosity.NONE);
  const { credentials, tls } = await createCredentials(options);
  const definition = loadSync(fileOf('luna.proto'), {
    keepCase: true,
    longs: String,
    defaults: true,
  });
  const { service } = (
    loadPackageDefinition(definition) as unknown as {
      cobaltspeech: { luna: { Luna: ServiceClientConstructor } };
    }
  ).cobaltspeech.luna.Luna;

  const server = new Server(limits);
  const speaking = new Set<Promise<void>>();
  server.addService(withCheckedText(service), lunaService(deps, speaking));
  // Both: who calls what reflection describes, as grpcurl does, asks for the health, too.
  new ReflectionService({ ...definition, ...loadSync(fileOf('health.proto')) }).addToServer(server);
  const health = new HealthImplementation({ '': 'NOT_SERVING', [serviceName]: 'NOT_SERVING' });
  health.addToServer(server);

  const port = await bind(server, { host, port: options.port }, credentials);
  const tellHealth = async () => {
    const { ok } = await options.health.ready();
    const status = ok && !lifecycle.draining.aborted ? 'SERVING' : 'NOT_SERVING';
    for (const name of ['', serviceName]) health.setStatus(name, status);
  };
  const told = () =>
    tellHealth().catch((error: unknown) => deps.log.warn({ error }, 'gRPC health is not known'));
  const timer = setInterval(() => void told(), healthEveryMs).unref();
  void told();

  const over = Promise.withResolvers<void>();
  /** At once, however long others are still to be closed before us: calls that run may end, and none is begun. */
  const takeNoMore = () => {
    clearInterval(timer);
    void told();
    server.tryShutdown(() => over.resolve());
  };
  if (lifecycle.draining.aborted) takeNoMore();
  else lifecycle.draining.addEventListener('abort', takeNoMore, { once: true });

  lifecycle.onClose('grpc', async ({ signal }) => {
    const cut = () => server.forceShutdown();
    signal.addEventListener('abort', cut, { once: true });
    if (signal.aborted) cut();
    while (speaking.size > 0) await Promise.race([over.promise, Promise.allSettled(speaking)]);
    // Whoever watches the health would keep us for ever.
    const last = setTimeout(cut, lastWordsMs);
    await over.promise;
    clearTimeout(last);
    signal.removeEventListener('abort', cut);
  });
  return { port, tls };
}

const fileOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

async function bind(
  server: Server,
  { host, port }: { host: string; port: number },
  credentials: Awaited<ReturnType<typeof createCredentials>>['credentials'],
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync(`${host.includes(':') ? `[${host}]` : host}:${port}`, credentials, (error, bound) =>
    error ? reject(error) : resolve(bound),
  );
  return promise.catch((cause: Error) => {
    if (!/EADDRINUSE/.test(cause.message)) throw cause;
    throw new RhapsodeError('port_in_use', {
      message: `Port ${port} of ${host} is in use; stop the other program or set RHAPSODE_GRPC_PORT (a port, or off).`,
      cause,
    });
  });
}

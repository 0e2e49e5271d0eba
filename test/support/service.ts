import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './ports.ts';
import { type RunningProcess, startProcess, untilReady } from './process.ts';
import { until, within } from './wait.ts';

export type ServiceName = 'gateway' | 'worker' | 'collector';

export interface ServiceOptions {
  readonly service: ServiceName;
  readonly env: Readonly<Record<string, string>>;
  readonly port?: number;
}

/** One of the three services as a process of its own. */
export interface Service {
  readonly service: ServiceName;
  readonly url: string;
  /** Changes with every restart. */
  readonly pid: number;
  readonly running: boolean;
  readonly exited: Promise<number | NodeJS.Signals>;
  output(): string;
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again, on the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
  /** Answers when `/readyz` does with 200. */
  untilReady(timeoutMs?: number): Promise<void>;
  /** A metric of `/metrics`, summed over its labels that contain `labels`. */
  metric(name: string, labels?: string): Promise<number>;
  /** Blocks the loop of its main thread, as a long computation would; answers when it has begun. */
  block(forMs: number): Promise<void>;
}

const root = new URL('../../', import.meta.url);
const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
  scripts: Record<ServiceName, string>;
};

/** As package.json starts it: Node's options, then the file. */
function commandOf(service: ServiceName): string[] {
  const [, ...options] = scripts[service].split(' ');
  const main = options.pop()!;
  return [...options, fileURLToPath(new URL(main, root))];
}

/** Its process, whether it comes up or not. */
export function launchService({
  service,
  env,
  port,
}: ServiceOptions & { readonly port: number }): RunningProcess {
  // The inspector sleeps until a SIGUSR1 asks for it.
  return startProcess(process.execPath, ['--inspect-port=0', ...commandOf(service)], {
    env: {
      RHAPSODE_HOST: '127.0.0.1',
      RHAPSODE_PORT: String(port),
      RHAPSODE_GRPC_PORT: 'off',
      RHAPSODE_LOG_LEVEL: 'warn',
      // A service is started many times: half of its start is reading the same TypeScript.
      NODE_COMPILE_CACHE: join(tmpdir(), 'rhapsode-compile-cache'),
      ...env,
    },
  });
}

export async function startService({ service, env, port: given }: ServiceOptions): Promise<Service> {
  const port = given ?? (await freePort());
  const url = `http://127.0.0.1:${port}`;
  const launch = () => launchService({ service, env, port });
  const ready = async () => (await fetch(`${url}/readyz`)).status === 200;
  let running = launch();
  await untilReady(running, service, ready, 90_000);

  return {
    service,
    url,
    get pid() {
      return running.pid;
    },
    get running() {
      return running.running;
    },
    get exited() {
      return running.exited;
    },
    output: () => running.output(),
    signal: (signal) => running.signal(signal),
    kill: (signal = 'SIGKILL') => running.kill(signal),
    async restart() {
      if (running.running) await running.stop();
      running = launch();
      await untilReady(running, service, ready, 90_000);
    },
    stop: () => running.stop(),
    async untilReady(timeoutMs = 20_000) {
      await until(ready, { what: `${service} to be ready`, timeoutMs });
    },
    async metric(name, labels = '') {
      const text = await (await fetch(`${url}/metrics`)).text();
      const lines = text
        .split('\n')
        .filter((line) => line.startsWith(name) && /[{ ]/.test(line[name.length]!));
      return lines
        .filter((line) => line.includes(labels))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
    },
    async block(forMs) {
      running.signal('SIGUSR1');
      const address = await until(() => /Debugger listening on (ws:\S+)/.exec(running.output())?.[1], {
        what: 'the inspector',
      });
      const socket = new WebSocket(address);
      const opened = Promise.withResolvers<void>();
      socket.onopen = () => opened.resolve();
      socket.onerror = () => opened.reject(new Error('the inspector refused'));
      await within(opened.promise, { what: 'the inspector to answer' });
      // Without waiting for its end: the loop itself has to end the expression.
      const begun = Promise.withResolvers<void>();
      socket.onmessage = () => begun.resolve();
      const expression = `setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${forMs}))`;
      socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression } }));
      await within(begun.promise, { what: 'the loop to be blocked' });
      socket.onmessage = null;
      socket.close();
    },
  };
}

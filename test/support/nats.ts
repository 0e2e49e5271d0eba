import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { needExecutable } from './executables.ts';
import { freePort } from './ports.ts';
import { type RunningProcess, startProcess, untilReady } from './process.ts';

const shipped = fileURLToPath(new URL('../../deploy/nats/nats.conf', import.meta.url));

export interface NatsOptions {
  readonly port?: number;
  /** Where streams with file storage are kept; a temporary directory that `stop()` removes if not given. */
  readonly dir?: string;
  /** Another file than deploy/nats/nats.conf. */
  readonly config?: string;
  /** Added to the command line: `['--user', 'a', '--pass', 'b']`. */
  readonly args?: readonly string[];
}

export interface NatsServer {
  readonly url: string;
  readonly port: number;
  /** Where streams with file storage are kept. */
  readonly dir: string;
  /** Changes with every restart. */
  readonly pid: number;
  readonly running: boolean;
  /** SIGSTOP and SIGCONT return at once; any other signal is waited for until the server is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Stops it if it still runs; starts it again on the same port. Streams with file storage are still there. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** A real nats-server on the loopback, its streams loaded. */
export async function startNats(options: NatsOptions = {}): Promise<NatsServer> {
  const program = needExecutable('nats-server');
  const port = options.port ?? (await freePort());
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'rhapsode-nats-')));
  const args = [
    ...['--config', options.config ?? shipped],
    ...['--addr', '127.0.0.1', '--port', String(port), '--store_dir', dir],
    ...(options.args ?? []),
  ];

  const start = async (): Promise<RunningProcess> => {
    const started = startProcess(program, args);
    await untilReady(started, 'nats-server', () => answersPing(port));
    return started;
  };
  let server = await start();

  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    dir,
    get pid() {
      return server.pid;
    },
    get running() {
      return server.running;
    },
    async kill(signal = 'SIGKILL') {
      if (signal === 'SIGSTOP' || signal === 'SIGCONT') server.signal(signal);
      else await server.kill(signal);
    },
    async restart() {
      await server.stop();
      server = await start();
    },
    async stop() {
      await server.stop();
      if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Without a client library: clients are accepted once JetStream has its streams. */
function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    let said = '';
    const socket = connect(port, '127.0.0.1', () => socket.write('CONNECT {"verbose":false}\r\nPING\r\n'));
    const answer = (pong: boolean) => {
      socket.destroy();
      resolve(pong);
    };
    socket.setTimeout(1_000, () => answer(false));
    socket.on('data', (data) => {
      said += data.toString();
      // One that wants a password says so; it is ready, too.
      if (said.includes('PONG\r\n') || said.includes('-ERR')) answer(true);
    });
    socket.once('error', () => answer(false));
    socket.once('close', () => resolve(false));
  });
}

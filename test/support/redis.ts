import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { needExecutable } from './executables.ts';
import { freePort } from './ports.ts';
import { type RunningProcess, startProcess, untilReady } from './process.ts';

const configFile = fileURLToPath(new URL('../../deploy/redis/redis.conf', import.meta.url));

export interface RedisOptions {
  readonly port?: number;
  /** Where the append-only file is kept; a temporary directory that `stop()` removes if not given. */
  readonly dir?: string;
  /** Settings over those of deploy/redis/redis.conf: `{ maxmemory: '8mb' }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** Changes with every restart. */
  readonly pid: number;
  readonly running: boolean;
  /** SIGSTOP and SIGCONT return at once; any other signal is waited for until the server is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Stops it if it still runs; starts it again on the same port with the data of its append-only file. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** A real Redis on the loopback. It is ready: it has loaded its data and answers PING. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const program = needExecutable('redis-server');
  const port = options.port ?? (await freePort());
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'rhapsode-redis-')));
  const settings = {
    bind: '127.0.0.1',
    port: String(port),
    dir,
    ...options.settings,
  };
  const args = [configFile, ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])];

  const start = async (): Promise<RunningProcess> => {
    const started = startProcess(program, args);
    await untilReady(started, 'redis-server', () => answersPing(port));
    return started;
  };
  let server = await start();

  return {
    url: `redis://127.0.0.1:${port}`,
    port,
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

/** Without a client library: `+PONG` is not said before the data is loaded. */
function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const answer = (pong: boolean) => {
      socket.destroy();
      resolve(pong);
    };
    socket.setTimeout(1_000, () => answer(false));
    socket.once('data', (data) => answer(data.toString().startsWith('+PONG')));
    socket.once('error', () => answer(false));
    socket.once('close', () => resolve(false));
  });
}

import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { needExecutable } from './executables.ts';
import { freePort } from './ports.ts';
import { type RunningProcess, startProcess, untilReady } from './process.ts';
import { until } from './wait.ts';

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
  /**
   * Resolves when everything it has acknowledged is in its append-only file. While an older flush to a slow disk lasts, Redis
   * holds writes back, for two seconds at most; a kill within them loses them, whatever has been acknowledged.
   */
  written(): Promise<void>;
  /** Stops it if it still runs; starts it again on the same port with the data of its append-only file. */
  restart(settings?: Readonly<Record<string, string>>): Promise<void>;
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
  const start = async (more: Readonly<Record<string, string>> = {}): Promise<RunningProcess> => {
    const options = Object.entries({ ...settings, ...more });
    const args = [configFile, ...options.flatMap(([name, value]) => [`--${name}`, value])];
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
    async written() {
      const empty = /\baof_buffer_length:0\r/;
      await until(async () => empty.test(await ask(port, 'INFO persistence', /aof_buffer_length:\d+\r/)), {
        what: 'the append-only file to be written',
      });
    },
    async restart(more) {
      await server.stop();
      server = await start(more);
    },
    async stop() {
      await server.stop();
      if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
    },
  };
}

/** `+PONG` is not said before the data is loaded. */
const answersPing = async (port: number): Promise<boolean> =>
  (await ask(port, 'PING', /^.*\r\n/)).startsWith('+PONG');

/** The answer to one command, as far as it came within a second; without a client library. */
function ask(port: number, command: string, whole: RegExp): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\n`));
    socket.setTimeout(1_000, () => socket.destroy());
    socket.on('data', (data) => {
      answer += data.toString();
      if (whole.test(answer)) socket.destroy();
    });
    socket.once('error', () => {});
    socket.once('close', () => resolve(answer));
  });
}

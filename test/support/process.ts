import { type ChildProcess, spawn } from 'node:child_process';
import { childEnvironment } from './config.ts';
import { until } from './wait.ts';

export interface ProcessOptions {
  readonly cwd?: string;
  /** Added to the environment of the tests. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface RunningProcess {
  readonly pid: number;
  readonly running: boolean;
  /** Exit code, or the signal's name. */
  readonly exited: Promise<number | NodeJS.Signals>;
  /** The last of what it wrote, for error messages. */
  output(): string;
  /** Sends a signal that the process survives: SIGSTOP, SIGCONT, SIGUSR2. */
  signal(signal: NodeJS.Signals): void;
  /** Sends a signal that ends it, and waits until it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** SIGTERM; SIGKILL when it still runs after `graceMs`. */
  stop(graceMs?: number): Promise<void>;
}

const alive = new Set<ChildProcess>();
const killAll = () => {
  for (const child of alive) child.kill('SIGKILL');
};
// A test run that ends early leaves no server behind; nor does one that is ended by its runner.
process.once('exit', killAll);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
  process.once(signal, () => {
    killAll();
    // Now that this listener is gone, the signal does what it does without one, unless somebody else listens.
    process.kill(process.pid, signal);
  });

const outputLimit = 16_384;

export function startProcess(
  command: string,
  args: readonly string[],
  { cwd, env }: ProcessOptions = {},
): RunningProcess {
  const child = spawn(command, args, {
    cwd,
    env: childEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  alive.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      output = (output + text).slice(-outputLimit);
    });
  }
  const exited = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('error', (error) => {
      output += `${error.message}\n`;
      alive.delete(child);
      resolve(127);
    });
    child.once('close', (code, signal) => {
      alive.delete(child);
      resolve(code ?? signal!);
    });
  });
  const kill = async (signal: NodeJS.Signals = 'SIGKILL') => {
    // A stopped process does not hear SIGTERM before it is continued.
    if (alive.has(child) && child.kill(signal)) child.kill('SIGCONT');
    await exited;
  };
  return {
    pid: child.pid ?? -1,
    get running() {
      return alive.has(child);
    },
    exited,
    output: () => output,
    signal: (signal) => void child.kill(signal),
    kill,
    async stop(graceMs = 5_000) {
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await kill('SIGTERM');
      clearTimeout(timer);
    },
  };
}

/** Waits until `ready` holds; a process that ends before that is an error with its output. */
export async function untilReady(
  started: RunningProcess,
  what: string,
  ready: () => Promise<boolean>,
  timeoutMs = 10_000,
): Promise<void> {
  const ended = () => new Error(`${what} ended before it was ready:\n${started.output()}`);
  try {
    await until(async () => !started.running || (await ready()), { what: `${what} to be ready`, timeoutMs });
  } catch (error) {
    await started.kill();
    throw new Error(`${(error as Error).message}:\n${started.output()}`, { cause: error });
  }
  if (!started.running) throw ended();
}

import { type ChildProcess, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly input?: string | Buffer;
  readonly env?: object;
  /** Sends Ctrl-C, or another signal, when that was seen on standard error. */
  readonly interruptAfter?: RegExp;
  readonly interruptWith?: NodeJS.Signals;
}

/** Runs the command in a folder as a user would, with the test voices. */
export const command = (folder: string, args: string[], options?: RunOptions): Promise<Ran> =>
  start(folder, args, options).ended;

/** Begins to. */
export function start(
  folder: string,
  args: string[],
  { input, env, interruptAfter }: RunOptions = {},
): { child: ChildProcess; ended: Promise<Ran> } {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: folder,
    env: {
      PATH: '/usr/bin:/bin',
      // The command is started many times: half of its start is reading the same TypeScript.
      NODE_COMPILE_CACHE: join(tmpdir(), 'rhapsode-compile-cache'),
      RHAPSODE_TEST_VOICES: 'true',
      RHAPSODE_DEFAULT_VOICE: 'tone',
      RHAPSODE_SLOTS: '1',
      ...env,
    },
  });
  let [out, err, interrupted] = ['', '', false];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
    if (interrupted || !interruptAfter?.test(err)) return;
    interrupted = true;
    child.kill('SIGINT');
  });
  child.stdin.end(input ?? '');
  const ended = new Promise<Ran>((resolve) => child.on('close', (code) => resolve({ code, out, err })));
  return { child, ended };
}

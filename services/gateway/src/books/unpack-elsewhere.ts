import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type ErrorCode, RhapsodeError } from '@rhapsode/contracts';
import type { Unpacked } from './unpack-json.ts';

type Answer =
  | { readonly unpacked: Unpacked }
  | { readonly failed: { readonly code: ErrorCode; readonly message: string; readonly param?: string } };

const memoryMb = 1_536;

/** `unpackJson` for a request so long that this process would grow by it. */
export async function unpackElsewhere(path: string, dir: string, signal: AbortSignal): Promise<Unpacked> {
  const child = fork(new URL('./unpack-child.ts', import.meta.url), {
    execArgv: [`--max-old-space-size=${memoryMb}`],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  child.on('error', () => {});
  const kill = () => child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  try {
    signal.throwIfAborted();
    child.send({ path, dir });
    const answer = await Promise.race([
      once(child, 'message').then(([message]) => message as Answer),
      once(child, 'exit').then(() => undefined),
    ]);
    signal.throwIfAborted();
    if (!answer)
      throw new RhapsodeError('payload_too_large', {
        message: 'the request takes too much memory; send the text as a file',
      });
    if ('failed' in answer) throw new RhapsodeError(answer.failed.code, answer.failed);
    return answer.unpacked;
  } finally {
    signal.removeEventListener('abort', kill);
    kill();
  }
}

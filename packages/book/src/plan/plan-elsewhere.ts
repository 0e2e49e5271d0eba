import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isErrorCode, RhapsodeError } from '@rhapsode/contracts';
import { linesOf } from './lines-of.ts';
import type { PlanLine, PlanTask } from './plan-task.ts';

export interface PlanSupervision {
  /** The process may hold this much; a hostile document is refused that way, whatever its trick. */
  readonly memoryMb?: number;
  /** Longest that it may be silent. */
  readonly silenceMs?: number;
}

const watchMs = 200;

/**
 * Plans a manuscript in a process of its own; yields what it says as it is read, no faster. Ends with the line `end`, or
 * throws what is wrong with the manuscript.
 */
export async function* planElsewhere(
  task: PlanTask,
  { memoryMb = 1_536, silenceMs = 120_000 }: PlanSupervision = {},
  signal?: AbortSignal,
): AsyncGenerator<Exclude<PlanLine, { type: 'failed' }>> {
  signal?.throwIfAborted();
  const child = fork(new URL('./plan-child.ts', import.meta.url), {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    execArgv: [`--max-old-space-size=${memoryMb}`],
    serialization: 'advanced',
  });
  let refused: RhapsodeError | undefined;
  const end = (why: RhapsodeError) => {
    refused ??= why;
    child.kill('SIGKILL');
  };
  let heardMs = performance.now();
  const watch = setInterval(() => {
    if (residentMb(child.pid) > memoryMb)
      end(
        new RhapsodeError('document_unsafe', {
          message: `reading the document takes more than ${memoryMb} MB of memory`,
        }),
      );
    if (performance.now() - heardMs > silenceMs)
      end(
        new RhapsodeError('document_unsafe', {
          message: `reading the document made no progress for ${silenceMs / 1000} s`,
        }),
      );
  }, watchMs);
  const stop = () => child.kill('SIGKILL');
  signal?.addEventListener('abort', stop, { once: true });
  child.on('error', () => {});
  try {
    child.send(task);
    let ended = false;
    for await (const text of linesOf(child.stdout!.setEncoding('utf8'))) {
      const line = JSON.parse(text) as PlanLine;
      if (line.type === 'failed')
        throw new RhapsodeError(isErrorCode(line.code) ? line.code : 'internal_error', {
          message: line.message,
          ...(line.param === undefined ? {} : { param: line.param }),
        });
      ended = line.type === 'end';
      yield line;
      heardMs = performance.now();
    }
    signal?.throwIfAborted();
    if (!ended)
      throw (
        refused ??
        new RhapsodeError('document_unsafe', {
          message: 'the process that reads the document ended before it was done',
        })
      );
  } finally {
    clearInterval(watch);
    signal?.removeEventListener('abort', stop);
    child.kill('SIGKILL');
  }
}

/** 0 where the system does not tell; then the limit of the heap alone holds. */
function residentMb(pid: number | undefined): number {
  try {
    return (Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096) / 2 ** 20;
  } catch {
    return 0;
  }
}

import { fork } from 'node:child_process';
import { RhapsodeError } from '@rhapsode/contracts';
import { type PreparedRecord, preparedRecord } from './onnx/prepare.ts';
import type { PiperFiles, PiperSettings } from './piper.ts';
import { fromWire, type WireError } from './protocol.ts';

export type PrepareAnswer = { readonly record: PreparedRecord } | { readonly error: WireError };

/** Inference blocks its thread, and a broken model may take its process along: so it is tried in a process of its own. */
export async function prepareElsewhere(files: PiperFiles, settings: PiperSettings): Promise<PreparedRecord> {
  const child = fork(new URL('./prepare-child.ts', import.meta.url), [], {
    serialization: 'advanced',
    execPath: process.execPath,
    execArgv: [],
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const answered = Promise.withResolvers<PrepareAnswer>();
  const crashed = (cause?: unknown) =>
    answered.reject(
      new RhapsodeError('model_invalid', { message: 'the model crashed when it was tried', cause }),
    );
  child.once('message', (message) => answered.resolve(message as PrepareAnswer));
  child.once('error', crashed);
  child.once('exit', () => crashed());
  const limit = setTimeout(() => child.kill('SIGKILL'), prepareTimeoutMs);
  child.send({ files, settings });
  try {
    const answer = await answered.promise;
    if ('error' in answer) throw fromWire(answer.error);
    return preparedRecord.parse(answer.record);
  } finally {
    clearTimeout(limit);
    child.kill('SIGKILL');
  }
}

const prepareTimeoutMs = 300_000;

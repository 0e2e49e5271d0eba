import { fork } from 'node:child_process';
import { RhapsodeError } from '@rhapsode/contracts';
import { type PreparedRecord, preparedRecord } from './onnx/prepare.ts';
import type { PiperFiles, PiperSettings } from './piper.ts';
import { fromWire, type WireError } from './protocol.ts';
import { residentBytes } from './resident-bytes.ts';

export type PrepareRequest =
  | { readonly files: PiperFiles; readonly settings: PiperSettings }
  | { readonly provider: string };
export type PrepareAnswer =
  | { readonly record: PreparedRecord }
  | { readonly works: true }
  | { readonly error: WireError };

/** What one try may take. */
export interface PrepareLimits {
  readonly timeoutMs: number;
  readonly bytes: number;
}
/** The largest published voices take a tenth of this. */
const usualLimits: PrepareLimits = { timeoutMs: 300_000, bytes: 6 * 2 ** 30 };

/** Tries a voice's graph and keeps what came of it. */
export async function prepareElsewhere(
  files: PiperFiles,
  settings: PiperSettings,
  limits: PrepareLimits = usualLimits,
): Promise<PreparedRecord> {
  const answer = await tryElsewhere({ files, settings }, settings.env, limits);
  return preparedRecord.parse('record' in answer ? answer.record : undefined);
}

/** Whether this machine computes with the execution provider. Rejects with the reason why not. */
export async function tryProvider(
  provider: string,
  env: Readonly<Record<string, string>> | undefined,
): Promise<void> {
  await tryElsewhere({ provider }, env, usualLimits);
}

/**
 * Inference blocks its thread, a broken model may take its process along, ask for all memory or never end; a graphics
 * processor's library keeps what it once took. So models are tried in a process of their own.
 */
async function tryElsewhere(
  request: PrepareRequest,
  env: Readonly<Record<string, string>> | undefined,
  { timeoutMs, bytes }: PrepareLimits,
): Promise<PrepareAnswer> {
  const child = fork(new URL('./prepare-child.ts', import.meta.url), [], {
    serialization: 'advanced',
    execPath: process.execPath,
    execArgv: [],
    env: { ...env },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const answered = Promise.withResolvers<PrepareAnswer>();
  const fail = (what: string, cause?: unknown) =>
    answered.reject(
      new RhapsodeError('model_invalid', { message: `the model ${what} when it was tried`, cause }),
    );
  child.once('message', (message) => answered.resolve(message as PrepareAnswer));
  child.once('error', (cause) => fail('crashed', cause));
  child.once('exit', () => fail('crashed'));
  const limit = setTimeout(() => fail(`took longer than ${timeoutMs / 1000} s`), timeoutMs);
  const watch = setInterval(() => {
    if ((residentBytes(child.pid) ?? 0) > bytes) fail(`took more than ${Math.round(bytes / 2 ** 20)} MB`);
  }, 200);
  child.send(request);
  try {
    const answer = await answered.promise;
    if ('error' in answer) throw fromWire(answer.error);
    return answer;
  } finally {
    clearTimeout(limit);
    clearInterval(watch);
    child.kill('SIGKILL');
  }
}

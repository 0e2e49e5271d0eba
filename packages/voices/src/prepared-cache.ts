import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { machineKind } from './onnx/machine.ts';
import { type Prepared, type PreparedRecord, preparedRecord } from './onnx/prepare.ts';
import { runtimeVersion, type SessionSettings } from './onnx/session.ts';

/** Where the parts of a voice lie once they are made. */
export interface PreparedFiles {
  readonly record: PreparedRecord;
  readonly text: string;
  readonly stages: readonly string[];
}

const file = {
  record: 'record.json',
  text: 'text.onnx',
  stage: (index: number) => `stage-${index}.onnx`,
} as const;

/** Anything that decides what is in the folder: the model, what it was tried with, this code's way of splitting. */
export function preparedKey(
  files: { readonly modelSha256: string; readonly configSha256: string },
  { threads = 1, providers = ['cpu'] }: SessionSettings,
): string {
  const tried = ['split-3', runtimeVersion(), machineKind(), threads, providers.join(',')];
  return createHash('sha256')
    .update([...tried, files.modelSha256, files.configSha256].join('\n'))
    .digest('hex')
    .slice(0, 32);
}

export async function readPrepared(cacheDir: string, key: string): Promise<PreparedFiles | undefined> {
  const folder = join(cacheDir, key);
  const text = await readFile(join(folder, file.record), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const record = preparedRecord.parse(JSON.parse(text));
    return {
      record,
      text: join(folder, file.text),
      stages: (record.layout?.stages ?? []).map((_, index) => join(folder, file.stage(index))),
    };
  } catch {
    return undefined;
  }
}

/** Whole or not at all: several processes may prepare the same voice at once. */
export async function writePrepared(cacheDir: string, key: string, prepared: Prepared): Promise<void> {
  const folder = join(cacheDir, key);
  const fresh = `${folder}.${randomBytes(6).toString('hex')}`;
  await mkdir(fresh, { recursive: true, mode: 0o700 });
  try {
    const { parts } = prepared;
    if (parts !== undefined) {
      await writeFile(join(fresh, file.text), parts.text);
      for (const [index, stage] of parts.stages.entries())
        await writeFile(join(fresh, file.stage(index)), stage);
    }
    await writeFile(join(fresh, file.record), JSON.stringify(prepared.record));
    await rename(fresh, folder).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
      // Somebody else was faster, or what is there can't be read.
      if ((await readPrepared(cacheDir, key)) !== undefined) return;
      await rm(folder, { recursive: true, force: true });
      await rename(fresh, folder);
    });
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { machineKind } from './onnx/machine.ts';
import { type Prepared, type PreparedRecord, preparedRecord } from './onnx/prepare.ts';
import { createSession, runtimeVersion, type SessionSettings, saveOptimised } from './onnx/session.ts';
import { sha256Of } from './voice-folders.ts';

/** Where the parts of a voice lie once they are made. */
export interface PreparedFiles {
  readonly record: PreparedRecord;
  readonly optimised: boolean;
  readonly sha256: readonly string[];
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
  { threads = 1, providers = ['cpu'], batchWindows = 1 }: SessionSettings,
): string {
  const tried = ['split-4', runtimeVersion(), machineKind(), threads, providers.join(',')];
  if (batchWindows > 1) tried.push(`batch ${batchWindows}`);
  return createHash('sha256')
    .update([...tried, files.modelSha256, files.configSha256].join('\n'))
    .digest('hex')
    .slice(0, 32);
}

/** What lies in the folder beside the parts: the record of the graph, and the digests of the parts' files. */
const keptRecord = z.object({
  graph: preparedRecord,
  /** Whether the parts are as the runtime optimised them. */
  optimised: z.boolean(),
  sha256: z.array(z.string()),
});

export async function readPrepared(cacheDir: string, key: string): Promise<PreparedFiles | undefined> {
  const folder = join(cacheDir, key);
  const text = await readFile(join(folder, file.record), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const { graph, optimised, sha256 } = keptRecord.parse(JSON.parse(text));
    const stages = (graph.layout?.stages ?? []).map((_, index) => join(folder, file.stage(index)));
    return { record: graph, optimised, sha256, text: join(folder, file.text), stages };
  } catch {
    return undefined;
  }
}

/** Whether the parts are what was written. */
export async function isIntact({ record, text, stages, sha256 }: PreparedFiles): Promise<boolean> {
  if (record.layout === undefined) return true;
  for (const [i, path] of [text, ...stages].entries())
    if ((await sha256Of(path).catch(() => '')) !== sha256[i]) return false;
  return true;
}

export const discardPrepared = (cacheDir: string, key: string): Promise<void> =>
  rm(join(cacheDir, key), { recursive: true, force: true });

/** Whole or not at all: several processes may prepare the same voice at once. */
export async function writePrepared(
  cacheDir: string,
  key: string,
  { record, parts }: Prepared,
  settings: SessionSettings,
): Promise<void> {
  const folder = join(cacheDir, key);
  const fresh = `${folder}.${randomBytes(6).toString('hex')}`;
  await mkdir(fresh, { recursive: true, mode: 0o700 });
  try {
    const models = parts === undefined ? [] : [parts.text, ...parts.stages];
    const paths = models.map((_, i) => join(fresh, i === 0 ? file.text : file.stage(i - 1)));
    const optimised = await keepOptimised(models, paths, settings);
    if (!optimised) for (const [i, model] of models.entries()) await writeFile(paths[i]!, model);
    const sha256: string[] = [];
    for (const path of paths) sha256.push(await sha256Of(path));
    const kept: z.input<typeof keptRecord> = { graph: record, optimised, sha256 };
    await writeFile(join(fresh, file.record), JSON.stringify(kept));
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

/** Not every provider can write down what it makes of a model. */
async function keepOptimised(
  models: readonly Uint8Array[],
  paths: readonly string[],
  settings: SessionSettings,
): Promise<boolean> {
  try {
    for (const [i, model] of models.entries()) {
      await saveOptimised(model, paths[i]!, settings);
      await (await createSession(paths[i]!, { ...settings, optimised: true })).close();
    }
    return true;
  } catch {
    return false;
  }
}

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { RhapsodeError } from '@rhapsode/contracts';
import { type Manifest, manifest } from './manifest.ts';

/** Files of a voice, present and with the checksums that were promised. */
export interface VoiceFiles {
  readonly id: string;
  readonly manifest: Manifest | undefined;
  readonly engine: Manifest['engine'];
  readonly model: VoiceFile;
  readonly config: VoiceFile;
  /** Kokoro's styles. */
  readonly styles: readonly VoiceFile[];
}

export interface VoiceFile {
  readonly path: string;
  readonly sha256: string;
}

export interface FoundVoice {
  readonly id: string;
  /** Where its files are. */
  readonly folder: string;
  readonly bare: boolean;
  open(): Promise<VoiceFiles>;
}

/** Finds voices: bare Piper pairs in the directory, and folders in it with a `voice.json`. Opens none of them yet. */
export async function findVoices(modelsDir: string): Promise<FoundVoice[]> {
  const entries = await readdir(modelsDir, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new RhapsodeError('config_invalid', {
      message: 'the models directory can’t be read',
      cause: error,
    });
  });
  const names = new Set(entries.map((entry) => entry.name).sort());
  const found: FoundVoice[] = [];
  for (const name of names) {
    if (name.startsWith('.')) continue;
    const folder = join(modelsDir, name);
    if (name.endsWith('.onnx') && names.has(`${name}.json`))
      found.push({
        id: name.slice(0, -5),
        folder: modelsDir,
        bare: true,
        open: () => openPair(modelsDir, name),
      });
    else if ((await stat(join(folder, 'voice.json')).catch(() => undefined))?.isFile())
      found.push({ id: name, folder, bare: false, open: () => openManifest(folder, name) });
  }
  return found;
}

async function openPair(folder: string, name: string): Promise<VoiceFiles> {
  const [model, config] = [join(folder, name), join(folder, `${name}.json`)];
  return {
    id: name.slice(0, -5),
    manifest: undefined,
    engine: 'piper',
    styles: [],
    model: { path: model, sha256: await sha256Of(model) },
    config: { path: config, sha256: await sha256Of(config) },
  };
}

async function openManifest(folder: string, folderName: string): Promise<VoiceFiles> {
  let parsed: Manifest;
  try {
    parsed = manifest.parse(JSON.parse(await readFile(join(folder, 'voice.json'), 'utf8')));
  } catch (cause) {
    throw new RhapsodeError('model_invalid', {
      message: `the manifest of the voice ${folderName} is not valid`,
      cause,
    });
  }
  const id = parsed.id ?? folderName;
  for (const file of parsed.files) {
    const path = join(folder, file.path);
    const known = await stat(path).catch(() => undefined);
    if (known === undefined)
      throw new RhapsodeError('model_missing', { message: `the voice ${id} lacks its file ${file.path}` });
    if ((file.bytes !== undefined && known.size !== file.bytes) || (await sha256Of(path)) !== file.sha256)
      throw new RhapsodeError('model_checksum', {
        message: `the file ${file.path} of the voice ${id} is not the one its manifest names`,
      });
  }
  const named = (pattern: RegExp) => parsed.files.filter((file) => pattern.test(file.path));
  const [model] = named(/\.onnx$/);
  const [config] = named(parsed.engine === 'piper' ? /\.onnx\.json$/ : /(tokenizer|config)\.json$/);
  const styles = named(/\.(bin|npz)$/);
  if (model === undefined || config === undefined || (parsed.engine === 'kokoro' && styles.length === 0))
    throw new RhapsodeError('model_invalid', {
      message: `the manifest of the voice ${id} does not name the files that ${parsed.engine} needs`,
    });
  const at = ({ path, sha256 }: VoiceFile): VoiceFile => ({ path: join(folder, path), sha256 });
  return {
    id,
    manifest: parsed,
    engine: parsed.engine,
    model: at(model),
    config: at(config),
    styles: styles.map(at),
  };
}

/** More than a model in one file can be. */
const mostBytes = 2 * 2 ** 30;

export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  const known = await stat(path).catch(() => undefined);
  // A pipe or a device would be read for ever.
  if (known !== undefined && (!known.isFile() || known.size > mostBytes))
    throw new RhapsodeError('model_invalid', {
      message: `${basename(path)} is ${known.isFile() ? 'larger than 2 GB' : 'not a file'}`,
    });
  try {
    await pipeline(createReadStream(path), hash);
  } catch (cause) {
    throw new RhapsodeError('model_missing', { message: 'a model file can’t be read', cause });
  }
  return hash.digest('hex');
}

/** Files are read again long after they were found: what has changed since would speak under the digest of what was there. */
export async function checkUnchanged(files: readonly VoiceFile[]): Promise<void> {
  for (const { path, sha256 } of files) if ((await sha256Of(path)) !== sha256) throw changed(path);
}

export async function readUnchanged({ path, sha256 }: VoiceFile): Promise<Uint8Array> {
  const bytes = await readFile(path).catch((cause) => {
    throw new RhapsodeError('model_missing', { message: 'a model file can’t be read', cause });
  });
  if (createHash('sha256').update(bytes).digest('hex') !== sha256) throw changed(path);
  return bytes;
}

const changed = (path: string) =>
  new RhapsodeError('model_checksum', {
    message: `the file ${basename(path)} has changed since the program began; start it again`,
  });

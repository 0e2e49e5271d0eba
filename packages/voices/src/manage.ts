import { copyFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { asRhapsodeError, type RhapsodeError as Failure, RhapsodeError } from '@rhapsode/contracts';
import { openCatalogue } from './catalogue.ts';
import { download } from './download.ts';
import { defaultHub, findInHub } from './hub.ts';
import { type Manifest, manifest } from './manifest.ts';
import { findVoices, sha256Of } from './voice-folders.ts';

export interface AddVoiceOptions {
  readonly modelsDir: string;
  /** A path to an `.onnx` file or to a folder with a `voice.json`; a URL of an `.onnx` file or of a `voice.json`; or a name. */
  readonly source: string;
  /** Where names are looked up, laid out as Piper's and Kokoro's public repositories. */
  readonly hub?: string | undefined;
  readonly licence?: string | undefined;
  readonly onProgress?: ((file: string, done: number, total: number | undefined) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export { defaultHub } from './hub.ts';

const mostBytes = 2 * 2 ** 30;

/** Adds a voice, whole or not at all: its folder appears when every file in it is there and checked. Returns its id. */
export async function addVoice(options: AddVoiceOptions): Promise<string> {
  const { modelsDir, source } = options;
  const id = idOf(source);
  if (!/^[A-Za-z0-9][\w.+-]{0,99}$/.test(id) || id.includes('..'))
    throw new RhapsodeError('invalid_request', { message: `"${id.slice(0, 100)}" can’t be a voice's name` });
  if ((await findVoices(modelsDir)).some((voice) => voice.id === id))
    throw new RhapsodeError('invalid_request', { message: `there is a voice ${id} already` });
  // The same folder in every try, so that a broken download goes on where it stopped.
  const incoming = join(modelsDir, `.incoming-${id}`);
  await mkdir(incoming, { recursive: true });
  const made = /^https?:\/\//.test(source)
    ? await fromUrl(new URL(source), incoming, options)
    : (await stat(source).catch(() => undefined)) !== undefined
      ? await fromPath(source, incoming, options)
      : await fromHub(source, incoming, options);
  await writeFile(join(incoming, 'voice.json'), `${JSON.stringify(made, undefined, 2)}\n`);
  await rename(incoming, join(modelsDir, id)).catch((cause) => {
    throw new RhapsodeError('config_invalid', {
      message: `the voice ${id} could not be put in its place`,
      cause,
    });
  });
  await tryOut(id, modelsDir);
  return id;
}

/** A voice that can't be used is not added. */
async function tryOut(id: string, modelsDir: string): Promise<void> {
  const { problems } = await openCatalogue({ modelsDir, espeak: false });
  const problem = problems.find((one) => one.id === id);
  if (problem === undefined) return;
  await rm(join(modelsDir, id), { recursive: true });
  throw problem.error;
}

function idOf(source: string): string {
  const path = /^https?:\/\//.test(source) ? decodeURIComponent(new URL(source).pathname) : source;
  return basename(path) === 'voice.json' ? basename(dirname(path)) : basename(path).replace(/\.onnx$/, '');
}

type FetchFile = (url: string, path: string, sha256?: string) => Promise<{ sha256: string; bytes: number }>;

const fetcher =
  (folder: string, { signal, onProgress }: AddVoiceOptions): FetchFile =>
  async (url, path, sha256) => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    return download(url, join(folder, path), {
      sha256,
      signal,
      mostBytes,
      onProgress: (done, total) => onProgress?.(path, done, total),
    });
  };

async function fromHub(name: string, folder: string, options: AddVoiceOptions): Promise<Manifest> {
  const fetchFile = fetcher(folder, options);
  const { engine, licence, files } = findInHub(options.hub ?? defaultHub, name);
  const fetched = [];
  for (const { path, url } of files) fetched.push({ path, url, ...(await fetchFile(url, path)) });
  return { engine, files: fetched, ...(licence === undefined ? {} : { licence }), ...licenceOf(options) };
}

async function fromUrl(url: URL, folder: string, options: AddVoiceOptions): Promise<Manifest> {
  const fetchFile = fetcher(folder, options);
  if (basename(url.pathname) === 'voice.json') {
    await fetchFile(url.href, 'voice.json');
    const parsed = await readManifest(join(folder, 'voice.json'));
    for (const file of parsed.files) {
      await fetchFile(new URL(file.url ?? file.path, url).href, file.path, file.sha256);
    }
    return parsed;
  }
  const model = basename(decodeURIComponent(url.pathname));
  if (!model.endsWith('.onnx'))
    throw new RhapsodeError('invalid_request', {
      message: 'the URL names neither an .onnx file nor a voice.json',
    });
  const json = new URL(url);
  json.pathname += '.json';
  const files = [];
  for (const [name, from] of [
    [`${model}.json`, json.href],
    [model, url.href],
  ] as const)
    files.push({ path: name, url: from, ...(await fetchFile(from, name)) });
  return { engine: 'piper', files, source: url.href, ...licenceOf(options) };
}

async function fromPath(source: string, folder: string, options: AddVoiceOptions): Promise<Manifest> {
  const from = (await stat(source)).isDirectory() ? source : dirname(source);
  if ((await readdir(from)).includes('voice.json') && !source.endsWith('.onnx')) {
    const parsed = await readManifest(join(from, 'voice.json'));
    for (const file of parsed.files) {
      await mkdir(dirname(join(folder, file.path)), { recursive: true });
      await copy(join(from, file.path), join(folder, file.path));
      if ((await sha256Of(join(folder, file.path))) !== file.sha256)
        throw new RhapsodeError('model_checksum', { message: `${file.path} has a wrong checksum` });
    }
    return parsed;
  }
  const paths = source.endsWith('.onnx')
    ? [basename(source), `${basename(source)}.json`]
    : await kokoroFiles(from);
  const files = [];
  for (const path of paths) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await copy(join(from, path), join(folder, path));
    const copied = join(folder, path);
    files.push({ path, sha256: await sha256Of(copied), bytes: (await stat(copied)).size });
  }
  return { engine: source.endsWith('.onnx') ? 'piper' : 'kokoro', files, ...licenceOf(options) };
}

/** A folder as Kokoro's models are published: one model, its vocabulary, its styles, in folders of their own or not. */
async function kokoroFiles(folder: string): Promise<string[]> {
  const all = (await readdir(folder, { recursive: true }))
    .filter((path) => path.split(sep).length <= 2)
    .sort();
  const models = all.filter((path) => path.endsWith('.onnx'));
  const vocabulary =
    all.find((path) => basename(path) === 'tokenizer.json') ??
    all.find((path) => basename(path) === 'config.json');
  const styles = all.filter((path) => /\.(bin|npz)$/.test(path));
  if (models.length !== 1 || vocabulary === undefined || styles.length === 0)
    throw new RhapsodeError('invalid_request', {
      message:
        'the path is no .onnx file, no folder with a voice.json, and no folder with one Kokoro model (.onnx), its tokenizer.json or config.json, and its styles (.bin or .npz)',
    });
  return [models[0]!, vocabulary, ...styles];
}

async function copy(from: string, to: string): Promise<void> {
  await copyFile(from, to).catch((cause) => {
    throw new RhapsodeError('model_missing', { message: `${basename(from)} can’t be read`, cause });
  });
}

async function readManifest(path: string): Promise<Manifest> {
  try {
    return manifest.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    throw new RhapsodeError('model_invalid', { message: 'the voice.json is not valid', cause });
  }
}

const licenceOf = ({ licence }: AddVoiceOptions) => (licence === undefined ? {} : { licence });

export async function removeVoice(modelsDir: string, id: string): Promise<void> {
  const voice = (await findVoices(modelsDir)).find((one) => one.id === id);
  if (voice === undefined)
    throw new RhapsodeError('voice_not_found', { message: `the models directory has no voice ${id}` });
  if (!voice.bare) return rm(voice.folder, { recursive: true });
  await rm(join(voice.folder, `${id}.onnx`));
  await rm(join(voice.folder, `${id}.onnx.json`));
}

/** Reads every file of every voice, or of those that are named. */
export async function verifyVoices(
  modelsDir: string,
  { ids = [] }: { ids?: readonly string[] } = {},
): Promise<{ id: string; problem: Failure | undefined }[]> {
  const results: { id: string; problem: Failure | undefined }[] = [];
  for (const voice of await findVoices(modelsDir)) {
    if (ids.length > 0 && !ids.includes(voice.id)) continue;
    const problem = await voice.open().then(() => undefined, asRhapsodeError);
    results.push({ id: voice.id, problem });
  }
  return results;
}

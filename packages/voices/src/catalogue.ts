import { mkdir, stat, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { asRhapsodeError, RhapsodeError, type VoiceInfo } from '@rhapsode/contracts';
import { espeakVoices } from './espeak.ts';
import { shareEspeak } from './espeak-client.ts';
import { kokoroSource } from './kokoro-source.ts';
import type { SessionSettings } from './onnx/session.ts';
import { piperSource } from './piper-source.ts';
import { type ToneOptions, toneVoices } from './tone.ts';
import { createTurns } from './turns.ts';
import { findVoices } from './voice-folders.ts';
import type { VoiceSource } from './voice-source.ts';

/** Plain data: it travels to the engine's process as it is. */
export interface CatalogueOptions {
  /** Holds `<voice>/voice.json` and bare Piper pairs (`x.onnx` beside `x.onnx.json`). */
  readonly modelsDir?: string | undefined;
  /** Other names of voices, e.g. `{default: 'espeak'}`. An alias may name an alias. */
  readonly aliases?: Readonly<Record<string, string>> | undefined;
  /** Lists `tone` and `tone-random`. */
  readonly testVoices?: boolean | undefined;
  readonly tone?: ToneOptions | undefined;
  /** Lists espeak-ng's own voices; true by default. */
  readonly espeak?: boolean | undefined;
  /** Path of an espeak-ng of the machine, to be used instead of the one that comes with us. */
  readonly espeakProgram?: string | undefined;
  /** Where prepared voices are kept; `.cache` in the models directory by default, or a temporary one if that can't be written. */
  readonly cacheDir?: string | undefined;
  readonly sessions?: SessionSettings | undefined;
  /** Digests that voices had before, by id: one that has another now is a problem, not a voice. */
  readonly pinned?: Readonly<Record<string, string>> | undefined;
}

export interface Catalogue {
  /** What can be spoken with, ordered by id. */
  readonly voices: readonly VoiceInfo[];
  /** What looked like a voice and is none; it hides no other. */
  readonly problems: readonly VoiceProblem[];
  /** By id or alias; throws `voice_not_found`, or what is wrong with the voice. */
  get(name: string): VoiceInfo;
  source(name: string): VoiceSource;
}

export interface VoiceProblem {
  readonly id: string;
  readonly error: RhapsodeError;
}

export async function openCatalogue(options: CatalogueOptions = {}): Promise<Catalogue> {
  const sources = new Map<string, VoiceSource>();
  const problems: VoiceProblem[] = [];
  if (options.testVoices) for (const source of toneVoices(options.tone)) sources.set(source.info.id, source);

  const espeak = shareEspeak(options.espeakProgram);
  if (options.espeak ?? true)
    for (const source of await espeakVoices(espeak)) sources.set(source.info.id, source);

  if (options.modelsDir !== undefined) {
    const settings = { ...options.sessions, cacheDir: await usableCache(options) };
    const { batchWindows, batchWaitMs } = settings;
    const turns = createTurns({ batch: batchWindows, batchWaitMs });
    const taken = new Set<string>();
    for (const found of await findVoices(options.modelsDir))
      try {
        const files = await found.open();
        const open = files.engine === 'piper' ? piperSource : kokoroSource;
        const voice = await open(files, settings, { turns, espeak });
        const { id, digest } = voice.info;
        if (taken.has(id))
          throw new RhapsodeError('model_invalid', {
            message: `there is another voice that is called ${id}`,
          });
        if ((options.pinned?.[id] ?? digest) !== digest)
          throw new RhapsodeError('model_checksum', {
            message: `the voice ${id} is not what it was when the program began; start it again`,
          });
        taken.add(id);
        sources.set(id, voice);
      } catch (error) {
        problems.push({ id: found.id, error: asRhapsodeError(error) });
      }
  }

  const aliases = new Map(Object.entries(options.aliases ?? {}));
  const resolve = (name: string): string => {
    let id = name;
    for (let hops = 0; !sources.has(id) && aliases.has(id) && hops < 8; hops++) id = aliases.get(id)!;
    return id;
  };
  const source = (name: string): VoiceSource => {
    const id = resolve(name);
    const found = sources.get(id);
    if (found !== undefined) return found;
    const problem = problems.find((one) => one.id === id);
    if (problem !== undefined) throw problem.error;
    throw new RhapsodeError('voice_not_found', {
      message: `there is no voice "${name.slice(0, 100)}"`,
      param: 'voice',
    });
  };
  return {
    voices: [...sources.values()].map((one) => one.info).sort((a, b) => (a.id < b.id ? -1 : 1)),
    problems,
    get: (name) => source(name).info,
    source,
  };
}

/** For engine processes: a restarted one must not speak with files that have changed under the same name. */
export const pinned = (options: CatalogueOptions, { voices }: Catalogue): CatalogueOptions => ({
  ...options,
  pinned: Object.fromEntries(voices.map(({ id, digest }) => [id, digest])),
});

/** Every process of this user finds the same one. */
async function usableCache({ cacheDir, modelsDir }: CatalogueOptions): Promise<string> {
  if (cacheDir !== undefined) return cacheDir;
  const beside = join(modelsDir ?? '.', '.cache');
  try {
    await mkdir(beside, { recursive: true });
    await writeFile(join(beside, '.gitignore'), '*\n');
    return beside;
  } catch {
    const { uid } = userInfo();
    const own = join(tmpdir(), `rhapsode-voices-${uid}`);
    await mkdir(own, { recursive: true, mode: 0o700 });
    if (uid >= 0 && (await stat(own)).uid !== uid)
      throw new RhapsodeError('config_invalid', { message: 'there is no directory for prepared voices' });
    return own;
  }
}

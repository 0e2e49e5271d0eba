import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import {
  type BookSettings,
  bookAudioFormats,
  bookCaptionFormats,
  bookSettings,
  type Cover,
  pictureType,
} from '@rhapsode/book';
import { lexiconName, RhapsodeError } from '@rhapsode/contracts';
import { fieldsOfPls } from '@rhapsode/text';
import { numberOption } from '../args.ts';

/** The options of `rhapsode book` that say what book it is to be. */
export interface BookOptions {
  readonly format?: string | undefined;
  readonly single?: boolean | undefined;
  readonly captions?: string | undefined;
  readonly 'sample-rate'?: string | undefined;
  readonly loudness?: string | undefined;
  readonly voice?: string | undefined;
  readonly speaker?: string | undefined;
  readonly voices?: string | undefined;
  readonly speed?: string | undefined;
  readonly seed?: string | undefined;
  readonly lexicon?: string | undefined;
  readonly type?: string | undefined;
  readonly notes?: boolean | undefined;
  readonly 'on-error'?: string | undefined;
  readonly fallback?: string | undefined;
  readonly title?: string | undefined;
  readonly subtitle?: string | undefined;
  readonly author?: string | undefined;
  readonly narrator?: string | undefined;
  readonly series?: string | undefined;
  readonly year?: string | undefined;
  readonly language?: string | undefined;
  readonly publisher?: string | undefined;
  readonly description?: string | undefined;
}

/** The rules that a server keeps under a name. */
export type FindLexicon = (name: string) => Promise<unknown>;

/** The same settings that the HTTP interface takes. */
export async function bookSettingsOf(options: BookOptions, findLexicon?: FindLexicon): Promise<BookSettings> {
  const { voice, speaker, type, fallback } = options;
  const speed = numberOption('speed', options.speed, 0.25, 4);
  const seed = numberOption('seed', options.seed, 0, 0xffff_ffff, { whole: true });
  const raw = {
    ...given({
      voice,
      speaker,
      type,
      speed,
      seed,
      language: options.language,
      on_error: options['on-error'],
    }),
    ...(fallback === undefined ? {} : { fallback: voiceOf(fallback) }),
    ...(options.notes ? { notes: true } : {}),
    ...(options.voices === undefined ? {} : await voicesOf(options.voices)),
    ...(options.lexicon === undefined ? {} : { lexicon: await lexiconOf(options.lexicon, findLexicon) }),
    outputs: outputsOf(options),
    metadata: metadataOf(options),
  };
  const parsed = bookSettings.safeParse(raw);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw wrong(`${issue!.path.join('.')}: ${issue!.message}`);
}

const wrong = (message: string, cause?: unknown) => new RhapsodeError('invalid_request', { message, cause });

const given = (fields: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

const listOf = (name: string, text: string, known: readonly string[]): string[] => {
  const list = [...new Set(text.split(',').map((word) => word.trim().toLowerCase()))];
  const unknown = list.find((word) => !known.includes(word));
  if (unknown !== undefined)
    throw wrong(`--${name} takes ${known.join(', ')} (comma separated), not '${unknown}'`);
  return list;
};

function outputsOf({ format, single, captions, loudness, ...options }: BookOptions) {
  const target = loudness === 'off' ? undefined : numberOption('loudness', loudness, -40, -8);
  return given({
    audio: format === undefined ? undefined : listOf('format', format, bookAudioFormats),
    single: single ? ['mp3'] : undefined,
    sample_rate: numberOption('sample-rate', options['sample-rate'], 8_000, 48_000, { whole: true }),
    captions:
      captions === undefined
        ? undefined
        : captions === 'none'
          ? []
          : listOf('captions', captions, bookCaptionFormats),
    loudness: loudness === 'off' ? null : target === undefined ? undefined : { target_lufs: target },
  });
}

function metadataOf(options: BookOptions) {
  const { title, subtitle, narrator, publisher, description, language, author, series } = options;
  const numbered = /^(.*\S)\s+#(\S+)$/u.exec(series ?? '');
  return given({
    title,
    authors: author
      ?.split(';')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
    series: numbered ? numbered[1] : series,
    series_number: numbered?.[2],
    year: numberOption('year', options.year, 0, 9999, { whole: true }),
    ...{ subtitle, narrator, publisher, description, language },
  });
}

/** `voice` or `voice/speaker`. */
function voiceOf(text: string): { voice: string; speaker?: string } {
  const [voice, speaker, ...more] = text.split('/');
  if (!voice || more.length > 0 || speaker === '')
    throw wrong(`a voice is written name or name/speaker, not '${text}'`);
  return { voice, ...(speaker === undefined ? {} : { speaker }) };
}

/** A JSON file with `speakers` and `chapters`, or `Alice=clio,2=calliope/thalia`: names are speakers, numbers chapters. */
async function voicesOf(text: string): Promise<{ speakers: object; chapters: object }> {
  if (!text.includes('=')) {
    const { speakers = {}, chapters = {} } = await readJson(text, 'voices');
    return { speakers, chapters };
  }
  const speakers: Record<string, object> = {};
  const chapters: Record<string, object> = {};
  for (const pair of text.split(',')) {
    const [name, voice, ...more] = pair.split('=').map((word) => word.trim());
    if (!name || !voice || more.length > 0) throw wrong(`--voices takes name=voice, not '${pair}'`);
    (/^\d+$/.test(name) ? chapters : speakers)[name] = voiceOf(voice);
  }
  return { speakers, chapters };
}

/** W3C's PLS, or a JSON list of rules; where there is no such file, what a server keeps under the name. */
async function lexiconOf(path: string, find?: FindLexicon): Promise<unknown> {
  if (find && lexiconName.safeParse(path).success && !existsSync(path)) return find(path);
  const text = await readNamed(path, 'lexicon');
  if (!/^\s*</.test(text)) return parseJson(text, path, 'lexicon');
  return fieldsOfPls(text);
}

async function readNamed(path: string, option: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw wrong(`--${option}: can't read ${path}`, cause);
  });
}
async function readJson(path: string, option: string): Promise<{ speakers?: object; chapters?: object }> {
  return parseJson(await readNamed(path, option), path, option) as object;
}
function parseJson(text: string, path: string, option: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw wrong(`--${option}: ${path} is not JSON`, cause);
  }
}

/** JPEG or PNG, told by its first bytes. */
export async function readCover(path: string | undefined): Promise<Cover | undefined> {
  if (path === undefined) return undefined;
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw wrong(`--cover: can't read ${path}`, cause);
  });
  const mediaType = pictureType(bytes);
  if (mediaType) return { mediaType, bytes };
  throw wrong(`--cover: ${path} is neither JPEG nor PNG`);
}

export async function checkManuscript(path: string): Promise<void> {
  const found = await stat(path).catch((cause: unknown) => {
    throw wrong(`there is no file ${path}`, cause);
  });
  if (!found.isFile()) throw wrong(`${path} is not a file`);
}

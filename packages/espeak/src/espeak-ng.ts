import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import init, { type EspeakEvent, type EspeakWorker } from '@echogarden/espeak-ng-emscripten';
import { safeText } from './safe-text.ts';

export const sampleRateHz = 22_050;
/** Phonemes are written into a buffer of fixed size in there. */
export const phonemeTextLimit = 2_000;

export interface Word {
  /** Span in the text, in UTF-16 code units. */
  readonly start: number;
  readonly end: number;
  readonly ms: number;
}

export interface EspeakNg {
  readonly version: string;
  /** Must be awaited between two uses. */
  renew(afterFailure: boolean): Promise<void>;
  voices(): { id: string; name: string; languages: string[] }[];
  /** Clauses of the text as espeak-ng divides it, in IPA, phones joined by `_`; undefined if there is no such voice. */
  phonemes(voice: string, text: string): string[] | undefined;
  /** False if there is no such voice. */
  synthesize(
    request: { voice: string; rate: number; pitch: number; text: string },
    onAudio: (pcm: Int16Array, words: Word[]) => void,
  ): boolean;
}

function packageVersion(): string {
  const path = createRequire(import.meta.url).resolve('@echogarden/espeak-ng-emscripten');
  const read = JSON.parse(readFileSync(new URL('./package.json', `file://${path}`), 'utf8')) as {
    version: string;
  };
  return read.version;
}

/**
 * Synthesis keeps state from sentence to sentence (flutter, random numbers), so that a sentence would sound different
 * after another: each gets an instance of its own, of which one is kept ready (`renew`, some 40 ms). Phonemes do not depend on what
 * came before, and share an instance.
 */
export async function createEspeakNg(): Promise<EspeakNg> {
  const require = createRequire(import.meta.url);
  const data = readFileSync(require.resolve('@echogarden/espeak-ng-emscripten').replace(/\.js$/, '.data'));
  const files = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
  const instance = async () => {
    const module = await init({ getPreloadedPackage: () => files });
    return { module, worker: new module.eSpeakNGWorker() };
  };
  let speaker: Awaited<ReturnType<typeof instance>> | undefined = await instance();
  let reader = await instance();

  // Some voices are found by one of their names only, and `en-gb` is not it.
  const identifiers = new Map<string, string>();
  for (const voice of reader.worker.list_voices())
    for (const { name } of voice.languages)
      if (!identifiers.has(name)) identifiers.set(name, voice.identifier);
  const choose = (worker: EspeakWorker, voice: string): boolean =>
    worker.set_voice(identifiers.get(voice) ?? voice) === 0;

  function readString(at: number): string {
    const memory = reader.module.HEAPU8;
    return Buffer.from(memory.subarray(at, memory.indexOf(0, at))).toString('utf8');
  }

  return {
    version: `espeak-ng 1.52-dev, espeak-ng-emscripten ${packageVersion()}`,
    async renew(afterFailure) {
      speaker ??= await instance();
      if (afterFailure) reader = await instance();
    },
    voices: () =>
      reader.worker.list_voices().map((voice) => ({
        id: voice.languages[0]?.name ?? voice.identifier,
        name: voice.name,
        languages: voice.languages.map((language) => language.name),
      })),
    phonemes(voice, text) {
      if (!choose(reader.worker, voice)) return undefined;
      const all = readString(reader.worker.text_to_phonemes(safeText(text, false).text, 1).ptr);
      return all.split(' | ').filter((clause) => clause !== '');
    },
    synthesize({ voice, rate, pitch, text }, onAudio) {
      if (speaker === undefined) throw new Error('not renewed');
      const { worker } = speaker;
      speaker = undefined;
      if (!choose(worker, voice)) return false;
      worker.set_rate(rate);
      worker.set_pitch(pitch);
      const { text: safe, origin } = safeText(text, true);
      const wordOf = (event: EspeakEvent): Word => {
        const from = Math.min(event.text_position - 1, origin.length - 1);
        const to = Math.min(from + event.word_length, origin.length - 1);
        return { start: origin[from]!, end: origin[to]!, ms: event.audio_position };
      };
      worker.synthesize(safe, (pcm, events) => {
        onAudio(pcm, events.filter((event) => event.type === 'word').map(wordOf));
        return false;
      });
      return true;
    },
  };
}

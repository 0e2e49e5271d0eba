import { checkSettings, RhapsodeError, type VoiceInfo } from '@rhapsode/contracts';
import type { VoiceChoice } from '../content-key.ts';
import type { BookRequest } from '../plan/plan-files.ts';
import type { BookSettings, VoiceSettings } from '../request.ts';
import { bookRateHz } from './book-rate.ts';

/** By name or alias; throws `voice_not_found`. */
export type FindVoice = (name: string, param: string) => Promise<{ voice: VoiceInfo; pool: string }>;

export interface ChosenVoices extends Pick<BookRequest, 'voices' | 'fallback'> {
  /** Of the book itself. */
  readonly main: VoiceInfo;
  /** Of the book's files, whatever those of its voices are. */
  readonly sampleRateHz: number;
  readonly chapterVoices: Readonly<Record<string, number>>;
  readonly speakerVoices: Readonly<Record<string, number>>;
  /** All take sounds in IPA. */
  readonly phonemes: boolean;
}

/** The language to read the text in; undefined: what the manuscript says of itself. */
export const localeOf = ({ language }: BookSettings, voice: VoiceInfo): string | undefined =>
  language ?? (voice.language === 'mul' ? undefined : voice.language);

/** Every voice that a request names, found and checked, so that nothing about them can fail or change later. */
export async function chooseVoices(settings: BookSettings, find: FindVoice): Promise<ChosenVoices> {
  const voices: VoiceChoice[] = [];
  const infos: VoiceInfo[] = [];

  async function choose(given: VoiceSettings, param: string): Promise<number> {
    const name = given.voice ?? settings.voice;
    const { voice, pool } = await find(name, param === '' ? 'voice' : `${param}.voice`);
    const speaker = given.speaker ?? (given.voice === undefined ? settings.speaker : undefined);
    const speed = given.speed ?? settings.speed;
    const own = settings.settings;
    checkSettings(voice, { speed, speaker, ...(own === undefined ? {} : { settings: own }) });
    const choice: VoiceChoice = {
      voice: voice.id,
      digest: voice.digest,
      deterministic: voice.deterministic,
      sampleRateHz: voice.sampleRateHz,
      pool,
      ...(speaker === undefined ? {} : { speaker }),
      speed,
      ...(own === undefined ? {} : { settings: own }),
    };
    const known = voices.findIndex((one) => JSON.stringify(one) === JSON.stringify(choice));
    if (known >= 0) return known;
    infos.push(voice);
    return voices.push(choice) - 1;
  }
  async function chooseAll(given: Readonly<Record<string, VoiceSettings>>, param: string) {
    const chosen: Record<string, number> = {};
    for (const [name, one] of Object.entries(given)) chosen[name] = await choose(one, `${param}.${name}`);
    return chosen;
  }

  await choose({}, '');
  const chapterVoices = await chooseAll(settings.chapters, 'chapters');
  const speakerVoices = await chooseAll(settings.speakers, 'speakers');
  // A voice that speaks only where another one can't does not decide it.
  const sampleRateHz = bookRateHz(
    settings.outputs,
    infos.map((voice) => voice.sampleRateHz),
  );
  if (settings.on_error === 'fallback' && settings.fallback === undefined)
    throw new RhapsodeError('invalid_request', {
      message: "'on_error' is 'fallback', so 'fallback' must say which voice speaks then",
      param: 'fallback',
    });
  const fallback = settings.fallback === undefined ? undefined : await choose(settings.fallback, 'fallback');
  const phonemes = infos.every(({ capabilities }) => capabilities.phonemes === true);
  return {
    voices,
    main: infos[0]!,
    sampleRateHz,
    chapterVoices,
    speakerVoices,
    phonemes,
    ...(fallback === undefined ? {} : { fallback }),
  };
}

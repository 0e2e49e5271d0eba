import { RhapsodeError } from '@rhapsode/contracts';
import { z } from 'zod';
import type { VoiceDirectory } from '../voice-directory.ts';

/** As `synthesize` and `synthesize-start` have it: a name, or only a language, or nothing. */
export const wantedVoice = z
  .looseObject({
    name: z.string().nullish(),
    language: z.string().nullish(),
    speaker: z.string().nullish(),
  })
  .nullish();

type WantedVoice = z.infer<typeof wantedVoice>;

const speaks = (voice: { language: string }, language: string) =>
  voice.language.toLowerCase() === language || voice.language.toLowerCase().split('-')[0] === language;

/** The voice that is named; of a language, the default voice if it speaks it, otherwise the first that does. */
export async function chooseVoice(
  wanted: WantedVoice,
  voices: Pick<VoiceDirectory, 'list' | 'find'>,
): Promise<{ voice: string; speaker?: string }> {
  if (wanted?.name) return { voice: wanted.name, ...(wanted.speaker ? { speaker: wanted.speaker } : {}) };
  const standard = await voices.find('default', 'voice').catch((error: unknown) => {
    if (wanted?.language) return undefined;
    throw error;
  });
  const language = wanted?.language?.toLowerCase().replaceAll('_', '-');
  if (!language || (standard && speaks(standard.voice, language))) return { voice: 'default' };
  const listed = await voices.list();
  const found =
    listed.find(({ voice }) => speaks(voice, language)) ??
    listed.find(({ voice }) => speaks(voice, language.split('-')[0]!));
  if (found) return { voice: found.voice.id };
  throw new RhapsodeError('voice_not_found', {
    message: `there is no voice for the language '${language.slice(0, 40)}'`,
    param: 'voice.language',
  });
}

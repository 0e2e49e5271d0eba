import { type LexiconChoice, type LexiconRules, RhapsodeError } from '@rhapsode/contracts';
import type { OtherVoice, TextOptions } from '@rhapsode/pipeline';
import { createLexicon, type Lexicon, rulesOfFields } from '@rhapsode/text';
import { z } from 'zod';
import type { GatewayDeps } from './deps.ts';
import type { FoundVoice } from './voice-directory.ts';

/** How a text is to be read, in every request that has one. */
export const inputType = z
  .enum(['text', 'ssml'])
  .describe(
    'What the text is: plain text, or SSML (`speak p s break sub say-as phoneme prosody voice mark …`).',
  );
export const normalise = z
  .enum(['auto', 'on', 'off'])
  .describe('Whether numbers, dates and abbreviations are written out before they are spoken.');
export const inline = z.boolean().describe('Obey `[pause:1.5s]` and `[word](/ipa/)` in plain text.');

export { lexiconChoice as lexicon } from '@rhapsode/contracts';

export type TextRequest = {
  readonly inputType?: TextOptions['input'];
  readonly normalise?: TextOptions['normalise'];
  readonly inline?: boolean | undefined;
  readonly lexicon?: LexiconChoice | undefined;
};

/** With the rules of its lexicon at hand. */
export type ReadyText<T extends TextRequest = TextRequest> = Omit<T, 'lexicon'> & {
  readonly lexicon?: LexiconRules | undefined;
};

/** Whether something of it may be impossible, which is known only when all of the text is planned. */
export const mayWarn = ({ inputType, inline, lexicon }: TextRequest): boolean =>
  inputType === 'ssml' || inline === true || (lexicon?.length ?? 0) > 0;

export async function textOptions(
  request: ReadyText,
  found: FoundVoice,
  { voices }: Pick<GatewayDeps, 'voices'>,
): Promise<TextOptions> {
  const { inputType: input, normalise, inline } = request;
  return {
    ...(input === undefined ? {} : { input }),
    ...(normalise === undefined ? {} : { normalise }),
    ...(inline === undefined ? {} : { inline }),
    ...(request.lexicon === undefined ? {} : { lexicons: [lexiconOf(request.lexicon)] }),
    ...(input === 'ssml' ? { voices: await otherVoices(found, voices) } : {}),
  };
}

/** Throws if there is a rule that can't be. */
export const lexiconOf = (rules: LexiconRules): Lexicon => createLexicon(rulesOfFields(rules));

/** Whom `<voice name="…">` may name: voices of the same pool and their speakers (`voice:speaker`), the voice's own speakers. */
async function otherVoices(
  { voice, pool }: FoundVoice,
  directory: GatewayDeps['voices'],
): Promise<Map<string, OtherVoice>> {
  const names = new Map<string, OtherVoice>();
  const put = (name: string, other: OtherVoice) => {
    if (!names.has(name)) names.set(name, other);
  };
  for (const one of await directory.list()) {
    if (one.pool !== pool) continue;
    put(one.voice.id, { voice: one.voice });
    for (const speaker of one.voice.speakers)
      put(`${one.voice.id}:${speaker}`, { voice: one.voice, speaker });
  }
  for (const speaker of voice.speakers) put(speaker, { voice, speaker });
  for (const alias of Object.keys(directory.aliases)) {
    const other = await directory.find(alias, 'voice').catch((error: unknown) => {
      if (error instanceof RhapsodeError) return undefined;
      throw error;
    });
    if (other?.pool === pool) put(alias, other);
  }
  return names;
}

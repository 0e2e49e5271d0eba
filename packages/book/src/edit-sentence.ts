import { RhapsodeError } from '@rhapsode/contracts';
import type { ArtefactStore } from '@rhapsode/store';
import { createLexicon, planText, rulesOfFields } from '@rhapsode/text';
import type { BookFacts } from './book-facts.ts';
import { type FindVoice, localeOf } from './create/choose-voices.ts';
import { type BookPlace, planFolder } from './layout.ts';
import { locateSentence } from './locate-sentence.ts';
import { type KeptEdit, readPart, readPlan, readRequest } from './plan/plan-files.ts';
import type { SentenceEdit } from './request.ts';

/** An edit as it is kept: what is to be said in place of the sentence. Empty text: the sentence is as it was planned again. */
export async function editOf(
  sentence: number,
  { text, phonemes, take }: SentenceEdit,
  at: BookPlace,
  { plan: name }: BookFacts,
  { artefacts, findVoice }: { artefacts: ArtefactStore; findVoice: FindVoice },
): Promise<string> {
  const folder = planFolder(at, name);
  const [plan, request] = await Promise.all([readPlan(artefacts, folder), readRequest(artefacts, folder)]);
  const place = locateSentence(plan, sentence);
  if (!place)
    throw new RhapsodeError('sentence_not_found', {
      message: `the book has the sentences 0 to ${plan.sentences - 1}, not ${sentence}`,
      param: 'n',
    });
  if (text === undefined && phonemes === undefined && take === undefined) return '';
  const planned = (await readPart(artefacts, folder, place.chapter, place.part))[place.index]!;
  const { voice: voiceName, speed } = request.voices[planned.voice]!;
  const { voice } = await findVoice(voiceName, 'voice');
  if (phonemes !== undefined && voice.capabilities.phonemes !== true)
    throw new RhapsodeError('unsupported_setting', {
      message: `the voice ${voice.id} takes no sounds; send 'text'`,
      param: 'phonemes',
    });
  const { normalise, inline, lexicon } = request.settings;
  // As the book was planned.
  const locale = localeOf(request.settings, voice) ?? plan.language;
  const pieces = planText(phonemes === undefined ? (text ?? '') : '', {
    ...(locale === undefined ? {} : { locale }),
    inline,
    can: { phonemes: voice.capabilities.phonemes === true },
    ...(normalise === undefined ? {} : { normalise }),
    lexicons: lexicon.length === 0 ? [] : [createLexicon(rulesOfFields(lexicon))],
  });
  const said =
    phonemes !== undefined
      ? { spoken: `[[${phonemes.replace(/[[\]]/gu, '').trim()}]]` }
      : text !== undefined
        ? {
            spoken: pieces
              .map(({ spoken }) => spoken)
              .filter((one) => one !== '')
              .join(' '),
            estimatedMs: Math.round(pieces.reduce((sum, { estimatedMs }) => sum + estimatedMs, 0) / speed),
          }
        : {};
  const kept: KeptEdit = { ...said, ...(take === undefined ? {} : { take }) };
  return JSON.stringify(kept);
}

/** Another take is of what is said now, which may be an edit of before. */
export function anotherTake(before: string | undefined, kept: string): string {
  const { spoken, estimatedMs } = JSON.parse(before || '{}') as KeptEdit;
  return JSON.stringify({ spoken, estimatedMs, ...(JSON.parse(kept) as KeptEdit) });
}

import { englishSentences } from './english-sentences.ts';
import { frenchSentences } from './french-sentences.ts';
import { germanSentences } from './german-sentences.ts';
import type { SentenceWords } from './language.ts';
import { otherSentences } from './other-sentences.ts';
import { spanishSentences } from './spanish-sentences.ts';

const known: Readonly<Record<string, SentenceWords>> = {
  ...otherSentences,
  mr: otherSentences.hi!,
  ne: otherSentences.hi!,
  en: englishSentences,
  de: germanSentences,
  fr: frenchSentences,
  es: spanishSentences,
};

/** The language's own words; English's for a language that we know nothing of. */
export const sentenceWords = (locale: string): SentenceWords => known[languageOf(locale)] ?? englishSentences;

/** `en` of `en-GB`, `EN_gb` or `eng`. */
export function languageOf(locale: string): string {
  const language = /^[a-z]+/iu.exec(locale)?.[0].toLowerCase() ?? 'en';
  return (
    {
      eng: 'en',
      deu: 'de',
      ger: 'de',
      fra: 'fr',
      fre: 'fr',
      spa: 'es',
      ita: 'it',
      por: 'pt',
      nld: 'nl',
      dut: 'nl',
      rus: 'ru',
      pol: 'pl',
      hin: 'hi',
    }[language] ?? language
  );
}

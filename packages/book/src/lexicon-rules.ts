import type { LexiconRule } from '@rhapsode/text';
import type { BookSettings } from './request.ts';

/** A caller's rules in the words of the text package. */
export const lexiconRules = (rules: BookSettings['lexicon']): LexiconRule[] =>
  rules.map(({ grapheme, alias, ipa, case_sensitive, anywhere }) => ({
    grapheme,
    ...(alias === undefined ? {} : { alias }),
    ...(ipa === undefined ? {} : { ipa }),
    ...(case_sensitive === undefined ? {} : { caseSensitive: case_sensitive }),
    ...(anywhere === undefined ? {} : { anywhere }),
  }));

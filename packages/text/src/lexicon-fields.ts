import type { LexiconRules } from '@rhapsode/contracts';
import type { LexiconRule } from './lexicon.ts';
import { parsePls } from './pls.ts';

/** Rules as requests write them. */
export const rulesOfFields = (rules: LexiconRules): LexiconRule[] =>
  rules.map(({ case_sensitive: caseSensitive, ...rule }) => given<LexiconRule>({ ...rule, caseSensitive }));

/** The rules of a W3C Pronunciation Lexicon, as requests write them. */
export const fieldsOfPls = (xml: string): LexiconRules =>
  parsePls(xml).rules.map(({ caseSensitive: case_sensitive, ...rule }) =>
    given<LexiconRules[number]>({ ...rule, case_sensitive }),
  );

/** Without what is undefined. */
const given = <T>(fields: object): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;

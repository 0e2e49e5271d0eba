import * as z from 'zod';
import { controlCharacterAt } from './control-characters.ts';

const mostRules = 1_000;

const said = z
  .string()
  .refine(
    (text) => text.isWellFormed() && controlCharacterAt(text) === -1,
    'must hold no control characters but tab and line ends, and no half of a surrogate pair',
  );

/** A word that is said otherwise than it is written. */
export const lexiconRule = z.strictObject({
  grapheme: said.min(1).max(200).describe('What is written.'),
  alias: said.max(1_000).optional().describe('Words that are said for it; either these or `ipa`.'),
  ipa: said.max(1_000).optional().describe('Sounds that are said for it.'),
  case_sensitive: z.boolean().optional(),
  anywhere: z.boolean().optional().describe('Also within words.'),
});

export const lexiconRules = z
  .array(lexiconRule, 'must be a list of rules, {"grapheme": …, "alias" or "ipa": …}')
  .max(mostRules, `has at most ${mostRules} rules`)
  .describe('Words that are said otherwise: rules of this request.');
export type LexiconRules = z.infer<typeof lexiconRules>;

/** A name under which a tenant keeps rules. */
export const lexiconName = z
  .string()
  .regex(
    /^[0-9a-z][0-9a-z._-]{0,63}$/,
    'must be 1 to 64 characters of 0-9, a-z, dot, - and _, and begin with a letter or digit',
  );

/** What a request has: rules of its own, or the name of a lexicon that is kept. */
export const lexiconChoice = z
  .union([lexiconRules, lexiconName], 'must be a list of rules, or the name of a lexicon')
  .describe('Words that are said otherwise: rules of this request, or the name of a lexicon that is kept.');
export type LexiconChoice = z.infer<typeof lexiconChoice>;

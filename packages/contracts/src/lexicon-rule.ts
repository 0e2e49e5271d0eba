import * as z from 'zod';

const mostRules = 1_000;

/** A word that is said otherwise than it is written. */
export const lexiconRule = z.strictObject({
  grapheme: z.string().min(1).max(200).describe('What is written.'),
  alias: z.string().max(1_000).optional().describe('Words that are said for it; either these or `ipa`.'),
  ipa: z.string().max(1_000).optional().describe('Sounds that are said for it.'),
  case_sensitive: z.boolean().optional(),
  anywhere: z.boolean().optional().describe('Also within words.'),
});

export const lexiconRules = z
  .array(lexiconRule, 'must be a list of rules, {"grapheme": …, "alias" or "ipa": …}')
  .max(mostRules)
  .describe('Words that are said otherwise: rules of this request.');
export type LexiconRules = z.infer<typeof lexiconRules>;

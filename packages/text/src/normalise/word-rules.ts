import { createAbbreviationRules } from './abbreviation-rules.ts';
import { createFormulaRule } from './formula-rule.ts';
import { createLettersRules } from './letters-rules.ts';
import { createRomanRule } from './roman.ts';
import type { Rule } from './rule.ts';
import { createSayingRules } from './saying-rules.ts';
import type { Speech } from './speech.ts';

/** All that begins with a letter; the first rule that knows it says it. */
export function createWordRules(speech: Speech): Rule[] {
  const { sayings, phrases } = createSayingRules(speech);
  const { dotted, abbreviation, initials, stopless } = createAbbreviationRules(speech);
  const { capitals, degrees, alphanumeric } = createLettersRules(speech);
  return [
    sayings,
    phrases,
    createRomanRule(speech),
    dotted,
    createFormulaRule(speech),
    degrees,
    stopless,
    abbreviation,
    initials,
    alphanumeric,
    capitals,
  ];
}

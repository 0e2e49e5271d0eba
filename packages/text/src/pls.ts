import { RhapsodeError } from '@rhapsode/contracts';
import { childOf, descendants, parseXml } from './documents/xml.ts';
import type { LexiconRule } from './lexicon.ts';
import { fromXSampa } from './x-sampa.ts';

export interface Pls {
  readonly language: string | undefined;
  readonly rules: readonly LexiconRule[];
}

/** The rules of a W3C Pronunciation Lexicon (PLS 1.0). Of several pronunciations the preferred one counts, else the first. */
export function parsePls(xml: string): Pls {
  const root = parseXml(xml, 32, 'the lexicon', { strict: true });
  if (root.name !== 'lexicon')
    throw new RhapsodeError('invalid_request', { message: 'the lexicon has no <lexicon>', param: 'lexicon' });
  const alphabet = root.attributes.alphabet ?? 'ipa';
  const rules: LexiconRule[] = [];
  for (const lexeme of descendants(root, 'lexeme')) {
    const said = lexeme.children.filter(({ name }) => name === 'phoneme' || name === 'alias');
    const chosen =
      said.find(({ attributes }) => attributes.prefer === 'true') ?? childOf(lexeme, 'alias') ?? said[0];
    if (!chosen) continue;
    const text = chosen.text.replace(/\s+/gu, ' ').trim();
    const notation = (chosen.attributes.alphabet ?? alphabet).toLowerCase();
    const spoken =
      chosen.name === 'alias' ? { alias: text } : { ipa: notation === 'ipa' ? text : toIpa(text, notation) };
    for (const { name, text: grapheme } of lexeme.children)
      if (name === 'grapheme') {
        const written = grapheme.replace(/\s+/gu, ' ').trim();
        // PLS compares as written; a word in lower case holds for a sentence's start too.
        rules.push({ grapheme: written, ...spoken, caseSensitive: /\p{Lu}/u.test(written) });
      }
  }
  return { language: root.attributes['xml:lang'], rules };
}

function toIpa(text: string, notation: string): string {
  if (notation === 'x-sampa') return fromXSampa(text);
  throw new RhapsodeError('invalid_request', {
    message: `the lexicon's alphabet ${notation} is not known; use ipa or x-sampa`,
    param: 'lexicon',
  });
}

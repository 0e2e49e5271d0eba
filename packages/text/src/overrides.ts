import type { Lexicon } from './lexicon.ts';
import type { Normaliser } from './normaliser.ts';
import type { Token } from './spoken.ts';

/** A stretch of a text of which it is told what to say. */
export interface Override {
  readonly start: number;
  readonly end: number;
  /** Words, or sounds in IPA. */
  readonly alias?: string;
  readonly ipa?: string;
}

/** How sounds are handed to a voice that takes them. */
export const phonemes = (ipa: string): string => `[[${ipa.replace(/[[\]]/gu, '').trim()}]]`;

/** What was told first, then the lexicons in their order; what overlaps something earlier is dropped. */
export function collectOverrides(
  text: string,
  told: readonly Override[],
  lexicons: readonly Lexicon[],
): Override[] {
  let kept = [...told];
  for (const lexicon of lexicons) {
    const more = lexicon.find(text).map(
      ({ start, end, rule }): Override => ({
        start,
        end,
        ...(rule.alias === undefined ? { ipa: rule.ipa! } : { alias: rule.alias }),
      }),
    );
    if (more.length === 0) continue;
    kept = kept.length === 0 ? more : merge(kept, more);
  }
  return kept;
}

function merge(kept: readonly Override[], more: readonly Override[]): Override[] {
  const all = [...kept];
  let at = 0;
  for (const one of more) {
    while (at < kept.length && kept[at]!.end <= one.start) at++;
    if (at >= kept.length || kept[at]!.start >= one.end) all.push(one);
  }
  return all.sort((a, b) => a.start - b.start);
}

/** The tokens of a text in which some stretches are told. */
export function tokensWith(
  text: string,
  overrides: readonly Override[],
  normaliser: Normaliser,
  takesPhonemes: boolean,
): Token[] {
  if (overrides.length === 0) return normaliser.tokens(text);
  const tokens: Token[] = [];
  let at = 0;
  const plain = (until: number) => {
    if (until <= at) return;
    for (const token of normaliser.tokens(text.slice(at, until)))
      tokens.push({ ...token, start: token.start + at, end: token.end + at });
    at = until;
  };
  for (const { start, end, alias, ipa } of overrides) {
    plain(start);
    if (ipa !== undefined && !takesPhonemes) plain(end);
    else if (end > start)
      tokens.push({ start, end, spoken: ipa === undefined ? (alias ?? '') : phonemes(ipa) });
    at = Math.max(at, end);
  }
  plain(text.length);
  return tokens;
}

import { type Clause, clausesOf } from './clauses.ts';
import type { Phonemizer } from './phonemizer.ts';

/** Phonemes in a text: `[[həlˈoʊ]]`. */
const inline = /\[\[([^\][]{1,400})\]\]/gu;
/** Stands for them while the text is cut and read; of the private use area, so that no text has it. */
const blank = '\ue000';

export interface SpokenClause extends Clause {
  /** IPA; more than one part where the phonemizer divided the clause further. */
  readonly parts: readonly string[];
}

/** Clauses of a text with their phonemes: those that are written in it, and the phonemizer's for the rest. */
export async function spokenClauses(
  text: string,
  phonemizer: Phonemizer,
  language: string,
): Promise<SpokenClause[]> {
  const given: string[] = [];
  const masked = text.replaceAll(blank, ' ').replace(inline, (all, ipa: string) => {
    given.push(ipa.trim());
    // The last one is another, so that two in a row stay two.
    return `${blank.repeat(all.length - 1)}\ue001`;
  });
  const clauses = clausesOf(masked);
  const pieces = clauses.map((clause) => clause.text.split(/(\ue000+\ue001)/u));
  const asked = pieces.flat().filter((piece) => !piece.startsWith(blank) && piece.trim() !== '');
  const answers = await phonemizer.phonemize(language, asked);
  let nextGiven = 0;
  let nextAnswer = 0;
  return clauses.map((clause, i) => {
    const parts = [''];
    for (const piece of pieces[i]!) {
      const [first = '', ...others] = piece.startsWith(blank)
        ? [given[nextGiven++] ?? '']
        : piece.trim() === ''
          ? [piece]
          : (answers[nextAnswer++] ?? []);
      const spaced = /^\s/u.test(piece) ? ' ' : '';
      parts[parts.length - 1] += `${spaced}${first}`;
      parts.push(...others);
      if (/\S\s+$/u.test(piece)) parts[parts.length - 1] += ' ';
    }
    const start = clause.start;
    return {
      text: text.slice(start, start + clause.text.length),
      start,
      end: clause.end,
      parts: parts.map((part) => part.replaceAll(/\s+/gu, ' ').trim()).filter((part) => part !== ''),
    };
  });
}

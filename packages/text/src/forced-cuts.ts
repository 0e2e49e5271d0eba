/** Cuts of a text in which no sentence ends. They look at the given text only. */

const clauseEnd = /[,;:—–،؛][”"'’»)\]*_]*\s+(?=\S)|\s[—–-]\s+(?=\S)|[，、；：][」』”]?(?=\S)/gu;

/** Where the first clause of some length ends: what a listener hears first. */
export function clauseCut(text: string): number | undefined {
  let short: number | undefined;
  for (const { 0: found, index } of text.matchAll(clauseEnd)) {
    const end = index + found.length;
    const said = text.slice(0, end).trim().length;
    if (said >= 40) return end;
    if (said >= 16) short = end;
  }
  return short;
}

/** Where to cut a text of which more follows: after a clause, a word, a word of a script without spaces, a grapheme. */
export function forcedCut(text: string, locale: string): number {
  const least = text.length >> 1;
  let clause = 0;
  for (const { 0: found, index } of text.matchAll(clauseEnd)) clause = index + found.length;
  if (clause > least) return clause;
  for (let at = text.length - 1; at > least; at--)
    if (/\s/u.test(text[at - 1]!) && /\S/u.test(text[at]!)) return at;
  const tail = text.slice(least);
  return least + (lastStart(tail, locale, 'word') || lastStart(tail, locale, 'grapheme') || tail.length);
}

/** Where the last but one piece of the text ends: the last one may go on. */
function lastStart(text: string, locale: string, granularity: 'word' | 'grapheme'): number {
  let segmenter: Intl.Segmenter;
  try {
    segmenter = new Intl.Segmenter(locale, { granularity });
  } catch {
    segmenter = new Intl.Segmenter('en', { granularity });
  }
  let start = 0;
  for (const { index } of segmenter.segment(text)) start = index;
  return start;
}

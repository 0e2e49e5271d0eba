/** Longer words, and longer runs of words without punctuation, overflow tables of fixed size in espeak-ng. */
const longestWord = 60;
const longestRun = 300;

const asMarkup: Record<string, string> = { '<': '&lt;', '&': '&amp;' };
/** `[[` begins phonemes. */
const asText: Record<string, string> = { '[': '(', ']': ')' };

/**
 * Text as espeak-ng must get it; its synthesis always reads markup. `origin[i]` is the place in the source (UTF-16) of the
 * result's code point `i`; its last entry is the source's length.
 */
export function safeText(source: string, markup: boolean): { text: string; origin: number[] } {
  let text = '';
  const origin: number[] = [];
  let at = 0;
  let word = 0;
  let run = 0;
  const put = (characters: string) => {
    text += characters;
    for (const _ of characters) origin.push(at);
  };
  for (const character of source) {
    // C0 controls say nothing, and NUL would end the string.
    const blank = character <= ' ' || character === '\u007f' || /\s/u.test(character);
    if (/[.,;:!?]/.test(character)) run = 0;
    if (blank) {
      word = 0;
      put(run >= longestRun ? ', ' : ' ');
      if (run >= longestRun) run = 0;
    } else {
      if (word++ >= longestWord) {
        put(' ');
        word = 1;
      }
      put((markup ? asMarkup[character] : undefined) ?? asText[character] ?? character);
    }
    run++;
    at += character.length;
  }
  origin.push(at);
  return { text, origin };
}

import type { Mark } from '@rhapsode/contracts';

/** Words of a text with their spans; a word is a run without spaces, or written phonemes, that holds a letter or a digit. */
export function wordsOf(text: string): { text: string; start: number; end: number }[] {
  return [...text.matchAll(/(?:\[\[[^\][]*\]\]|\S)+/gu)]
    .filter((found) => /[\p{L}\p{N}]/u.test(found[0]))
    .map((found) => ({ text: found[0], start: found.index, end: found.index + found[0].length }));
}

/** Word times for a voice that tells none: the samples spread over the words by their length. */
export function estimateMarks(text: string, samples: number): Mark[] {
  const words = wordsOf(text);
  const total = words.reduce((sum, word) => sum + word.text.length + 1, 0);
  const at = (characters: number) => Math.floor((characters / total) * samples);
  let done = 0;
  return words.map((word) => {
    const firstSample = at(done);
    done += word.text.length + 1;
    return { kind: 'word', ...word, firstSample, samples: at(done) - firstSample };
  });
}

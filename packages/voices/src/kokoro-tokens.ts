import type { Phonemizer } from './phonemizer.ts';
import { spokenClauses } from './spoken-clauses.ts';

/** What the model takes at once, its two pads not counted. */
export const mostTokens = 510;
/** A run of its own is worth it from here on; shorter clauses are joined to the next. */
const leastTokens = 24;

/** By the first letter of a speaker's name; the second is the speaker's gender. */
const languages: Record<string, string> = {
  a: 'en-us',
  b: 'en-gb',
  e: 'es',
  f: 'fr-fr',
  h: 'hi',
  i: 'it',
  j: 'ja',
  p: 'pt-br',
  z: 'cmn',
};
export const languageOfSpeaker = (speaker: string): string => languages[speaker[0] ?? 'a'] ?? 'en-us';

/** Sounds that the model was not trained on, and what it knows instead. */
const nearest: Record<string, string> = { r: 'ɹ', x: 'k', ʲ: 'j', ɬ: 'l' };

/**
 * Token ids of a text in runs for the model: cut between clauses so that the first audio comes early, and, where a clause
 * is longer than the model takes, between words into parts of about equal length.
 */
export async function kokoroRuns(
  text: string,
  language: string,
  vocabulary: ReadonlyMap<string, number>,
  phonemizer: Phonemizer,
): Promise<number[][]> {
  const clauses = await spokenClauses(text, phonemizer, language);
  const tokens = (phonemes: string) =>
    [...phonemes.normalize('NFC')].flatMap((phoneme) => {
      const id = vocabulary.get(phoneme) ?? vocabulary.get(nearest[phoneme] ?? '');
      return id === undefined ? [] : [id];
    });
  const units = clauses.map((clause) => {
    const words = clause.parts
      .join(', ')
      .split(' ')
      .filter((word) => word !== '');
    return words.map((word, w) => tokens(`${word}${w === words.length - 1 ? clause.end : ''} `));
  });
  return groupTokens(units);
}

/** Words of clauses to runs; exported for its test. */
export function groupTokens(clauses: readonly (readonly (readonly number[])[])[]): number[][] {
  const runs: number[][] = [];
  let run: number[] = [];
  const flush = () => {
    if (run.length > 0) runs.push(run);
    run = [];
  };
  for (const words of clauses) {
    const total = words.reduce((sum, word) => sum + word.length, 0);
    if (run.length + total > mostTokens) flush();
    const parts = Math.max(1, Math.ceil(total / mostTokens));
    // Room for the word that does not fit any more.
    const share = parts === 1 ? mostTokens : Math.ceil(total / parts);
    for (const word of words) {
      for (let at = 0; at < word.length; at += mostTokens) {
        const piece = word.slice(at, at + mostTokens);
        if (run.length + piece.length > mostTokens || (parts > 1 && run.length >= share)) flush();
        run.push(...piece);
      }
    }
    if (run.length >= leastTokens) flush();
  }
  // What is left is too short for a run of its own, unless it is all there is.
  const last = runs.at(-1);
  if (
    last !== undefined &&
    run.length > 0 &&
    run.length < leastTokens &&
    last.length + run.length <= mostTokens
  )
    last.push(...run);
  else flush();
  return runs;
}

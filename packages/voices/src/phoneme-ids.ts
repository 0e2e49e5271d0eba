import { RhapsodeError } from '@rhapsode/contracts';
import { clausesOf } from './clauses.ts';
import { wordsOf } from './estimate-marks.ts';
import type { Phonemizer } from './phonemizer.ts';
import type { PiperConfig } from './piper-config.ts';
import { spokenClauses } from './spoken-clauses.ts';

export interface PhonemeIds {
  readonly ids: readonly number[];
  /** Words of the text with the ids, [from, to), that speak them. */
  readonly words: readonly WordIds[];
  /** Phonemes that the voice does not know, which were left out. */
  readonly unknown: readonly string[];
}

export interface WordIds {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Ids as Piper's voices were trained on them: `^`, then a pad after every phoneme, then `$`; clauses keep their punctuation,
 * with a space behind it where the sentence goes on.
 */
export async function phonemeIds(
  text: string,
  config: PiperConfig,
  phonemizer: Phonemizer,
): Promise<PhonemeIds> {
  const { phoneme_id_map: map } = config;
  const pad = map._ ?? [];
  const ids: number[] = [];
  const words: WordIds[] = [];
  const unknown: string[] = [];
  const put = (phoneme: string) => {
    const found = map[phoneme];
    if (found === undefined) unknown.push(phoneme);
    else ids.push(...found, ...pad);
  };
  const clauses =
    config.phoneme_type === 'text'
      ? clausesOf(text).map((clause) => ({ ...clause, parts: [clause.text.toLowerCase()] }))
      : await spokenClauses(text, phonemizer, config.espeak?.voice ?? 'en-us');
  if (clauses.length === 0) return { ids: [], words: [], unknown: [] };

  ids.push(...(map['^'] ?? []), ...pad);
  for (const [i, clause] of clauses.entries()) {
    const written = wordsOf(clause.text).map((word) => ({
      text: word.text,
      start: word.start + clause.start,
      end: word.end + clause.start,
    }));
    const groups: { from: number; to: number }[] = [];
    const { parts } = clause;
    for (const [p, part] of parts.entries()) {
      for (const [w, group] of part.normalize('NFD').split(' ').entries()) {
        if (w > 0) put(' ');
        const from = ids.length;
        for (const phoneme of phonemesIn(group, map)) put(phoneme);
        if (ids.length > from) groups.push({ from, to: ids.length });
      }
      if (p < parts.length - 1) {
        put(',');
        put(' ');
      }
    }
    words.push(...align(written, groups));
    put(clause.end);
    if (i < clauses.length - 1) put(' ');
  }
  ids.push(...(map.$ ?? []));
  if (ids.some((id) => id >= config.num_symbols))
    throw new RhapsodeError('model_invalid', { message: 'the phoneme map has ids beyond num_symbols' });
  return { ids, words, unknown };
}

/** Code points, unless the voice has a longer phoneme that fits. */
function* phonemesIn(group: string, map: Readonly<Record<string, unknown>>): Generator<string> {
  const points = [...group];
  for (let at = 0; at < points.length; ) {
    let length = Math.min(4, points.length - at);
    while (length > 1 && map[points.slice(at, at + length).join('')] === undefined) length--;
    yield points.slice(at, at + length).join('');
    at += length;
  }
}

/** Written words to spoken groups: one to one where there are as many, else in proportion. */
function align(
  written: readonly { text: string; start: number; end: number }[],
  groups: readonly { from: number; to: number }[],
): WordIds[] {
  if (groups.length === 0) return [];
  return written.map((word, i) => {
    const first = Math.min(groups.length - 1, Math.floor((i * groups.length) / written.length));
    const next = Math.max(first + 1, Math.floor(((i + 1) * groups.length) / written.length));
    return { ...word, from: groups[first]!.from, to: groups[next - 1]!.to };
  });
}

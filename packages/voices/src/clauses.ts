export interface Clause {
  /** Without its punctuation. */
  readonly text: string;
  /** Place of `text` in the source, in UTF-16 code units. */
  readonly start: number;
  /** One of `. , ? ! : ;`. */
  readonly end: string;
}

const ends: Record<string, string> = {
  '。': '.',
  '．': '.',
  '…': '.',
  '，': ',',
  '、': ',',
  '？': '?',
  '؟': '?',
  '！': '!',
  '：': ':',
  '；': ';',
  '—': ';',
  '–': ';',
  '،': ',',
  '।': '.',
};

/**
 * Clauses as a voice breathes them: cut after punctuation that ends a word, and at dashes between words. The last clause
 * ends with a full stop if nothing else is written.
 */
export function clausesOf(source: string): Clause[] {
  const clauses: Clause[] = [];
  const pattern = /([.,?!:;…؟،]+["'”’»)\]]*(?=\s|$)|[。．，、？！：；।]+|\s[—–-]+\s|—)/gu;
  let from = 0;
  const put = (to: number, mark: string) => {
    const raw = source.slice(from, to);
    const text = raw.trim();
    // The private use area stands for written phonemes.
    if (/[\p{L}\p{N}\ue001]/u.test(text))
      clauses.push({ text, start: from + (raw.length - raw.trimStart().length), end: mark });
  };
  for (const found of source.matchAll(pattern)) {
    const marks = found[0].replaceAll(/["'”’»)\]\s]/g, '');
    const last = /[?？؟]/.test(marks) ? '?' : /[!！]/.test(marks) ? '!' : ([...marks].at(0) ?? '.');
    put(found.index, ends[last] ?? (last === '-' ? ';' : last));
    from = found.index + found[0].length;
  }
  put(source.length, '.');
  return clauses;
}

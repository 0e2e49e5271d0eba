import { createHash } from 'node:crypto';

/**
 * The digest of a manifest without who made what, from its text as it was written: one line is one sentence. Whatever does not
 * look as it was written has another digest.
 */
export function contentDigestOf(text: string): string {
  const hash = createHash('sha256');
  // Nothing may stand behind it: of a field that is there twice, the last one counts.
  const end = text.search(/,\n"contentDigest":"[0-9a-f]{64}"\}\n$/);
  const lines = text.slice(0, end < 0 ? undefined : end).split('\n');
  const first = lines.indexOf('"sentences":[');
  const last = lines.findIndex((line, index) => index > first && line.startsWith('],'));
  // As the writer does: the head up to its comma, each sentence without its comma, the rest with its line ends.
  hash.update(lines.slice(0, first).join('\n').slice(0, -1));
  for (const line of lines.slice(first + 1, last)) {
    const sentence = /,"attempt":\d+,"worker":"(?:[^"\\]|\\.)*"\},?$/.exec(line);
    hash.update(sentence ? `${line.slice(0, sentence.index)}}` : line);
  }
  return hash.update(lines.slice(last).join('\n')).digest('hex');
}

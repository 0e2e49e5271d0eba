import { type Manifest, type ManifestFile, manifest } from './manifest.ts';
import { contentDigestOf } from './verify/content-digest.ts';
import { createLengthReader } from './verify/read-length.ts';

/** What is wrong with a book, in words for its owner. */
export interface Problem {
  /** The file, or `book.json`. */
  readonly file: string;
  readonly message: string;
}

export interface Verified {
  readonly problems: readonly Problem[];
  readonly manifest: Manifest | undefined;
  readonly files: number;
}

export interface VerifySource {
  readManifest(): Promise<Uint8Array>;
  /** By the path in the manifest; undefined where there is none. */
  read(path: string): Promise<AsyncIterable<Uint8Array> | undefined>;
}

/** Compares a book's files with its manifest, and the manifest with itself. */
export async function verifyBook(source: VerifySource, signal?: AbortSignal): Promise<Verified> {
  const problems: Problem[] = [];
  const parsed = parseManifest(await source.readManifest());
  if ('problem' in parsed)
    return { problems: [{ file: 'book.json', message: parsed.problem }], manifest: undefined, files: 0 };
  const { found } = parsed;
  for (const message of tilingProblems(found)) problems.push({ file: 'book.json', message });
  for (const file of found.files) {
    signal?.throwIfAborted();
    for (const message of await fileProblems(file, source, signal))
      problems.push({ file: file.path, message });
  }
  return { problems, manifest: found, files: found.files.length };
}

function parseManifest(bytes: Uint8Array): { found: Manifest } | { problem: string } {
  const text = Buffer.from(bytes).toString();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { problem: 'it is not JSON' };
  }
  const parsed = manifest.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { problem: `${issue!.path.join('.') || 'it'}: ${issue!.message}` };
  }
  const digest = contentDigestOf(text);
  return digest === parsed.data.contentDigest
    ? { found: parsed.data }
    : { problem: 'it was changed: its contentDigest is not that of its content' };
}

/** The sentences must be the whole text and the whole sound, each once. */
export function tilingProblems({ chapters, sentences, samples, textLength, files }: Manifest): string[] {
  const problems: string[] = [];
  let text = 0;
  let sample = 0;
  let n = 0;
  for (const chapter of chapters) {
    if (chapter.startSample !== sample)
      problems.push(`chapter ${chapter.index} begins at sample ${chapter.startSample}, not at ${sample}`);
    const end = chapter.startSample + chapter.samples;
    sample = chapter.startSample;
    for (let count = 0; count < chapter.sentences; count++, n++) {
      const sentence = sentences[n];
      if (!sentence) {
        problems.push(`sentence ${n} is missing`);
        return problems;
      }
      if (sentence.n !== n || sentence.chapter !== chapter.index)
        problems.push(`sentence ${n} is called ${sentence.n} of chapter ${sentence.chapter}`);
      if (sentence.start !== text || sentence.end - sentence.start !== sentence.text.length)
        problems.push(
          `sentence ${n} has the text from ${sentence.start} to ${sentence.end}, not from ${text}`,
        );
      if (sentence.position !== sample)
        problems.push(`sentence ${n} begins at sample ${sentence.position}, not at ${sample}`);
      text = sentence.end;
      sample = sentence.position + sentence.samples + sentence.pauseSamples;
    }
    if (sample + chapter.closingSamples !== end)
      problems.push(
        `chapter ${chapter.index} ends at sample ${end}, its sentences at ${sample + chapter.closingSamples}`,
      );
    sample = end;
  }
  if (n !== sentences.length) problems.push(`there are ${sentences.length - n} sentences too many`);
  if (sample !== samples) problems.push(`the chapters have ${sample} samples, the book ${samples}`);
  if (text !== textLength)
    problems.push(`the sentences have ${text} code units of text, the book ${textLength}`);
  return [...problems, ...lengthProblems(files, chapters, samples)];
}

/** Files at the book's own rate say how many samples they are of. */
function lengthProblems(files: Manifest['files'], chapters: Manifest['chapters'], samples: number): string[] {
  return files.flatMap((file) => {
    if (
      file.kind !== 'audio' ||
      file.samples === undefined ||
      (file.format !== 'wav' && file.format !== 'm4b')
    )
      return [];
    const wanted = file.chapter === undefined ? samples : chapters[file.chapter]?.samples;
    return wanted === file.samples
      ? []
      : [`${file.path} is said to have ${file.samples} samples instead of ${wanted}`];
  });
}

async function fileProblems(
  file: ManifestFile,
  source: VerifySource,
  signal?: AbortSignal,
): Promise<string[]> {
  const bytes = await source.read(file.path);
  if (!bytes) return ['it is missing'];
  const reader = createLengthReader(file.format);
  for await (const piece of bytes) {
    signal?.throwIfAborted();
    reader.push(piece);
  }
  const found = reader.result();
  if (found.bytes !== file.bytes) return [`it has ${found.bytes} bytes instead of ${file.bytes}`];
  if (found.sha256 !== file.sha256)
    return [`it was changed: its SHA-256 is ${found.sha256} instead of ${file.sha256}`];
  if (found.samples !== undefined && found.samples !== file.samples)
    return [`it has ${found.samples} samples instead of ${file.samples}`];
  return [];
}

import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { ManifestFile, ManifestSentence } from '../manifest.ts';
import { inPieces } from './captions.ts';
import type { Gain } from './gain.ts';
import type { BookAudio, OutputFile, PutResult, RenderDeps, RenderedSentence } from './port.ts';
import type { ChapterPlace } from './timeline.ts';

export interface ManifestFacts {
  readonly name: string;
  readonly gain: Gain;
  readonly sampleRateHz: number;
  readonly places: readonly ChapterPlace[];
  readonly files: readonly OutputFile[];
}

/** Writes `book.json`, sentence by sentence; one line is one sentence. */
export async function writeManifest(
  book: BookAudio,
  facts: ManifestFacts,
  { outputs, signal }: RenderDeps,
): Promise<PutResult & { contentDigest: string }> {
  const hash = createHash('sha256');
  let contentDigest = '';
  async function* lines(): AsyncIterable<string> {
    const head = JSON.stringify(headOf(book, facts)).slice(0, -1);
    hash.update(head);
    yield `${head},\n"sentences":[`;
    let textLength = 0;
    let isFirst = true;
    for (const [index, chapter] of book.chapters.entries())
      for await (const sentence of chapter.sentences(signal, { marks: false })) {
        if (sentence.start !== textLength)
          throw new Error(
            `sentence ${sentence.n} begins at ${sentence.start}, not where the text has come to, ${textLength}`,
          );
        textLength = sentence.end;
        const { attempt, worker, ...same } = lineOf(sentence, index, facts.places[index]!);
        hash.update(JSON.stringify(same));
        yield `${isFirst ? '' : ','}\n${JSON.stringify({ ...same, attempt, worker })}`;
        isFirst = false;
      }
    const folder = posix.dirname(facts.name);
    const files = facts.files.map((file) => fileOf(file, folder));
    const tail = `],\n"textLength":${textLength},\n"files":[\n${files.map((file) => JSON.stringify(file)).join(',\n')}\n]`;
    hash.update(tail);
    contentDigest = hash.digest('hex');
    yield `\n${tail},\n"contentDigest":"${contentDigest}"}\n`;
  }
  const put = await outputs.put(facts.name, inPieces(lines()), {
    contentType: 'application/json',
    ...(signal ? { signal } : {}),
  });
  return { ...put, contentDigest };
}

function headOf(book: BookAudio, { gain, sampleRateHz, places }: ManifestFacts) {
  const { cover: _, ...metadata } = book.metadata;
  return {
    version: 1,
    id: book.id,
    metadata,
    settings: book.outputs,
    gain,
    sampleRateHz,
    samples: places.reduce((sum, { samples }) => sum + samples, 0),
    chapters: book.chapters.map(({ index, title, sentenceCount }, i) => ({
      index,
      title,
      ...places[i]!,
      sentences: sentenceCount,
    })),
  };
}

/** Always in this order: a file that was made now and one that was made before are told alike. */
const fileOf = (file: OutputFile, folder: string): ManifestFile => ({
  path: posix.relative(folder, file.name),
  kind: file.kind as ManifestFile['kind'],
  format: file.format,
  contentType: file.contentType,
  bytes: file.bytes,
  sha256: file.sha256,
  ...(file.samples === undefined ? {} : { samples: file.samples }),
  ...(file.sampleRateHz === undefined ? {} : { sampleRateHz: file.sampleRateHz }),
  ...(file.chapter === undefined ? {} : { chapter: file.chapter }),
});

const lineOf = (sentence: RenderedSentence, chapter: number, place: ChapterPlace): ManifestSentence => ({
  n: sentence.n,
  chapter,
  start: sentence.start,
  end: sentence.end,
  text: sentence.source,
  spoken: sentence.spoken,
  state: sentence.state,
  ...(sentence.reason === undefined ? {} : { reason: sentence.reason }),
  key: sentence.key,
  voice: sentence.voice,
  voiceDigest: sentence.voiceDigest,
  position: place.startSample + sentence.startSample,
  samples: sentence.samples,
  pauseSamples: sentence.pauseSamples,
  peak: sentence.peak,
  attempt: sentence.attempt,
  worker: sentence.worker,
});

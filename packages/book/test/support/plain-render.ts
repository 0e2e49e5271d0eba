import { createHash } from 'node:crypto';
import type { OutputFile, RenderBook, RenderFiles } from '../../src/render/port.ts';
import type { Render } from '../../src/run/run-book.ts';

/** The simplest renderer: each chapter's PCM, and what is known of each sentence. */
const book: RenderBook = async ({ chapters }, { outputs, signal }) => {
  const files: OutputFile[] = [];
  async function put(
    name: string,
    bytes: AsyncIterable<Uint8Array>,
    fields: Pick<OutputFile, 'kind' | 'format'>,
  ) {
    files.push({
      name,
      contentType: 'application/octet-stream',
      ...fields,
      ...(await write(outputs, name, bytes)),
    });
  }
  const sentences: unknown[] = [];
  for (const chapter of chapters) {
    await put(`${chapter.index + 1}.pcm`, chapter.pcm(signal), { kind: 'audio', format: 'pcm' });
    for await (const sentence of chapter.sentences(signal))
      sentences.push({ chapter: chapter.index, title: chapter.title, ...sentence, attempt: 0, worker: '' });
  }
  const list = Buffer.from(JSON.stringify(sentences));
  await put('sentences.json', one(list), { kind: 'timings', format: 'json' });
  const samples = chapters.reduce((sum, chapter) => sum + chapter.samples, 0);
  const contentDigest = createHash('sha256').update(list).digest('hex');
  return { files, samples, sampleRateHz: chapters[0]!.sampleRateHz, gainDb: 0, contentDigest };
};

async function* one(bytes: Uint8Array) {
  yield bytes;
}

async function write(files: RenderFiles, name: string, bytes: AsyncIterable<Uint8Array>) {
  const hash = createHash('sha256');
  let length = 0;
  async function* counted() {
    for await (const piece of bytes) {
      hash.update(piece);
      length += piece.length;
      yield piece;
    }
  }
  await files.put(name, counted(), { contentType: 'application/octet-stream' });
  return { bytes: length, sha256: hash.digest('hex') };
}

export const plainRender: Render = { book };

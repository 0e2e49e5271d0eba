import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pcmBytes } from '@rhapsode/audio';
import { type BookAudio, bookMetadata, renderBook } from '@rhapsode/book';
import { audioSpecificConfig, writeAacPackets } from '@rhapsode/book/render/aac-packets';
import { m4b } from '@rhapsode/book/render/mp4/m4b';
import { renderFiles } from '@rhapsode/book/run/render-files';
import { createFsArtefacts } from '@rhapsode/store/artefacts/fs';
import { createMemoryArtefacts } from '@rhapsode/store/artefacts/memory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sing, singBook, songs } from './support/book.ts';
import { decode, probe, signalToNoise } from './support/media.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rhapsode-m4b-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let books = 0;
async function render(book: BookAudio) {
  const place = join(folder, String(books++));
  const store = createFsArtefacts({ dir: place });
  const rendered = await renderBook(book, {
    outputs: renderFiles(store, 'files/'),
    parts: renderFiles(store, 'parts/'),
  });
  const m4b = rendered.files.find(({ format }) => format === 'm4b')!;
  return { rendered, m4b, path: join(place, 'files', m4b.name) };
}

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

describe('an M4B', () => {
  it('has chapters where the samples are, and lasts exactly as long as they do', async () => {
    const book = singBook(songs(5), { outputs: { captions: [] } });
    const { rendered, m4b, path } = await render(book);
    const { chapters, format } = probe(path);
    let at = 0;
    expect(chapters.map(({ tags }) => tags.title)).toEqual(book.chapters.map(({ title }) => title));
    for (const [index, chapter] of chapters.entries()) {
      expect([chapter.time_base, chapter.start]).toEqual(['1/22050', at]);
      at += Math.ceil(book.chapters[index]!.samples / 1024) * 1024;
      expect(chapter.end).toBe(at);
    }
    expect(m4b.samples).toBe(at);
    expect(rendered.samples).toBe(at);
    expect(Number(format.duration)).toBeCloseTo(at / 22_050, 5);
    expect(decode(path).length).toBe(at);
  });

  it('decodes to every chapter in its place, without a seam', async () => {
    const book = singBook(songs(4), { outputs: { captions: [], loudness: null } });
    const { path } = await render(book);
    const heard = decode(path);
    let at = 0;
    for (const chapter of book.chapters) {
      const wanted: number[] = [];
      for await (const { source, samples, pauseSamples } of chapter.sentences())
        wanted.push(...sing(source, samples, 22_050), ...new Int16Array(pauseSamples));
      const spoken = heard.subarray(at, at + wanted.length);
      expect(signalToNoise(Int16Array.from(wanted), spoken)).toBeGreaterThan(20);
      // One sample aside, it is another sound: the place is exact.
      expect(signalToNoise(Int16Array.from(wanted), heard.subarray(at + 4))).toBeLessThan(20);
      at += Math.ceil(wanted.length / 1024) * 1024;
      // The silence in which chapters meet is silent.
      expect(Math.max(...heard.subarray(at - 600, at + 4).map(Math.abs))).toBeLessThan(40);
    }
  });

  it('adds silence where a chapter ends in sound', async () => {
    const loud = { source: 'No pause at all.', samples: 10_240, pauseSamples: 0 };
    const chapters = ['One', 'Two'].map((title) => ({ title, sentences: [loud] }));
    const { path, m4b } = await render(singBook(chapters, { outputs: { captions: [], loudness: null } }));
    expect(m4b.samples).toBe(2 * (10_240 + 1024));
    const heard = decode(path);
    const wanted = sing(loud.source, loud.samples, 22_050);
    for (const at of [0, 11_264])
      expect(signalToNoise(wanted, heard.subarray(at, at + 10_240))).toBeGreaterThan(20);
  });

  it('tells what it is: author, narrator, series, year, picture', async () => {
    const metadata = {
      title: 'Das Lied – «Ein»',
      authors: ['Ann Ä. Author', '紫式部'],
      narrator: 'Calliope',
      series: 'Songs',
      seriesNumber: '2.5',
      year: 1851,
      language: 'de',
      publisher: 'Press',
      description: 'About\na song.',
    };
    const cover = { mediaType: 'image/png', bytes: png } as const;
    const { path, m4b } = await render(singBook(songs(1), { metadata, cover }));
    expect(m4b.name).toBe('Ann Ä. Author, 紫式部/Songs/Vol 2.5 - Das Lied – «Ein»/Das Lied – «Ein».m4b');
    const { format, streams } = probe(path);
    expect(format.tags).toMatchObject({
      title: metadata.title,
      artist: 'Ann Ä. Author, 紫式部',
      album_artist: 'Ann Ä. Author, 紫式部',
      album: metadata.title,
      composer: 'Calliope',
      date: '1851',
      PUBLISHER: 'Press',
      description: 'About\na song.',
      SERIES: 'Songs',
      'SERIES-PART': '2.5',
      genre: 'Audiobook',
      media_type: '2',
    });
    expect(streams.map(({ codec_type }) => codec_type)).toEqual(['audio', 'data', 'video']);
    expect(streams[2]).toMatchObject({ codec_name: 'png', disposition: { attached_pic: 1 } });
    expect(streams[0]).toMatchObject({ codec_name: 'aac', tags: { language: 'deu' } });
  });

  it('has Nero’s chapters too, for those who read no chapter track', async () => {
    const book = singBook(songs(3), { outputs: { captions: [] } });
    const { path } = await render(book);
    const { chapters } = probe(path);
    // Without the reference to it, the track of chapters is only some text.
    const bytes = await readFile(path);
    bytes.write('free', bytes.indexOf('tref'));
    await writeFile(path, bytes);
    const nero = probe(path).chapters;
    expect(nero.map(({ time_base }) => time_base)).toEqual(['1/10000000', '1/10000000', '1/10000000']);
    expect(nero.map(({ tags }) => tags)).toEqual(chapters.map(({ tags }) => tags));
    for (const [index, { start }] of nero.entries())
      expect(start).toBe(Math.round((chapters[index]!.start * 1e7) / 22_050));
  });

  it('holds more chapters than Nero’s list can count', async () => {
    const parts = renderFiles(createMemoryArtefacts(), '');
    const [payload, sizes] = ['payload', 'sizes'];
    async function* pcm() {
      yield pcmBytes(sing('short', 2048, 22_050));
      yield pcmBytes(new Int16Array(1024));
    }
    const encoded = await writeAacPackets(
      pcm(),
      { sampleRateHz: 22_050, samples: 3072 },
      { payload, sizes },
      parts,
    );
    const read = async function* (name: string) {
      yield* (await parts.get(name))!;
    };
    const chapters = Array.from({ length: 300 }, (_, index) => ({
      ...encoded,
      title: `Chapter ${index + 1}`,
      samples: 3072,
      payload: () => read(payload),
      sizes: () => read(sizes),
    }));
    const path = join(folder, 'many.m4b');
    await writeFile(
      path,
      m4b({
        metadata: bookMetadata.parse({}),
        sampleRateHz: 22_050,
        audioSpecificConfig: audioSpecificConfig(22_050),
        chapters,
      }),
    );
    const found = probe(path).chapters;
    expect(found.length).toBe(300);
    expect(found.at(-1)).toMatchObject({
      start: 299 * 3072,
      end: 300 * 3072,
      tags: { title: 'Chapter 300' },
    });
    expect(decode(path).length).toBe(300 * 3072);
  });
});

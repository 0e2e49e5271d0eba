import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BookAudio, manifest, type OutputFile, type RenderFiles, renderBook } from '@rhapsode/book';
import { renderFiles } from '@rhapsode/book/run/render-files';
import { type ArtefactStore, readWhole } from '@rhapsode/store';
import { createFsArtefacts } from '@rhapsode/store/artefacts/fs';
import { createMemoryArtefacts } from '@rhapsode/store/artefacts/memory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChapterSpec, singBook, songs } from './support/book.ts';
import { decode, probe, signalToNoise } from './support/media.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rhapsode-render-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Counts what is written, and fails when it is told to. */
function watched(files: RenderFiles) {
  const puts: string[] = [];
  let left = Number.POSITIVE_INFINITY;
  return {
    puts,
    failAfter(count: number) {
      left = count;
    },
    files: {
      ...files,
      async put(name, bytes, options) {
        if (left-- <= 0) throw new Error('killed');
        puts.push(name);
        return files.put(name, bytes, options);
      },
    } satisfies RenderFiles,
  };
}

function bench(store: ArtefactStore = createMemoryArtefacts()) {
  const outputs = watched(renderFiles(store, 'files/'));
  const parts = watched(renderFiles(store, 'parts/'));
  return {
    store,
    outputs,
    parts,
    render: (book: BookAudio) => renderBook(book, { outputs: outputs.files, parts: parts.files }),
    read: async (name: string) => (await readWhole(store, `files/${name}`))!,
    async names() {
      const names: string[] = [];
      for await (const { key } of store.list('files/')) names.push(key.slice('files/'.length));
      return names;
    },
  };
}

const everything = { audio: ['m4b', 'mp3', 'opus', 'flac', 'wav'], captions: ['srt', 'vtt', 'json'] };
const sums = (files: readonly OutputFile[]) => files.map(({ name, sha256 }) => [name, sha256]);
/** One word of one sentence of the second chapter is another one. */
const withWord = (chapters: readonly ChapterSpec[]): ChapterSpec[] =>
  chapters.map((chapter, c) => ({
    ...chapter,
    sentences: chapter.sentences.map((sentence, s) =>
      c === 1 && s === 1 ? { ...sentence, source: 'Another line altogether. ', samples: 12_345 } : sentence,
    ),
  }));

describe('the files of a book', () => {
  it('decode, in every format, to as many samples as the book has, with titles and numbers', async () => {
    const place = join(folder, 'formats');
    const { render } = bench(createFsArtefacts({ dir: place }));
    const book = singBook(songs(2, 2, 0.6), { outputs: everything });
    const { files } = await render(book);
    const audio = files.filter(({ kind }) => kind === 'audio');
    expect(audio.map(({ name }) => name)).toEqual([
      'Ann Author/The Song (FLAC)/01 - Song 1.flac',
      'Ann Author/The Song (FLAC)/02 - Song 2.flac',
      'Ann Author/The Song (MP3)/01 - Song 1.mp3',
      'Ann Author/The Song (MP3)/02 - Song 2.mp3',
      'Ann Author/The Song (OPUS)/01 - Song 1.opus',
      'Ann Author/The Song (OPUS)/02 - Song 2.opus',
      'Ann Author/The Song (WAV)/01 - Song 1.wav',
      'Ann Author/The Song (WAV)/02 - Song 2.wav',
      'Ann Author/The Song/The Song.m4b',
    ]);
    const wavs = new Map<number, Int16Array>();
    for (const { name, format, chapter } of audio)
      if (format === 'wav') wavs.set(chapter!, decode(join(place, 'files', name)));
    for (const { name, format, chapter, samples, sampleRateHz } of audio) {
      const path = join(place, 'files', name);
      expect([name, decode(path, sampleRateHz).length]).toEqual([name, samples]);
      if (chapter === undefined) continue;
      const wav = wavs.get(chapter)!;
      const alike = signalToNoise(wav, decode(path, 22_050));
      expect(alike).toBeGreaterThan(format === 'wav' || format === 'flac' ? 200 : 12);
      if (format === 'wav') continue;
      const { format: facts, streams } = probe(path);
      const tags = { ...facts.tags, ...(streams[0] as { tags?: Record<string, string> }).tags };
      const lower = Object.fromEntries(
        Object.entries(tags).map(([key, value]) => [key.toLowerCase(), value]),
      );
      expect(lower).toMatchObject({ title: `Song ${chapter + 1}`, album: 'The Song', artist: 'Ann Author' });
      expect(lower.track).toMatch(
        format === 'mp3' ? new RegExp(`^${chapter + 1}/2$`) : new RegExp(`^${chapter + 1}`),
      );
    }
  });

  it('may be one MP3, with chapters to the millisecond', async () => {
    const place = join(folder, 'single');
    const { render } = bench(createFsArtefacts({ dir: place }));
    const book = singBook(songs(3), { outputs: { audio: ['mp3'], single: ['mp3'], captions: [] } });
    const { files, samples } = await render(book);
    const path = join(place, 'files', files[0]!.name);
    expect(files[0]!.name).toBe('Ann Author/The Song/The Song.mp3');
    expect(decode(path).length).toBe(samples);
    const lengths = book.chapters.map((chapter) => Math.ceil(chapter.samples / 1024) * 1024);
    const ends = lengths.map((_, index) => lengths.slice(0, index + 1).reduce((a, b) => a + b, 0));
    expect(probe(path).chapters.map(({ start, end, tags }) => [start, end, tags.title])).toEqual(
      ends.map((end, index) => [
        Math.round(((end - lengths[index]!) * 1000) / 22_050),
        Math.round((end * 1000) / 22_050),
        `Song ${index + 1}`,
      ]),
    );
  });

  it('come out the same on another machine, and are not made twice', async () => {
    const book = () => singBook(songs(2), { outputs: everything });
    const first = bench();
    const second = bench();
    const made = await first.render(book());
    expect(sums((await second.render(book())).files)).toEqual(sums(made.files));
    first.outputs.puts.length = 0;
    first.parts.puts.length = 0;
    expect(await first.render(book())).toEqual(made);
    expect(first.outputs.puts).toEqual(['Ann Author/The Song/book.json']);
    expect(first.parts.puts).toEqual([]);
  });

  it('are made again where somebody changed them', async () => {
    const { render, store, read } = bench();
    const book = singBook(songs(1, 1, 0.3), { outputs: { audio: ['wav'], captions: [] } });
    const [{ name }] = (await render(book)).files as [OutputFile];
    const good = await read(name);
    await store.put(`files/${name}`, Buffer.from(good).fill(1, 50, 60));
    await render(book);
    expect((await read(name)).equals(good)).toBe(true);
  });

  it('of the chapters in which no word changed stay what they are', async () => {
    const { render, outputs, names } = bench();
    const before = await render(singBook(songs(3), { outputs: everything }));
    outputs.puts.length = 0;
    const after = await render(singBook(withWord(songs(3)), { outputs: everything }));
    expect(
      outputs.puts.filter((name) => /\.(flac|mp3|opus|wav)$/.test(name)).map((name) => name.slice(-13, -5)),
    ).toHaveLength(4);
    const changed = sums(after.files).filter(
      ([name, sum]) => sum !== sums(before.files).find(([n]) => n === name)?.[1],
    );
    expect(changed.map(([name]) => name!.replace('Ann Author/The Song', ''))).toEqual([
      ' (FLAC)/02 - Song 2.flac',
      ' (MP3)/02 - Song 2.mp3',
      ' (OPUS)/02 - Song 2.opus',
      ' (WAV)/02 - Song 2.wav',
      '/The Song.m4b',
      ' (MP3)/02 - Song 2.srt',
      ' (MP3)/02 - Song 2.timings.json',
      ' (MP3)/02 - Song 2.vtt',
      '/The Song.srt',
      '/The Song.timings.json',
      '/The Song.vtt',
      '/metadata.json',
      '/book.json',
    ]);
    expect((await names()).sort()).toEqual(after.files.map(({ name }) => name).sort());
  });

  it('are those of an undisturbed run, wherever a run before was cut off', async () => {
    const outputs = { audio: ['m4b', 'mp3'], captions: ['srt'], loudness: null };
    const book = () => singBook(songs(2, 2, 0.3), { outputs });
    const whole = await bench().render(book());
    const other = bench();
    // A word changes in between: what was half made of one edition must not get into the other.
    for (let count = 0; ; count++) {
      other.parts.failAfter(count);
      const cut = await other
        .render(count % 2 === 0 ? book() : singBook(withWord(songs(2, 2, 0.3)), { outputs }))
        .catch((error: unknown) => error);
      if (!(cut instanceof Error)) break;
      expect(cut.message).toBe('killed');
    }
    other.parts.failAfter(Number.POSITIVE_INFINITY);
    for (let count = 0; count < 8; count++) {
      other.outputs.failAfter(count);
      await other
        .render(count % 2 === 0 ? book() : singBook(withWord(songs(2, 2, 0.3)), { outputs }))
        .catch((error: unknown) => error);
    }
    other.outputs.failAfter(Number.POSITIVE_INFINITY);
    expect(sums((await other.render(book())).files)).toEqual(sums(whole.files));
    expect((await other.names()).sort()).toEqual(whole.files.map(({ name }) => name).sort());
  });

  it('whose names are another edition’s are removed', async () => {
    const place = join(folder, 'renamed');
    const { render } = bench(createFsArtefacts({ dir: place }));
    const outputs = { audio: ['wav'], captions: [] };
    await render(singBook(songs(2), { outputs }));
    await render(
      singBook(
        songs(2).map(({ sentences }, n) => ({ title: `Renamed ${n}`, sentences })),
        { outputs },
      ),
    );
    expect((await readdir(join(place, 'files/Ann Author/The Song'))).sort()).toEqual(
      ['01 - Renamed 0.wav', '02 - Renamed 1.wav', 'book.json', 'metadata.json'].sort(),
    );
  });

  it('fail with the sentence’s own error when its audio is gone, and are whole the next time', async () => {
    const { render } = bench();
    const book = singBook(songs(2), { outputs: { audio: ['m4b', 'mp3', 'flac'], captions: [] } });
    const gone = new Error('gone');
    let readings = 0;
    const broken = book.chapters.map((chapter) => ({
      ...chapter,
      async *pcm() {
        for await (const piece of chapter.pcm()) {
          if (chapter.index === 1 && ++readings > 40) throw gone;
          yield piece;
        }
      },
    }));
    await expect(render({ ...book, chapters: broken })).rejects.toBe(gone);
    await expect(render(book)).resolves.toMatchObject({ sampleRateHz: 22_050 });
  });
});

describe('the captions of a book', () => {
  const book = singBook(
    [
      {
        title: 'One',
        sentences: [
          { source: 'Less < more\0\x1b & “so” --> on.\n\n', samples: 22_050, pauseSamples: 11_025 },
          { source: '* * *\n\n', samples: 0, pauseSamples: 1 },
        ],
      },
      { title: '', sentences: [{ source: 'The  end.', samples: 33_075, pauseSamples: 22_050 }] },
    ],
    { outputs: { audio: ['wav'] } },
  );

  it('say each sentence when it is heard', async () => {
    const { render, read } = bench();
    await render(book);
    const second = Math.ceil(33_076 / 1024) * 1024;
    const at = Math.round((second * 1000) / 22_050);
    expect((await read('Ann Author/The Song/The Song.srt')).toString()).toBe(
      '1\n00:00:00,000 --> 00:00:01,000\nLess < more & “so” → on.\n\n' +
        `2\n00:00:01,${at - 1000} --> 00:00:0${Math.floor((at + 1500) / 1000)},${String((at + 1500) % 1000).padStart(3, '0')}\nThe end.\n\n`,
    );
    const vtt = (await read('Ann Author/The Song/The Song.vtt')).toString();
    expect(
      vtt.startsWith('WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nLess &lt; more &amp; “so” --&gt; on.\n\n'),
    ).toBe(true);
    const own = (await read('Ann Author/The Song/02.srt')).toString();
    expect(own).toBe('1\n00:00:00,000 --> 00:00:01,500\nThe end.\n\n');
  });

  it('tell programs the samples of every sentence and word', async () => {
    const { render, read } = bench();
    await render(book);
    const timings = JSON.parse((await read('Ann Author/The Song/The Song.timings.json')).toString());
    expect(timings).toMatchObject({ version: 1, sampleRateHz: 22_050, samples: 33_792 + 55_296 });
    expect(timings.chapters[1]).toMatchObject({
      index: 1,
      title: 'Chapter 2',
      startSample: 33_792,
      samples: 55_296,
    });
    expect(timings.chapters[1].sentences).toEqual([
      {
        ...{ n: 0, start: 0, end: 9, text: 'The  end.', spoken: 'The  end.' },
        ...{ startSample: 33_792, samples: 33_075, startMs: 1533, endMs: 3033 },
        words: [{ text: 'The', startSample: 33_792, samples: 16_537, startMs: 1533, endMs: 2282 }],
      },
    ]);
  });
});

describe('book.json', () => {
  it('tiles the text and the audio, and lists every file', async () => {
    const { render, read, names } = bench();
    const book = singBook(songs(3), { outputs: everything });
    const rendered = await render(book);
    const found = manifest.parse(JSON.parse((await read('Ann Author/The Song/book.json')).toString()));
    expect(found.sentences.map(({ text }) => text).join('')).toHaveLength(found.textLength);
    let sample = 0;
    for (const chapter of found.chapters) {
      expect(chapter.startSample).toBe(sample);
      for (const sentence of found.sentences.filter(({ chapter: of }) => of === chapter.index)) {
        expect(sentence.position).toBe(sample);
        sample += sentence.samples + sentence.pauseSamples;
      }
      sample += chapter.closingSamples;
    }
    expect(sample).toBe(found.samples);
    expect(found.contentDigest).toBe(rendered.contentDigest);
    const listed = found.files.map(({ path }) => join('Ann Author/The Song', path));
    expect([...listed, 'Ann Author/The Song/book.json'].sort()).toEqual((await names()).sort());
  });

  it('differs between two runs only in who made what', async () => {
    const [first, second] = [bench(), bench()];
    const other = songs(2).map(({ title, sentences }) => ({
      title,
      sentences: sentences.map((sentence) => ({ ...sentence, worker: 'w2' })),
    }));
    const a = await first.render(singBook(songs(2)));
    const b = await second.render(singBook(other));
    expect(b.contentDigest).toBe(a.contentDigest);
    const [one, two] = await Promise.all(
      [first, second].map((each) => each.read('Ann Author/The Song/book.json')),
    );
    expect(two!.toString()).not.toBe(one!.toString());
    expect(two!.toString().replaceAll('"w2"', '"w1"')).toBe(one!.toString());
  });
});

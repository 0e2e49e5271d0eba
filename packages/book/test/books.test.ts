import { createMemoryArtefacts } from '@rhapsode/store/artefacts/memory';
import { toneLength, toneSamples } from '@rhapsode/voices';
import { afterEach, describe, expect, test } from 'vitest';
import { gate, until } from '../../../test/support/wait.ts';
import { placeOf } from '../src/content-key.ts';
import type { RenderedSentence } from '../src/render/port.ts';
import { type Bench, type BenchOptions, bench } from './support/book-bench.ts';

const open: Bench[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
async function setUp(options: BenchOptions = {}): Promise<Bench> {
  const made = await bench(options);
  open.push(made);
  return made;
}

const text = `# The Wind

The morning was silver. A harbour lay below the hill, and nobody spoke.

“Listen,” said the old man. The morning was silver.

# The Stone

It was hollow. It was hollow. Nothing else was said.
`;

async function sentencesOf(here: Bench, id: string) {
  return JSON.parse((await here.file(id, 'sentences.json')).toString()) as (RenderedSentence & {
    chapter: number;
  })[];
}

/** What the test voice says for a sentence, wherever it stands. */
const toneOf = ({ key, spoken }: RenderedSentence) =>
  Buffer.from(toneSamples(0, placeOf(key), 0, toneLength(spoken)).buffer);

describe('a book', () => {
  test('is planned before it is accepted, and then spoken sentence by sentence, exactly', async () => {
    const here = await setUp();
    const { book, created } = await here.create('iliad', text);
    expect(created).toBe(true);
    expect(book).toMatchObject({ id: 'iliad', state: 'queued', chapters: 2, queue_position: 1, edition: 0 });
    expect(here.spoken).toEqual([]);
    here.run();
    const view = await here.ended('iliad');
    expect(view).toMatchObject({
      state: 'succeeded',
      queue_position: null,
      eta_seconds: 0,
      progress: { stage: 'done', sentences: book.sentences, characters: text.length },
      result: { sentences_spoken: book.sentences, sentences_silent: 0, error: null },
    });

    const sentences = await sentencesOf(here, 'iliad');
    expect(sentences.map(({ n }) => n)).toEqual([...sentences.keys()]);
    expect(sentences.map(({ source }) => source).join('')).toBe(text);
    expect(sentences.every(({ source, start, end }) => text.slice(start, end) === source)).toBe(true);
    for (const chapter of [0, 1]) {
      const wanted = sentences
        .filter((one) => one.chapter === chapter)
        .flatMap((one) => [toneOf(one), Buffer.alloc(one.pauseSamples * 2)]);
      expect((await here.file('iliad', `${chapter + 1}.pcm`)).equals(Buffer.concat(wanted))).toBe(true);
    }
    expect(view.result!.audio_seconds).toBeCloseTo(
      sentences.reduce((sum, { samples, pauseSamples }) => sum + samples + pauseSamples, 0) / 16_000,
      3,
    );
    expect(here.troubles).toEqual([]);
  });

  test('may be of a text with line separators of its own', async () => {
    const here = await setUp();
    const verse = 'The wind rose.\u2028The sea fell.\u2029Nobody spoke.\u0085Morning came.';
    await here.create('verse', verse);
    const sentences = await here.books.sentences('acme', 'verse', { limit: 10 });
    expect(sentences.map(({ source }) => source).join('')).toBe(verse);
  });

  test('has each of its sentences spoken once, however often it stands there, and none of them for another book', async () => {
    const here = await setUp();
    here.run();
    await here.create('a', text);
    const view = await here.ended('a');
    const said = here.spoken.map((one) => one.text);
    expect(said.toSorted()).toEqual([...new Set(said)].toSorted());
    expect(view.result!.sentences_synthesized).toBe(said.length);
    expect(said.length).toBeLessThan(view.sentences);
    await here.create('b', text);
    expect(await here.ended('b')).toMatchObject({ state: 'succeeded', result: { sentences_synthesized: 0 } });
    expect(here.spoken).toHaveLength(said.length);
    expect((await here.file('b', '1.pcm')).equals(await here.file('a', '1.pcm'))).toBe(true);
  });

  test('whose text changes in one word has one sentence spoken; the other chapters keep every byte', async () => {
    const here = await setUp();
    here.run();
    await here.create('a', text);
    await here.ended('a');
    const before = await here.books.files('acme', 'a');
    here.spoken.length = 0;
    const changed = text.replace('nobody spoke', 'everybody spoke');
    await expect(here.create('a', changed)).rejects.toMatchObject({ code: 'book_exists' });
    await expect(here.create('a', changed, {}, 7)).rejects.toMatchObject({ code: 'book_changed' });
    expect(await here.create('a', changed, {}, 0)).toMatchObject({ created: true, book: { edition: 1 } });
    expect(await here.ended('a')).toMatchObject({ edition: 1, result: { sentences_synthesized: 1 } });
    expect(here.spoken.map((one) => one.text)).toEqual([
      'A harbour lay below the hill, and everybody spoke.',
    ]);
    const after = await here.books.files('acme', 'a');
    const sha = (files: typeof before, name: string) => files.find((one) => one.name === name)!.sha256;
    expect(sha(after, '2.pcm')).toBe(sha(before, '2.pcm'));
    expect(sha(after, '1.pcm')).not.toBe(sha(before, '1.pcm'));
  });

  test('asked for again is the same book; another one under its id is refused', async () => {
    const here = await setUp();
    await here.create('a', text, { speed: 1.5, metadata: { title: 'One', authors: ['X'] } });
    expect(
      await here.create('a', text, { metadata: { authors: ['X'], title: 'One' }, speed: 1.5 }),
    ).toMatchObject({
      created: false,
      book: { title: 'One' },
    });
    await expect(here.create('a', text, { speed: 1.4 })).rejects.toMatchObject({ code: 'book_exists' });
    const keys: string[] = [];
    for await (const { key } of here.artefacts.list('books/acme/a/')) keys.push(key);
    expect(
      keys.filter((key) => key.endsWith('plan.json')),
      'nothing of what was refused stays',
    ).toHaveLength(1);
  });

  test('is refused with a reason before anything of it is kept', async () => {
    const here = await setUp({ maxOpen: 1 });
    await expect(here.create('a', text, { voice: 'nobody' })).rejects.toMatchObject({
      code: 'voice_not_found',
    });
    await expect(here.create('a', text, { speed: 3, voice: 'tone', speaker: 'x' })).rejects.toMatchObject({
      code: 'unsupported_setting',
      param: 'speaker',
    });
    await expect(here.create('a', '* * *\n')).rejects.toMatchObject({ code: 'text_empty' });
    await expect(here.create('a', text, { on_error: 'fallback' })).rejects.toMatchObject({
      param: 'fallback',
    });
    const epub = await here.manuscript(Buffer.from('PK\x03\x04broken'), 'x.epub');
    const settings = (await import('../src/request.ts')).bookSettings.parse({});
    await expect(
      here.books.create({ tenant: 'acme', id: 'a', settings, manuscript: epub }),
    ).rejects.toMatchObject({ code: 'document_invalid' });
    const bytes = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(16 * 1024 * 1024)]);
    const pictured = { ...(await here.manuscript(text)), cover: { mediaType: 'image/png', bytes } };
    await expect(
      here.books.create({ tenant: 'acme', id: 'a', settings, manuscript: pictured }),
    ).rejects.toMatchObject({ code: 'payload_too_large', param: 'cover' });
    for await (const { key } of here.artefacts.list('')) expect(key).toBe('nothing');
    await here.create('a', text);
    await expect(here.create('b', text)).rejects.toMatchObject({ code: 'rate_limited' });
  });

  test('is spoken by several voices: by chapter, and by the speakers of a play', async () => {
    const here = await setUp();
    here.run();
    const play =
      '# One\n\nAnn: Good morning.\n\nBob: Who is there? It is late.\n\nNobody: Not a name.\n\n# Two\n\nThe end.\n';
    await here.create('a', play, {
      speakers: { ann: { speed: 2 }, BOB: { speed: 0.5 } },
      chapters: { 2: { speed: 4 } },
    });
    expect(await here.ended('a')).toMatchObject({ state: 'succeeded' });
    const said = new Map(here.spoken.map((one) => [one.text, one.speed]));
    expect(said.get('Good morning.')).toBe(2);
    expect(said.get('Who is there?')).toBe(0.5);
    expect(said.get('It is late.')).toBe(0.5);
    expect(said.get('Nobody: Not a name.')).toBe(1);
    expect(said.get('The end.')).toBe(4);
  });

  test('that several change at once has the change of each, or its author is told that it has not', async () => {
    const here = await setUp();
    await here.create('a', 'One. Two. Three. Four. Five. Six. Seven. Eight. Nine. Ten. Eleven. Twelve.');
    const numbers = Array.from({ length: 12 }, (_, n) => n);
    await Promise.all(numbers.map((n) => here.books.edit('acme', 'a', n, { text: `Changed ${n}.` })));
    const sentences = await here.books.sentences('acme', 'a', { limit: 20 });
    expect(sentences.filter(({ edited }) => !edited)).toEqual([]);
    expect((await here.get('a')).edition).toBe(12);

    const next = await Promise.allSettled(numbers.map((n) => here.create('a', `Next ${n}.`, {}, 12)));
    const [won, ...others] = next.flatMap((one) =>
      one.status === 'fulfilled' ? [one.value.book.edition] : [],
    );
    expect([won, others]).toEqual([13, []]);
    for (const one of next)
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'book_changed' });
    const winner = next.findIndex(({ status }) => status === 'fulfilled');
    const [text] = await here.books.sentences('acme', 'a', { limit: 20 });
    expect(text!.source).toBe(`Next ${winner}.`);
  });

  test('stays paused when it is changed; one that was cancelled is neither paused nor changed before it is resumed', async () => {
    const here = await setUp();
    await here.create('a', 'One sentence. Another one.');
    await here.books.pause('acme', 'a');
    expect(await here.books.edit('acme', 'a', 0, { text: 'Other words.' })).toMatchObject({
      ...{ state: 'paused', edition: 1 },
    });
    const { book } = await here.create('a', 'Another text.', {}, 1);
    expect(book).toMatchObject({ state: 'paused', edition: 2 });
    await here.books.cancel('acme', 'a');
    for (const refused of [
      here.books.pause('acme', 'a'),
      here.books.edit('acme', 'a', 0, { text: 'Other words.' }),
    ])
      await expect(refused).rejects.toMatchObject({
        code: 'book_ended',
        message: expect.stringContaining('was cancelled'),
      });
    expect(await here.get('a')).toMatchObject({ state: 'cancelled', edition: 2 });
    // Who asks for another text asks for the book.
    expect((await here.create('a', 'A third text.', {}, 2)).book).toMatchObject({
      state: 'queued',
      edition: 3,
    });
  });

  test('tells how many sentences an edition took, whoever made it, and nothing of an edition before', async () => {
    const held = gate();
    const here = await setUp({ hold: (said) => (said.startsWith('Wait') ? held.opened : Promise.resolve()) });
    const synthesized = (count: number) =>
      until(async () => (await here.get('a')).progress.sentences_synthesized === count, {
        what: `${count} sentences`,
      });
    const first = here.run({ leaseMs: 300 });
    await here.create('a', 'One sentence. Another one. Wait for the end.');
    await synthesized(2);
    await first.close();
    // What was told by who lost the book is of its edition only.
    await here.books.edit('acme', 'a', 0, { text: 'Other words.' });
    expect((await here.get('a')).progress).toMatchObject({ sentences: 0, sentences_synthesized: 0 });
    const second = here.run({ leaseMs: 300 });
    await synthesized(1);
    await second.close();
    expect((await here.get('a')).progress.sentences_synthesized).toBe(1);
    held.open();
    here.run();
    expect(await here.ended('a')).toMatchObject({ result: { sentences_synthesized: 2 } });
  });
});

describe('a sentence that cannot be spoken', () => {
  const poisoned = 'It begins. Here is poison {{tone:fail}} now. It goes on.\n';

  test('becomes a silence of the length that it would have taken, is listed, and can be patched', async () => {
    const here = await setUp();
    here.run();
    await here.create('a', poisoned);
    expect(await here.ended('a')).toMatchObject({
      state: 'partially_succeeded',
      result: { sentences_spoken: 2, sentences_silent: 1 },
    });
    const [bad, ...more] = await here.books.sentences('acme', 'a', { limit: 10, state: 'silence' });
    expect(more).toEqual([]);
    expect(bad).toMatchObject({ n: 1, reason: 'synthesis_failed' });
    expect(bad!.audio_seconds).toBeGreaterThan(1);
    const silent = (await sentencesOf(here, 'a'))[1]!;
    const pcm = (await here.file('a', '1.pcm'))
      .subarray(silent.startSample * 2)
      .subarray(0, silent.samples * 2);
    expect(pcm.equals(Buffer.alloc(silent.samples * 2))).toBe(true);

    here.spoken.length = 0;
    await here.books.edit('acme', 'a', 1, { text: 'Here is an antidote for Dr. Jekyll.' });
    expect(await here.ended('a', ['succeeded'])).toMatchObject({ edition: 1 });
    expect(here.spoken.map((one) => one.text)).toEqual(['Here is an antidote for Doctor Jekyll.']);
    const mended = (await sentencesOf(here, 'a'))[1]!;
    expect(mended).toMatchObject({ state: 'spoken', spoken: 'Here is an antidote for Doctor Jekyll.' });
    expect(mended.source).toContain('poison');
  });

  test('is tried again when that is asked for, and only that', async () => {
    const here = await setUp();
    here.run();
    await here.create('a', poisoned);
    await here.ended('a');
    here.spoken.length = 0;
    await here.books.retry('acme', 'a');
    expect(await here.ended('a', ['partially_succeeded'])).toMatchObject({ edition: 1 });
    expect(new Set(here.spoken.map((one) => one.text))).toEqual(
      new Set(['Here is poison {{tone:fail}} now.']),
    );
  });

  test('is tried again by a run of the same book that begins with a later round', async () => {
    const artefacts = createMemoryArtefacts();
    const run = async (isBroken: boolean, round: number) => {
      const here = await setUp({
        artefacts,
        newHome: () => 'home',
        firstRound: () => round,
        hold: async (said) => {
          if (isBroken && said.startsWith('Broken')) throw new Error('no memory');
        },
      });
      here.run();
      await here.create('a', 'It begins. Broken, for now. It ends.');
      return here.ended('a');
    };
    expect(await run(true, 1)).toMatchObject({
      state: 'partially_succeeded',
      result: { sentences_silent: 1 },
    });
    expect(await run(false, 1)).toMatchObject({ state: 'partially_succeeded' });
    expect(await run(false, 2)).toMatchObject({ state: 'succeeded', result: { sentences_synthesized: 1 } });
  });

  test('has a file that is gone or damaged made again by a retry, and is left alone when all is well', async () => {
    const here = await setUp();
    here.run();
    await here.create('a', text);
    await here.ended('a');
    expect(await here.books.retry('acme', 'a')).toMatchObject({ state: 'succeeded', edition: 0 });
    const before = await here.file('a', '1.pcm');
    for await (const { key } of here.artefacts.list(''))
      if (key.endsWith('/1.pcm')) await here.artefacts.put(key, before.subarray(1));
    here.spoken.length = 0;
    expect(await here.books.retry('acme', 'a')).toMatchObject({ state: 'queued', edition: 1 });
    await here.ended('a', ['succeeded']);
    expect((await here.file('a', '1.pcm')).equals(before)).toBe(true);
    expect(here.spoken).toEqual([]);
  });

  test('is spoken by another voice, if the book says so', async () => {
    const here = await setUp();
    here.run();
    // The fallback fails too here: it is the same engine. Then there is silence.
    await here.create('a', poisoned, { on_error: 'fallback', fallback: { speed: 2 } });
    expect(await here.ended('a')).toMatchObject({
      state: 'partially_succeeded',
      result: { sentences_silent: 1 },
    });
    expect(here.spoken.filter((one) => one.text.includes('poison')).map((one) => one.speed)).toContain(2);
  });

  test('stops the book, if the book says so; a patch lets it go on', async () => {
    const here = await setUp();
    here.run();
    await here.create('a', poisoned, { on_error: 'stop' });
    expect(await here.ended('a')).toMatchObject({
      state: 'failed',
      result: { error: { code: 'synthesis_failed', sentence: 1 } },
    });
    expect(await here.books.files('acme', 'a')).toEqual([]);
    await here.books.edit('acme', 'a', 1, { text: 'All is well.' });
    expect(await here.ended('a', ['succeeded'])).toMatchObject({ result: { sentences_spoken: 3 } });
  });

  test('another take of one sentence is another audio of that one alone', async () => {
    const here = await setUp();
    here.run();
    await here.create('a', text);
    await here.ended('a');
    const before = await sentencesOf(here, 'a');
    here.spoken.length = 0;
    await here.books.edit('acme', 'a', 2, { take: 1 });
    await here.ended('a', ['succeeded']);
    expect(here.spoken).toHaveLength(1);
    expect(here.spoken[0]).toMatchObject({ text: before[2]!.spoken, seed: 1 });
    const after = await sentencesOf(here, 'a');
    expect(after.filter((one, n) => one.key !== before[n]!.key).map(({ n }) => n)).toEqual([2]);
    await here.books.edit('acme', 'a', 2, { text: 'Other words.' });
    await here.books.edit('acme', 'a', 2, { take: 2 });
    await here.ended('a', ['succeeded']);
    expect(here.spoken.at(-1)).toMatchObject({ text: 'Other words.', seed: 2 });
    await here.books.edit('acme', 'a', 2, {});
    expect(await here.ended('a', ['succeeded'])).toMatchObject({
      edition: 4,
      result: { sentences_synthesized: 0 },
    });
    expect(await sentencesOf(here, 'a')).toEqual(before);
    await expect(here.books.edit('acme', 'a', 99, {})).rejects.toMatchObject({ code: 'sentence_not_found' });
    await expect(here.books.edit('acme', 'a', 0, { phonemes: 'a' })).rejects.toMatchObject({
      param: 'phonemes',
    });
    await expect(here.books.edit('acme', 'a', 0, { take: 3 }, 0)).rejects.toMatchObject({
      code: 'book_changed',
    });
  });
});

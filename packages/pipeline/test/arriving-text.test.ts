import { createMemoryLog } from '@rhapsode/log/memory';
import { createMemoryQueue } from '@rhapsode/queue/memory';
import { createMemoryStore, type StoreFaults } from '@rhapsode/store/memory';
import { openCatalogue } from '@rhapsode/voices';
import { expect, test } from 'vitest';
import { seeded } from '../../../test/support/seeded.ts';
import { until } from '../../../test/support/wait.ts';
import { type ArrivingPiece, type ArrivingText, openArriving, resumeArriving } from '../src/arriving-text.ts';
import { createDispatcher } from '../src/dispatch.ts';

const voice = (await openCatalogue({ testVoices: true })).get('tone');
const request = { tenant: 'ann', class: 'interactive', pool: 'default', voice, idleMs: 60_000 } as const;
const story =
  'Dr. Müller paid $3.50 at 10:30, and left. “Where to?” asked no one… Then — after a while, it seems — he came ' +
  'back!\n\nChapter IV. 😀 It was late; the 3rd of May.  He said so. ';

function site(faults: StoreFaults = {}) {
  const store = createMemoryStore({ faults });
  const queue = createMemoryQueue();
  const log = createMemoryLog();
  const dispatcher = createDispatcher({ store, log, queueOf: () => queue, pools: [] });
  const deps = { store, dispatcher, limits: { textLength: 2_000 } };
  return {
    store,
    deps,
    dispatcher,
    log,
    open: (fields: object = {}) => openArriving({ ...request, ...fields }, deps, { keepSource: true }),
    /** As another gateway does that knows nothing but the id. */
    takeOver: async (id: string) =>
      resumeArriving((await store.get(id))!, { voice }, deps, { keepSource: true }),
    sentences: (id: string) => store.segments(id, 0, 1_000),
  };
}

/** A text in pieces, cut anywhere, some of them followed by a flush. */
function piecesOf(text: string, random: () => number): ArrivingPiece[] {
  const pieces: ArrivingPiece[] = [];
  for (let at = 0; at < text.length; ) {
    const end = Math.min(text.length, at + 1 + Math.floor(random() * 12));
    pieces.push({ at, text: text.slice(at, end), flush: random() < 0.08 });
    at = end;
  }
  return [...pieces, { at: text.length, end: true }];
}

test('whoever goes on with a text comes to the sentences of one who was never disturbed', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = seeded(seed);
    const pieces = piecesOf(story, random);
    const calm = site();
    const whole = await calm.open();
    for (const piece of pieces) await whole.add(piece);

    const { open, takeOver, sentences, store } = site();
    const first = await open();
    const { id } = first.utterance;
    const gateways: ArrivingText[] = [first];
    for (const piece of pieces) {
      if (random() < 0.2) gateways.push(await takeOver(id));
      // One that was not told of the last pieces may be asked, too; and asked twice.
      const by = gateways[Math.floor(random() * gateways.length)]!;
      await by.add(piece);
      if (random() < 0.2) await gateways[0]!.add(piece);
    }
    expect(await sentences(id), `seed ${seed}`).toEqual(await calm.sentences(whole.utterance.id));
    expect(await store.get(id)).toMatchObject({
      sealed: true,
      text: { length: story.length, complete: true },
    });
  }
});

test('two write at once: each place has the text of one of them, and the other one is told', async () => {
  const { open, takeOver, sentences, store } = site();
  const a = await open();
  const { id } = a.utterance;
  const b = await takeOver(id);
  let refused = 0;
  for (let n = 0; n < 20; n++) {
    const at = Math.max(a.length, b.length);
    const both = await Promise.allSettled([
      a.add({ at, text: `A says ${n}. ` }),
      b.add({ at, text: `B says ${n}. ` }),
    ]);
    for (const one of both)
      if (one.status === 'rejected') {
        expect(one.reason).toMatchObject({ code: 'invalid_request', param: 'offset' });
        refused += 1;
      }
  }
  expect(refused).toBe(20);
  await a.add({ end: true });
  const text = (await store.texts(id, 0, 1_000)).map((piece) => piece.text).join('');
  expect(text).toMatch(/^([AB] says \d+\. ){20}$/);
  const plain = await open();
  await plain.add({ text, end: true });
  expect(await sentences(id)).toEqual(await sentences(plain.utterance.id));
});

test.for(['addText', 'append'] as const)(
  'a call whose answer was lost is repeated without harm (%s)',
  async (call) => {
    const faults: StoreFaults = {};
    const { open, sentences, takeOver } = site(faults);
    const text = await open();
    const { id } = text.utterance;
    await text.add({ at: 0, text: 'The first one. The ' });
    for (const next of [async () => text, () => takeOver(id)]) {
      const by = await next();
      const at = by.length;
      const piece = { at, text: `sentence at ${at}. And the `, flush: true };
      for (const kind of ['loseAnswer', 'refuse'] as const) {
        faults[kind] = call;
        await expect(by.add(piece)).rejects.toMatchObject({ code: 'store_unavailable' });
      }
      await by.add(piece);
      await by.add(piece);
    }
    await text.catchUp();
    expect((await sentences(id)).map((one) => one.text)).toEqual([
      'The first one.',
      'The sentence at 19.',
      'And the',
      'sentence at 43.',
      'And the',
    ]);
  },
);

test('text that overlaps is not doubled, and other text in its place is refused', async () => {
  const { open, sentences, takeOver } = site();
  const text = await open();
  const { id } = text.utterance;
  await text.add({ at: 0, text: 'One. Two. ' });
  await text.add({ at: 5, text: 'Two. Three. ' });
  expect(text.length).toBe(17);
  const other = await takeOver(id);
  await other.add({ at: 17, text: 'Four. ' });
  await expect(text.add({ at: 17, text: 'Five. ' })).rejects.toMatchObject({ param: 'offset' });
  await expect(text.add({ at: 99, text: 'x' })).rejects.toMatchObject({
    code: 'invalid_request',
    param: 'offset',
  });
  await expect(text.add({ text: 'x'.repeat(2_000) })).rejects.toMatchObject({ code: 'text_too_long' });
  await other.add({ end: true });
  await expect(text.add({ text: 'Six.' })).rejects.toMatchObject({ code: 'utterance_sealed' });
  expect((await sentences(id)).map((one) => one.text)).toEqual(['One.', 'Two.', 'Three.', 'Four.']);
});

test('the source of a sentence is there until it is forgotten, also after a take-over', async () => {
  const { open, takeOver, sentences } = site();
  const text = await open();
  for (const piece of piecesOf(story, seeded(3))) await text.add(piece);
  const { id } = text.utterance;
  const other = await takeOver(id);
  const all = await sentences(id);
  expect(all.map(({ start, end }) => other.source(start, end)).join('')).toBe(story);
  other.forgetSource(all[1]!.start);
  expect(other.source(all[0]!.start, all[0]!.end)).toBeUndefined();
  expect(other.source(all[1]!.start, all[1]!.end)).toBe(story.slice(all[1]!.start, all[1]!.end));
  other.forgetSource(99_999);
  expect(other.source(story.length, story.length)).toBe('');
});

test('a text that is longer than one answer of the store is read whole', async () => {
  const { open, takeOver, sentences } = site();
  const text = await open();
  const { id } = text.utterance;
  for (let n = 0; n < 1_100; n++) await text.add({ text: n % 10 === 9 ? '.' : n % 10 === 0 ? ' A' : 'a' });
  const known = await sentences(id);
  const other = await takeOver(id);
  expect(other).toMatchObject({ length: text.length, segments: text.segments, plannedTo: text.plannedTo });
  await other.add({ end: true });
  expect((await sentences(id)).slice(0, known.length)).toEqual(known);
});

test('nobody goes on with sentences that were cut otherwise', async () => {
  const { open, takeOver, store } = site();
  const text = await open();
  const { id } = text.utterance;
  await store.addText(id, { at: 0, text: 'One. Two. Three.', flush: false, end: false }, { maxLength: 99 });
  const { segments: _, ...rest } = {
    start: 0,
    end: 9,
    text: 'One. Two.',
    pauseSamples: 0,
    estimatedMs: 1,
    segments: 0,
  };
  await store.append(id, [rest], { at: 0, seal: false });
  await expect(takeOver(id)).rejects.toMatchObject({ code: 'internal_error' });
});

test('a text that nobody goes on with is cancelled by whoever sweeps', async () => {
  const { open, store, dispatcher } = site();
  const left = await open({ idleMs: 1 });
  const held = await open();
  await left.add({ text: 'One. And then' });
  await until(
    async () => {
      await dispatcher.sweep('default');
      return store.isCancelled(left.utterance.id);
    },
    { what: 'the cancellation' },
  );
  expect(await store.isCancelled(held.utterance.id)).toBe(false);
  await expect(left.add({ text: ' nothing.' })).rejects.toMatchObject({ code: 'cancelled' });
});

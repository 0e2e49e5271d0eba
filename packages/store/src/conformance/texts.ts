import { describe, expect, test } from 'vitest';
import type { TextPiece } from '../port.ts';
import { freshStore, pool, type StoreFactory, segmentsOf, ttlMs, utteranceOf } from './fixtures.ts';

const code = (name: string) => expect.objectContaining({ code: name });
const idleMs = 1_000;

export function textConformance(name: string, factory: StoreFactory): void {
  describe(`${name}: text that arrives in pieces`, () => {
    const here = freshStore(factory);

    async function opened(fields: Parameters<typeof utteranceOf>[0] = {}): Promise<string> {
      const utterance = utteranceOf({ idleMs, ...fields });
      await here.store.create(utterance, { maxOpen: 100 });
      return utterance.id;
    }
    const add = (id: string, piece: Partial<TextPiece>) =>
      here.store.addText(
        id,
        { at: undefined, text: '', flush: false, end: false, ...piece },
        { maxLength: 1000 },
      );
    const piece = (text: string, flush = false, end = false) => ({ text, flush, end });
    const spread = async (id: string) => await here.store.texts(id, 0, 1000);

    test('is kept as it came, with its flushes and its end', async () => {
      const id = await opened();
      expect(await add(id, { at: 0, text: 'Grüße, "du" 🦜' })).toEqual({
        result: 'stored',
        length: 14,
        pieces: 1,
        complete: false,
      });
      await add(id, { text: '\ud83d' });
      await add(id, { text: '\udc26 there', flush: true });
      await add(id, { text: '\u0000 end', flush: true, end: true });
      const all = [
        piece('Grüße, "du" 🦜'),
        piece('\ud83d'),
        piece('\udc26 there', true),
        piece('\u0000 end', true, true),
      ];
      expect(await spread(id)).toEqual(all);
      expect(await here.store.texts(id, 1, 2)).toEqual(all.slice(1, 3));
      expect(await here.store.texts(id, 4, 1)).toEqual([]);
      expect(await here.store.texts(id, 0, 0)).toEqual([]);
      expect((await here.store.get(id))?.text).toEqual({ length: 27, pieces: 4, complete: true });
    });

    test('is stored once, however often it is sent', async () => {
      const id = await opened();
      const sent: Partial<TextPiece>[] = [
        { at: 0, text: 'One. ' },
        { at: 5, text: 'Two' },
        { at: 8, flush: true },
        { at: 8, text: '. Three', flush: true },
        { at: 15, end: true },
      ];
      for (const one of sent) {
        expect(await add(id, one)).toMatchObject({ result: 'stored' });
        expect(await add(id, one)).toMatchObject({ result: 'there' });
      }
      for (const one of sent.slice(0, 4)) expect(await add(id, one)).toMatchObject({ result: 'there' });
      expect(await add(id, { at: 8, text: '. Three', flush: true, end: true })).toMatchObject({
        result: 'there',
      });
      expect(await spread(id)).toEqual([
        piece('One. '),
        piece('Two'),
        piece('', true),
        piece('. Three', true),
        piece('', false, true),
      ]);
    });

    test('that was stored without its flush or its end gets them', async () => {
      const id = await opened();
      await add(id, { at: 0, text: 'One' });
      expect(await add(id, { at: 0, text: 'One', flush: true })).toMatchObject({
        result: 'stored',
        length: 3,
      });
      expect(await add(id, { at: 0, text: 'One', flush: true, end: true })).toMatchObject({ complete: true });
      expect(await spread(id)).toEqual([piece('One'), piece('', true), piece('', false, true)]);
    });

    test('is refused where it leaves a gap, overlaps, is too long, or follows the end', async () => {
      const id = await opened();
      await add(id, { text: 'One. ' });
      for (const one of [
        { at: 6, text: 'x' },
        { at: 6, flush: true },
        { at: 3, text: 'x'.repeat(3) },
        { at: 3, end: true },
        { text: 'x'.repeat(996) },
      ])
        expect(await add(id, one), JSON.stringify(one)).toEqual({
          result: 'refused',
          length: 5,
          pieces: 1,
          complete: false,
        });
      expect(await add(id, { text: 'x'.repeat(995) })).toMatchObject({ result: 'stored' });
      await add(id, { end: true });
      expect(await add(id, { text: 'more' })).toMatchObject({ result: 'refused' });
      expect(await add(id, { flush: true })).toMatchObject({ result: 'there' });
    });

    test('a flush of nothing is not kept', async () => {
      const id = await opened();
      expect(await add(id, { flush: true })).toMatchObject({ result: 'there', pieces: 0 });
    });

    test('of an utterance that was given whole, is unknown or cancelled, is refused', async () => {
      const { store } = here;
      const whole = utteranceOf();
      await store.create(whole, { maxOpen: 9 });
      expect(await add(whole.id, { text: 'x' })).toMatchObject({ result: 'refused' });
      expect((await store.get(whole.id))?.text).toBeUndefined();
      await expect(add('unknown00', { text: 'x' })).rejects.toEqual(code('utterance_not_found'));
      expect(await spread('unknown00')).toEqual([]);
      const id = await opened();
      await add(id, { text: 'x' });
      await store.cancel(id);
      await expect(add(id, { text: 'x' })).rejects.toEqual(code('cancelled'));
      expect(await spread(id)).toEqual([]);
    });

    test('of many writers one wins each place', async () => {
      const id = await opened();
      for (let at = 0; at < 40; at += 2) {
        const results = await Promise.all(
          Array.from({ length: 4 }, (_, n) => add(id, { at, text: `${n}.` })),
        );
        expect(results.filter(({ result }) => result === 'stored')).toHaveLength(1);
        expect(results.every(({ length }) => length === at + 2)).toBe(true);
      }
      const text = (await spread(id)).map((one) => one.text).join('');
      expect(text).toMatch(/^(\d\.){20}$/);
    });

    test('is abandoned when nobody wrote or held it for so long, and returned to one process at a time', async () => {
      const { store, clock } = here;
      const id = await opened();
      const abandoned = () => store.abandoned(pool, { retryMs: 300, limit: 10 });
      const most = idleMs - 1;
      for (const call of [
        () => add(id, { text: 'One. ' }),
        () => add(id, { at: 0, text: 'One. ' }),
        () => store.hold(id, 'writer'),
        async () => {},
      ]) {
        clock.advance(most);
        expect(await abandoned()).toEqual([]);
        await call();
      }
      await store.hold(id, 'listener');
      await store.get(id);
      clock.advance(1);
      expect(await store.abandoned('elsewhere', { retryMs: 300, limit: 10 })).toEqual([]);
      expect(await abandoned()).toEqual([id]);
      expect(await abandoned()).toEqual([]);
      clock.advance(300);
      expect(await abandoned()).toEqual([id]);
      await store.cancel(id);
      clock.advance(300);
      expect(await abandoned()).toEqual([]);
    });

    test('is not abandoned any more when it is sealed, unless it is transient: then its listeners count', async () => {
      const { store, clock } = here;
      const lasting = await opened();
      const transient = await opened({ transient: true });
      for (const id of [lasting, transient]) {
        await add(id, { text: 'One.', end: true });
        await store.append(id, segmentsOf(1), { at: 0, seal: true });
      }
      clock.advance(idleMs - 1);
      await store.hold(transient, 'listener');
      clock.advance(idleMs - 1);
      expect(await store.abandoned(pool, { retryMs: 300, limit: 10 })).toEqual([]);
      clock.advance(1);
      expect(await store.abandoned(pool, { retryMs: 300, limit: 10 })).toEqual([transient]);
    });

    test('is forgotten with its utterance', async () => {
      const { store, clock } = here;
      const id = await opened();
      await add(id, { text: 'One. ' });
      clock.advance(ttlMs);
      expect(await store.abandoned(pool, { retryMs: 300, limit: 10 })).toEqual([]);
      expect(await spread(id)).toEqual([]);
      await store.create(utteranceOf({ id, idleMs }), { maxOpen: 9 });
      expect(await spread(id)).toEqual([]);
      expect(await add(id, { at: 0, text: 'Two.' })).toMatchObject({ result: 'stored', pieces: 1 });
    });
  });
}

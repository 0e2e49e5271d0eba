import { toneLength } from '@rhapsode/voices';
import { afterEach, describe, expect, it } from 'vitest';
import { openSession } from '../../../test/support/session-client.ts';
import { bytes, problem, type Served, serve } from './serve.ts';

const open: Served[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

async function start() {
  const served = await serve();
  open.push(served);
  const { url, deps } = served;
  const put = (name: string, body: unknown, type = 'application/json') =>
    fetch(`${url}/v1/lexicons/${name}`, {
      method: 'PUT',
      headers: { 'content-type': type },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  /** What is spoken, sentence by sentence. */
  const spokenOf = async (id: string) =>
    (await deps.store.segments(id, 0, 10)).map(({ text }) => text).join(' ');
  const json = async (response: Response) => (await response.json()) as Record<string, unknown>;
  return { ...served, put, spokenOf, json };
}

const jif = { rules: [{ grapheme: 'GIF', alias: 'jif' }] };
const pls = `<?xml version="1.0"?>
<lexicon version="1.0" xmlns="http://www.w3.org/2005/01/pronunciation-lexicon" alphabet="ipa" xml:lang="en">
  <lexeme><grapheme>GIF</grapheme><alias>graphics</alias></lexeme>
</lexicon>`;

describe('/v1/lexicons', () => {
  it('keeps rules under a name, tells which there are, and forgets them', async () => {
    const { put, get, remove, json } = await start();
    const created = await put('acme.en', jif);
    expect(created.status).toBe(201);
    const first = await json(created);
    expect(first).toEqual({ name: 'acme.en', object: 'lexicon', version: expect.any(String), ...jif });
    expect((await put('acme.en', jif)).status).toBe(200);
    expect(await json(await get('/v1/lexicons/acme.en'))).toEqual(first);
    const replaced = await json(await put('acme.en', { rules: [] }));
    expect(replaced.version).not.toBe(first.version);
    await put('other', jif);
    expect(await json(await get('/v1/lexicons'))).toEqual({
      object: 'list',
      data: [
        { name: 'acme.en', object: 'lexicon' },
        { name: 'other', object: 'lexicon' },
      ],
    });
    expect((await remove('/v1/lexicons/other')).status).toBe(204);
    for (const path of ['/v1/lexicons/other', '/v1/lexicons/NO', '/v1/lexicons/%00'])
      expect(await problem(await get(path))).toMatchObject({ status: 404, code: 'lexicon_not_found' });
    expect(await problem(await remove('/v1/lexicons/other'))).toMatchObject({ status: 404 });
  });

  it('takes a W3C Pronunciation Lexicon', async () => {
    const { put, json } = await start();
    for (const type of ['application/pls+xml', 'application/xml', 'text/xml; charset=utf-8'])
      expect((await json(await put('acme', pls, type))).rules).toEqual([
        { grapheme: 'GIF', alias: 'graphics', case_sensitive: true },
      ]);
  });

  it.each([
    ['a name that is none', 'Ä', jif, { status: 400, param: 'name' }],
    ['no rules', 'a', {}, { status: 400, param: 'rules' }],
    ['a field that nobody knows', 'a', { ...jif, words: 1 }, { code: 'unknown_field', param: 'words' }],
    ['a rule that says nothing', 'a', { rules: [{ grapheme: 'a' }] }, { status: 400, param: 'rules' }],
    [
      'a rule of another kind',
      'a',
      { rules: [{ grapheme: 'a', alias: 5 }] },
      { status: 400, param: 'rules.0.alias' },
    ],
    [
      'too many rules',
      'a',
      { rules: Array.from({ length: 1001 }, (_, i) => ({ grapheme: `w${i}`, alias: 'x' })) },
      { status: 400, param: 'rules', message: expect.stringContaining('1000') },
    ],
    [
      'rules that are too long',
      'a',
      { rules: Array.from({ length: 200 }, (_, i) => ({ grapheme: `w${i}`, alias: 'x'.repeat(900) })) },
      { status: 413, code: 'payload_too_large', param: 'rules', message: expect.stringContaining('131072') },
    ],
  ])('refuses %s', async (_, name, body, expected) => {
    const { put } = await start();
    expect(await problem(await put(name, body))).toMatchObject(expected);
  });

  it.each(['\u0000', '\u001b', '\ud800'])('refuses %j, which is not said', async (sign) => {
    const { put } = await start();
    const rule = { grapheme: 'a', ipa: `b${sign}` };
    expect(await problem(await put('a', { rules: [rule] }))).toMatchObject({
      status: 400,
      param: 'rules.0.ipa',
    });
  });

  it('refuses XML that is no lexicon, and more names than may be', async () => {
    const { put } = await start();
    for (const xml of ['<lexicon', '<speak/>', ''])
      expect((await put('a', xml, 'application/pls+xml')).status).toBe(400);
    await Promise.all(Array.from({ length: 100 }, (_, i) => put(`n${i}`, jif)));
    expect(await problem(await put('more', jif))).toMatchObject({
      status: 400,
      message: expect.stringContaining('100'),
    });
  });
});

describe('a lexicon that is named', () => {
  const input = 'A GIF.';

  it('is followed by speech, utterances, arriving texts and sessions, as if it were written there', async () => {
    const { put, post, speech, spokenOf, json, url } = await start();
    await put('acme', jif);
    const response = await speech({ input, response_format: 'pcm', rhapsode: { lexicon: 'acme' } });
    expect((await bytes(response)).length / 2).toBe(toneLength('A jif.'));
    const whole = await json(await post('/v1/utterances', { input, lexicon: 'acme' }));
    expect(await spokenOf(whole.id as string)).toBe('A jif.');
    const arriving = await json(await post('/v1/utterances', { input, lexicon: 'acme', open: true }));
    await post(arriving.finish_url as string, {});
    expect(await spokenOf(arriving.id as string)).toBe('A jif.');
    const client = await openSession(url);
    client.say({ type: 'open', lexicon: 'acme' });
    client.say({ type: 'text', text: input });
    client.say({ type: 'finish' });
    expect((await client.get('segment_start')).spoken).toBe('A jif.');
    client.drop();
  });

  it('stays with an utterance as it was when that was created', async () => {
    const { put, post, remove, spokenOf, json } = await start();
    await put('acme', jif);
    const arriving = await json(await post('/v1/utterances', { lexicon: 'acme', open: true }));
    await put('acme', { rules: [] });
    await remove('/v1/lexicons/acme');
    await post(arriving.text_url as string, { input });
    await post(arriving.finish_url as string, {});
    expect(await spokenOf(arriving.id as string)).toBe('A jif.');
  });

  it('is followed by a book, as JSON and as a form, and a changed one makes another book of it', async () => {
    const { put, post, json, url } = await start();
    await put('acme', jif);
    const sentencesOf = async (id: string) =>
      ((await json(await fetch(`${url}/v1/books/${id}/sentences`))).data as { spoken: string }[]).map(
        ({ spoken }) => spoken,
      );
    const request = { id: 'one', text: input, lexicon: 'acme' };
    expect((await post('/v1/books', request)).status).toBe(202);
    expect(await sentencesOf('one')).toContain('A jif.');
    const form = new FormData();
    form.set('lexicon', 'acme');
    form.set('manuscript', new Blob([input]), 'book.txt');
    expect((await fetch(`${url}/v1/books/two`, { method: 'PUT', body: form })).status).toBe(202);
    expect(await sentencesOf('two')).toContain('A jif.');
    expect((await post('/v1/books', request)).status).toBe(200);
    await put('acme', { rules: [] });
    expect((await post('/v1/books', request)).status).toBe(409);
  });

  it('that is not there is refused with the field that names it', async () => {
    const { speech, post, url } = await start();
    const missing = { status: 404, code: 'lexicon_not_found' };
    expect(await problem(await speech({ rhapsode: { lexicon: 'none' } }))).toMatchObject({
      ...missing,
      param: 'rhapsode.lexicon',
    });
    for (const path of ['/v1/utterances', '/v1/books'])
      for (const body of [{ input }, { input, open: true }, { text: input }])
        if ('input' in body === (path === '/v1/utterances'))
          expect(await problem(await post(path, { ...body, lexicon: 'none' }))).toMatchObject({
            ...missing,
            param: 'lexicon',
          });
    const client = await openSession(url);
    client.say({ type: 'open', lexicon: 'none' });
    expect(await client.get('error')).toMatchObject({
      error: { code: 'lexicon_not_found', param: 'lexicon' },
    });
    client.drop();
  });

  it('is told what is wrong with it where it is neither a name nor rules', async () => {
    const { post } = await start();
    for (const [lexicon, param] of [
      [5, 'lexicon'],
      ['No name', 'lexicon'],
      [[{ grapheme: 'a', alias: 5 }], 'lexicon.0.alias'],
    ] as const)
      expect(await problem(await post('/v1/utterances', { input, lexicon }))).toMatchObject({
        status: 400,
        param,
      });
    const nulls = [{ grapheme: 'GIF', alias: 'jif', ipa: null }];
    expect((await post('/v1/utterances', { input, lexicon: nulls })).status).toBe(201);
  });
});

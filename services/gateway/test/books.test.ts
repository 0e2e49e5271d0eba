import { createHash } from 'node:crypto';
import { readdir, readlink } from 'node:fs/promises';
import { connect } from 'node:net';
import type { BookView } from '@rhapsode/book';
import { createInFlight, runBooks } from '@rhapsode/book';
import { silent } from '@rhapsode/pipeline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { plainRender } from '../../../packages/book/test/support/plain-render.ts';
import { until } from '../../../test/support/wait.ts';
import { bytes, problem, type Served, serve } from './serve.ts';

let here: Served;
let stopRunning: (() => Promise<void>) | undefined;
beforeEach(async () => {
  here = await serve();
});
afterEach(async () => {
  await stopRunning?.();
  stopRunning = undefined;
  await here.close();
});

function run() {
  const { embedded, artefacts, bookStore, segments } = here;
  const { store, log, dispatcher } = embedded;
  const stores = { store, log, dispatcher, artefacts, books: bookStore, segments };
  const running = runBooks(
    { ...stores, observer: silent, inFlight: createInFlight(), render: plainRender },
    { owner: 'test', lookEveryMs: 10, leaseMs: 1_000 },
  );
  stopRunning = () => running.close();
}
const json = { 'content-type': 'application/json' };
const put = (id: string, body: unknown, headers: Record<string, string> = {}, query = '') =>
  fetch(`${here.url}/v1/books/${id}${query}`, {
    method: 'PUT',
    headers: { ...json, ...headers },
    body: JSON.stringify(body),
  });
const post = (path: string) => fetch(`${here.url}/v1/books/${path}`, { method: 'POST' });
const view = async (response: Response) => (await response.json()) as BookView;
const look = async (id: string) => view(await here.get(`/v1/books/${id}`));
const ended = (id: string, states: readonly string[] = ['succeeded', 'partially_succeeded', 'failed']) =>
  until(
    async () => {
      const book = await look(id);
      return states.includes(book.state) && book;
    },
    { what: `${id} to end`, timeoutMs: 30_000 },
  );
const text = 'Sing, goddess. The wrath of a man. And so on.';

describe('PUT /v1/books/{id}', () => {
  it('accepts with 202 what is stored, answers a repeat with 200, refuses another book under the same name', async () => {
    const first = await put('iliad', { text, metadata: { title: 'Iliad' } });
    expect([first.status, first.headers.get('location'), first.headers.get('etag')]).toEqual([
      202,
      '/v1/books/iliad',
      '"0"',
    ]);
    expect(await view(first)).toMatchObject({
      id: 'iliad',
      object: 'book',
      state: 'queued',
      title: 'Iliad',
      sentences: 3,
      characters: text.length,
      queue_position: 1,
      result: null,
      files_url: '/v1/books/iliad/files',
    });
    expect((await put('iliad', { text, metadata: { title: 'Iliad' } })).status).toBe(200);
    expect(await problem(await put('iliad', { text: 'Other.' }))).toMatchObject({
      status: 409,
      code: 'book_exists',
    });
    expect(await problem(await put('iliad', { text: 'Other.' }, { 'if-match': '"5"' }))).toMatchObject({
      status: 412,
    });
    const next = await put('iliad', { text: 'Other.' }, { 'if-match': '"0"' });
    expect([next.status, next.headers.get('etag')]).toEqual([202, '"1"']);
  });

  it('makes the book, whose files can be had whole and in parts', async () => {
    run();
    await put('iliad', { text });
    expect(await ended('iliad')).toMatchObject({ state: 'succeeded', result: { sentences_spoken: 3 } });
    const listed = (await (await here.get('/v1/books/iliad/files')).json()) as {
      data: { name: string; url: string; bytes: number; sha256: string }[];
    };
    expect(listed.data.map(({ name }) => name)).toEqual(['1.pcm', 'sentences.json']);
    const [audio] = listed.data;
    const whole = await here.get(audio!.url);
    const all = await bytes(whole);
    expect([whole.status, all.length]).toEqual([200, audio!.bytes]);
    expect(createHash('sha256').update(all).digest('hex')).toBe(audio!.sha256);
    expect(whole.headers.get('content-disposition')).toBe("attachment; filename*=UTF-8''1.pcm");
    const part = await here.get(audio!.url, { range: 'bytes=100-199' });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 100-199/${all.length}`]);
    expect((await bytes(part)).equals(all.subarray(100, 200))).toBe(true);
    const of = (etag: string) => here.get(audio!.url, { range: 'bytes=100-199', 'if-range': etag });
    expect((await of(whole.headers.get('etag')!)).status).toBe(206);
    expect((await bytes(await of('"another edition"'))).equals(all)).toBe(true);
    const tail = await here.get(audio!.url, { range: 'bytes=-7' });
    expect((await bytes(tail)).equals(all.subarray(-7))).toBe(true);
    const behind = await here.get(audio!.url, { range: `bytes=${all.length}-` });
    expect([behind.status, behind.headers.get('content-range')]).toEqual([416, `bytes */${all.length}`]);
    const head = await fetch(here.url + audio!.url, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(all.length)]);
    for (const name of ['2.pcm', '../request.json', '%2e%2e/1.pcm'])
      expect((await here.get(`/v1/books/iliad/files/${name}`)).status, name).toBe(404);
  });

  it('names the field that is wrong', async () => {
    const refused = async (body: unknown, headers = {}) => problem(await put('x', body, headers));
    expect(await refused({})).toMatchObject({ status: 400, param: 'text' });
    expect(await refused({ text, nonsense: 1 })).toMatchObject({ code: 'unknown_field', param: 'nonsense' });
    expect(await refused({ text, speed: 9 })).toMatchObject({ status: 400, param: 'speed' });
    expect(await refused({ text, voice: 'nobody' })).toMatchObject({
      code: 'voice_not_found',
      param: 'voice',
    });
    expect(await refused({ text, chapters: { 1: { voice: 'nobody' } } })).toMatchObject({
      param: 'chapters.1.voice',
    });
    expect(await refused({ text, outputs: { audio: ['wma'] } })).toMatchObject({ param: 'outputs.audio.0' });
    expect(await refused({ text: 'a\u0000b' })).toMatchObject({ status: 400, param: 'text' });
    expect(await refused({ text: ' \n' })).toMatchObject({ code: 'text_empty' });
    expect(await refused({ text: 'a'.repeat(4_100_000) })).toMatchObject({
      status: 413,
      code: 'payload_too_large',
    });
    expect(await refused({ text: 'Hm. '.repeat(30_000) })).toMatchObject({
      status: 413,
      code: 'text_too_long',
    });
    expect(await refused({ text }, { 'if-match': '"0"' })).toMatchObject({ status: 404 });
    expect(await problem(await put('No-Good!', { text }))).toMatchObject({ status: 400, param: 'id' });
    const plain = await fetch(`${here.url}/v1/books/x`, { method: 'PUT', body: 'hello' });
    expect(await problem(plain)).toMatchObject({ status: 415 });
    const broken = await fetch(`${here.url}/v1/books/x`, { method: 'PUT', headers: json, body: '{"text": ' });
    expect(await problem(broken)).toMatchObject({ status: 400, code: 'invalid_request' });
    expect((await here.get('/v1/books/x')).status).toBe(404);
  });

  it('is asked for and told of in one way to write names', async () => {
    run();
    const wanted = {
      text,
      outputs: { audio: ['wav'], sample_rate: 24_000, loudness: { target_lufs: -23, true_peak_db: -2 } },
      metadata: { title: 'Iliad', series: 'Epics', series_number: '1' },
    };
    expect((await put('iliad', wanted)).status).toBe(202);
    await ended('iliad');
    const names = (value: unknown): string[] =>
      typeof value !== 'object' || value === null
        ? []
        : Object.entries(value).flatMap(([name, one]) =>
            Array.isArray(value) ? names(one) : [name, ...names(one)],
          );
    const told = await Promise.all(
      ['', '/files', '/sentences', '?dry_run=true'].map(async (path) =>
        path.startsWith('?')
          ? (await put('iliad', wanted, {}, path)).json()
          : (await here.get(`/v1/books/iliad${path}`)).json(),
      ),
    );
    const { paths } = (await (await here.get('/openapi.json')).json()) as { paths: Record<string, object> };
    const { requestBody } = (paths['/v1/books/{id}'] as { put: { requestBody: object } }).put;
    const schemas = JSON.stringify(requestBody).match(/"properties":\{.*\}/)![0];
    const asked = [...schemas.matchAll(/"(\w+)":\{/g)].map(([, name]) => name!);
    expect(asked).toEqual(expect.arrayContaining(['sample_rate', 'target_lufs', 'series_number']));
    const jsonSchema = ['additionalProperties', 'propertyNames', 'anyOf', 'allOf', 'oneOf'];
    for (const name of [...told.flatMap(names), ...asked.filter((one) => !jsonSchema.includes(one))])
      expect(name).toMatch(/^[a-z0-9]+(_[a-z0-9]+)*$/);
    for (const [field, refused] of Object.entries({
      'outputs.sampleRateHz': { outputs: { sampleRateHz: 24_000 } },
      'outputs.loudness.targetLufs': { outputs: { loudness: { targetLufs: -18 } } },
      'metadata.seriesNumber': { metadata: { seriesNumber: '1' } },
    }))
      expect(await problem(await put('x', { text, ...refused }))).toMatchObject({
        code: 'unknown_field',
        param: field,
      });
    expect(await problem(await put('x', { text, outputs: { sample_rate: 20_000 } }))).toMatchObject({
      status: 400,
      param: 'outputs.sample_rate',
    });
  });

  it('takes a long text in JSON apart elsewhere, with the same result', async () => {
    const long = 'The morning was silver. '.repeat(4_000);
    const response = await put('long', { text: long });
    expect(response.status).toBe(202);
    expect(await view(response)).toMatchObject({ sentences: 4_000, characters: long.length });
    expect(await problem(await put('x', { text: long, document: {} }))).toMatchObject({ status: 400 });
  });

  it('only looks with dry_run: chapters, sentences, length, what is there already, what has to be made', async () => {
    const estimate = async (given: string) =>
      (await put('x', { text: given, type: 'markdown' }, {}, '?dry_run=true')).json() as Promise<
        Record<string, unknown>
      >;
    const book = '# One\n\nHello there. Hello there.\n\n# Two\n\nGoodbye.\n';
    expect(await estimate(book)).toMatchObject({
      object: 'book.estimate',
      chapters: [{ title: 'One' }, { title: 'Two' }],
      sentences: 5,
      cache_hits: 1,
      cost: { sentences: 4 },
    });
    expect((await here.get('/v1/books/x')).status).toBe(404);
    run();
    await put('made', { text: book, type: 'markdown' });
    await ended('made');
    expect(await estimate(book)).toMatchObject({ cache_hits: 5, cost: { sentences: 0, characters: 0 } });
  });
});

describe('POST /v1/books', () => {
  it('takes a form with the manuscript as a file, a cover, and settings in fields', async () => {
    const form = new FormData();
    form.set('voice', 'tone');
    form.set('speed', '1.5');
    form.set('outputs', JSON.stringify({ audio: ['wav'], captions: [] }));
    form.set('settings', JSON.stringify({ metadata: { title: 'From a form' } }));
    form.set('document', new File(['# One\n\nHello there.\n'], 'book.md', { type: 'text/markdown' }));
    form.set('cover', new File([Buffer.from('89504e470d0a1a0a', 'hex')], 'c.png', { type: 'image/png' }));
    const response = await fetch(`${here.url}/v1/books`, { method: 'POST', body: form });
    expect(response.status).toBe(202);
    const book = await view(response);
    expect(book).toMatchObject({ title: 'From a form', chapters: 1, sentences: 2 });
    expect(book.id).toMatch(/^[0-9a-z]{26}$/);
  });

  it('is called what its manuscript says, else what the file is called', async () => {
    const titleOf = async (id: string, text: string, name: string) => {
      const form = new FormData();
      form.set('document', new Blob([text]), name);
      const answer = await fetch(`${here.url}/v1/books/${id}`, { method: 'PUT', body: form });
      return (await view(answer)).title;
    };
    expect(await titleOf('a', '# The Sea\n\n## One\n\nText.\n\n## Two\n\nEnd.\n', 'draft.md')).toBe(
      'The Sea',
    );
    expect(await titleOf('b', '---\ntitle: The Lake\n---\n\nText.\n', 'draft.md')).toBe('The Lake');
    expect(await titleOf('c', 'Only text.', 'C:\\books\\My draft.v2.txt')).toBe('My draft.v2');
    expect(await titleOf('d', 'Only text.', '')).toBe('Untitled');
    expect(await view(await put('e', { text: 'Only text.' }))).toMatchObject({ title: 'Untitled' });
    const said = { text: 'The Bog\n\nby Ann Author\n\nChapter 1\n\nIt was.\n', metadata: { year: 1851 } };
    expect(await view(await put('g', said))).toMatchObject({ title: 'The Bog', chapters: 1 });
    const document = { name: 'A pond.md', base64: Buffer.from('Only text.').toString('base64') };
    expect(await view(await put('f', { document }))).toMatchObject({ title: 'A pond' });
  });

  it('refuses a form that is none, or has no manuscript, or two', async () => {
    const send = (form: FormData) => fetch(`${here.url}/v1/books`, { method: 'POST', body: form });
    const empty = new FormData();
    empty.set('voice', 'tone');
    expect(await problem(await send(empty))).toMatchObject({ status: 400, param: 'document' });
    const two = new FormData();
    two.set('a', new File(['Hello.'], 'a.txt'));
    two.set('b', new File(['Hello.'], 'b.txt'));
    expect(await problem(await send(two))).toMatchObject({ status: 400, param: 'b' });
    const wrong = new FormData();
    wrong.set('speed', 'fast');
    wrong.set('document', new File(['Hello.'], 'a.txt'));
    expect(await problem(await send(wrong))).toMatchObject({ status: 400, param: 'speed' });
    const cut = await fetch(`${here.url}/v1/books`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
      body: '--x\r\nContent-Disposition: form-data; name="document"; filename="a.txt"\r\n\r\nHello',
    });
    expect((await problem(cut)).status).toBe(400);
    const big = new FormData();
    big.set('document', new File([Buffer.alloc(2_100_000, 'a')], 'a.txt'));
    expect(await problem(await send(big))).toMatchObject({ status: 413 });
  });
});

describe('a request for a book that is not what it seems', () => {
  const png = Buffer.from('89504e470d0a1a0a', 'hex');
  const refused = async (fields: object) => problem(await put('x', { text, ...fields }));
  const part = (name: string, content: string, more = '') =>
    `--x\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${content}\r\n`;
  const file = part('document', 'Hello there.', '; filename="a.txt"');
  const sendForm = async (body: string, type = 'multipart/form-data; boundary=x') =>
    problem(
      await fetch(`${here.url}/v1/books`, {
        method: 'POST',
        headers: { 'content-type': type },
        body: `${body}--x--\r\n`,
      }),
    );

  it('is refused where its cover is no picture, or another than it says', async () => {
    const cover = (bytes: Buffer, type = 'image/png') => ({
      cover: { type, base64: bytes.toString('base64') },
    });
    for (const wrong of [cover(Buffer.alloc(0)), cover(Buffer.from('hello')), cover(png, 'image/jpeg')])
      expect(await refused(wrong)).toMatchObject({
        status: 400,
        param: 'cover',
        message: expect.stringMatching(/is no (PNG|JPEG)/),
      });
    const large = Buffer.concat([png, Buffer.alloc(1_500_000)]);
    expect(await refused(cover(large))).toMatchObject({ status: 202 });
    const form = (bytes: Buffer) => {
      const made = new FormData();
      made.set('document', new File(['Hello.'], 'a.txt'));
      made.set('cover', new File([new Uint8Array(bytes)], 'c.png', { type: 'image/png' }));
      return fetch(`${here.url}/v1/books?dry_run=true`, { method: 'POST', body: made });
    };
    expect(await problem(await form(Buffer.from('hello')))).toMatchObject({ status: 400, param: 'cover' });
  });

  it('is refused where a form says a thing twice, or nothing that can be read', async () => {
    expect(await sendForm('', 'multipart/form-data')).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(await sendForm('garbage')).toMatchObject({ status: 400 });
    expect(await sendForm(part('voice', 'tone') + part('voice', 'tone') + file)).toMatchObject({
      ...{ status: 400, param: 'voice' },
    });
    expect(await sendForm(part('text', 'Hello.') + file)).toMatchObject({ status: 400, param: 'text' });
    expect(await sendForm(part('text', 'Hello\0there.'))).toMatchObject({ status: 400, param: 'text' });
    expect(await sendForm(part('settings', '{"text": "Hello there."}') + file)).toMatchObject({
      ...{ status: 400, param: 'text' },
    });
    const cover = part('cover', 'x', '; filename="a.png"\r\nContent-Type: image/png');
    expect(await sendForm(cover + cover + file)).toMatchObject({ status: 400, param: 'cover' });
    for (const settings of ['{"__proto__": {"speed": 9}}', '{"nonsense": 1}'])
      expect(await sendForm(part('settings', settings) + file)).toMatchObject({ code: 'unknown_field' });
    expect(await sendForm(part('__proto__', '1') + file)).toMatchObject({ code: 'unknown_field' });
    expect(await sendForm(part('speakers', '{"__proto__": {"voice": "tone"}}') + file)).toMatchObject({
      ...{ code: 'unknown_field', param: 'speakers.__proto__' },
    });
  });

  it.skipIf(process.platform !== 'linux')(
    'leaves no open file when its sender goes away in the middle',
    async () => {
      const files = async () => {
        const numbers = await readdir('/proc/self/fd');
        const paths = await Promise.all(numbers.map((n) => readlink(`/proc/self/fd/${n}`).catch(() => '')));
        return paths.filter((path) => path.includes('rhapsode-upload-')).length;
      };
      // Closed by whoever opened them, and not by chance.
      const warnings: Error[] = [];
      const onWarning = (warning: Error) => {
        if (warning.message.includes('garbage collection')) warnings.push(warning);
      };
      process.on('warning', onWarning);
      for (const [type, body] of [
        ['multipart/form-data; boundary=x', `${file.slice(0, -8)}`],
        [
          'multipart/form-data; boundary=x',
          `${file}--x\r\nContent-Disposition: form-data; name="cover"; filename="a.png"\r\nContent-Type: image/png\r\n\r\nbegun`,
        ],
        ['application/json', '{"text": "Hello'],
      ]) {
        const socket = connect(Number(new URL(here.url).port), '127.0.0.1');
        socket.on('error', () => {});
        socket.write(
          `POST /v1/books HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: 100000\r\n\r\n${body}`,
        );
        await until(async () => (await files()) > 0, { what: 'the upload to begin' });
        socket.destroy();
        await until(async () => (await files()) === 0, { what: `the files of ${body} to be closed` });
      }
      process.off('warning', onWarning);
      expect(warnings).toEqual([]);
    },
  );

  it('is refused where its settings can’t be meant so', async () => {
    for (const [param, fields] of Object.entries({
      'outputs.audio': { outputs: { audio: ['wav', 'wav'] } },
      'outputs.captions': { outputs: { captions: ['srt', 'srt'] } },
      'outputs.single': { outputs: { audio: ['wav'], single: ['mp3'] } },
      'metadata.title': { metadata: { title: 'a\u0000b' } },
      'metadata.authors.1': { metadata: { authors: ['a', 'b\u0007'] } },
      'metadata.narrator': { metadata: { narrator: 'half \ud83d' } },
      'metadata.language': { metadata: { language: '"><script>' } },
      language: { language: 'xx-not-a-language!' },
      'chapters.2': { chapters: { 2: { voice: 'tone' } } },
    }))
      expect([param, await refused(fields)]).toEqual([
        param,
        expect.objectContaining({ status: 400, param }),
      ]);
    const deep = '['.repeat(30_000) + ']'.repeat(30_000);
    for (const filler of ['', 'Hm. '.repeat(40_000)]) {
      const body = `{"text": "${filler || text}", "settings": ${deep}}`;
      const answer = await fetch(`${here.url}/v1/books/x`, { method: 'PUT', headers: json, body });
      expect(await problem(answer)).toMatchObject({ status: 400 });
    }
    expect((await here.get('/v1/books/x')).status).toBe(404);
  });
});

describe('a book that is there', () => {
  it('is listed, newest first, page by page', async () => {
    for (const id of ['a', 'b', 'c']) await put(id, { text });
    const page = async (query: string) =>
      (await (await here.get(`/v1/books?${query}`)).json()) as {
        data: BookView[];
        has_more: boolean;
        last_id: string;
      };
    const first = await page('limit=2');
    expect([first.data.map(({ id }) => id), first.has_more]).toEqual([['c', 'b'], true]);
    expect(await problem(await here.get('/v1/books?after=deleted'))).toMatchObject({
      status: 404,
      param: 'after',
    });
    const rest = await page(`limit=2&after=${first.last_id}`);
    expect([rest.data.map(({ id }) => id), rest.has_more]).toEqual([['a'], false]);
    expect((await here.get('/v1/books?limit=0')).status).toBe(400);
  });

  it('is paused, resumed and cancelled; what has ended is not', async () => {
    await put('a', { text });
    expect(await view(await post('a/pause'))).toMatchObject({ state: 'paused', queue_position: null });
    run();
    expect(await view(await post('a/resume'))).toMatchObject({ id: 'a' });
    await ended('a');
    expect(await problem(await post('a/pause'))).toMatchObject({ status: 409, code: 'book_ended' });
    await stopRunning?.();
    stopRunning = undefined;
    await put('b', { text });
    expect(await view(await post('b/cancel'))).toMatchObject({ state: 'cancelled' });
    expect(await view(await post('b/retry'))).toMatchObject({ state: 'queued' });
    expect((await post('nobody/pause')).status).toBe(404);
  });

  it('tells of its sentences, and has one changed', async () => {
    run();
    await put('a', { text: 'It begins. Poison {{tone:fail}} here. It ends.' });
    expect(await ended('a')).toMatchObject({ state: 'partially_succeeded', result: { sentences_silent: 1 } });
    const page = async (query: string) =>
      (await (await here.get(`/v1/books/a/sentences?${query}`)).json()) as {
        data: { n: number; state: string }[];
        has_more: boolean;
      };
    const listed = async (query: string) => (await page(query)).data;
    expect([(await page('limit=2')).has_more, (await page('limit=3')).has_more]).toEqual([true, false]);
    expect((await listed('')).map(({ n, state }) => [n, state])).toEqual([
      [0, 'spoken'],
      [1, 'silence'],
      [2, 'spoken'],
    ]);
    expect((await listed('state=silence')).map(({ n }) => n)).toEqual([1]);
    expect((await listed('after=0&limit=1')).map(({ n }) => n)).toEqual([1]);
    const patch = (n: number | string, body: unknown, headers = {}) =>
      fetch(`${here.url}/v1/books/a/sentences/${n}`, {
        method: 'PATCH',
        headers: { ...json, ...headers },
        body: JSON.stringify(body),
      });
    expect((await patch(9, { text: 'x' })).status).toBe(404);
    expect((await patch('x', { text: 'x' })).status).toBe(404);
    expect(await problem(await patch(1, { word: 'x' }))).toMatchObject({ code: 'unknown_field' });
    expect((await patch(1, { text: 'x' }, { 'if-match': '"9"' })).status).toBe(412);
    for (const wrong of [{ text: 'a\u0000b' }, { text: 'half \ud83d' }])
      expect(await problem(await patch(1, wrong))).toMatchObject({ status: 400, param: 'text' });
    expect((await listed('after=')).length).toBe(3);
    const changed = await patch(1, { text: 'An antidote.' }, { 'if-match': '"0"' });
    expect([changed.status, changed.headers.get('etag')]).toEqual([202, '"1"']);
    expect(await ended('a', ['succeeded'])).toMatchObject({ result: { sentences_synthesized: 1 } });
  });

  it('sends events until it ends, each with all there is to know', async () => {
    await put('a', { text });
    const response = await here.get('/v1/books/a/events');
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    run();
    const told = (await response.text()).split('\n\n').filter((block) => block.startsWith('event:'));
    const events = told.map((block) => ({
      name: /^event: (.*)$/m.exec(block)![1],
      id: /^id: (.*)$/m.exec(block)![1]!,
      book: JSON.parse(/^data: (.*)$/m.exec(block)![1]!) as BookView,
    }));
    expect(events[0]).toMatchObject({ name: 'progress', book: { state: 'queued' } });
    expect(events.at(-1)).toMatchObject({ name: 'ended', book: { state: 'succeeded' } });
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    const again = await here.get('/v1/books/a/events', { 'last-event-id': events.at(-1)!.id });
    expect(await again.text()).toBe('retry: 2000\n\n');
  });

  it('is deleted with everything that was made of it; another one may have its name', async () => {
    run();
    await put('a', { text });
    await ended('a');
    expect((await here.remove('/v1/books/a')).status).toBe(204);
    expect((await here.remove('/v1/books/a')).status).toBe(404);
    expect((await here.get('/v1/books/a/files')).status).toBe(404);
    for await (const { key } of here.artefacts.list('books/')) expect(key).toBe('nothing');
    await put('a', { text: 'Something else.' });
    expect(await ended('a')).toMatchObject({ state: 'succeeded', sentences: 1 });
  });
});

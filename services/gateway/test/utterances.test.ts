import { parseWav } from '@rhapsode/audio';
import { toneLength } from '@rhapsode/voices';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../../../test/support/wait.ts';
import { bytes, problem, type Served, type ServeOptions, serve } from './serve.ts';

const open: Served[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});
async function start(options?: ServeOptions): Promise<Served> {
  const served = await serve(options);
  open.push(served);
  return served;
}

const story = Array.from({ length: 8 }, (_, i) => `Sentence number ${i} tells how it went on.`).join(' ');
const json = async (response: Response) => (await response.json()) as Record<string, unknown>;

describe('utterances', () => {
  it('are created, listened to, looked at and cancelled', async () => {
    const { post, get, remove } = await start();
    const created = await post('/v1/utterances', { input: story, seed: 3 });
    expect(created.status).toBe(201);
    const { id, audio_url, segments } = (await json(created)) as {
      id: string;
      audio_url: string;
      segments: number;
    };
    expect(created.headers.get('location')).toBe(`/v1/utterances/${id}`);
    expect(audio_url).toBe(`/v1/utterances/${id}/audio`);
    const whole = await bytes(await get(`${audio_url}?format=pcm`));
    const tail = await get(`${audio_url}?format=pcm`, { range: 'bytes=5001-' });
    expect(tail.status).toBe(206);
    expect((await bytes(tail)).equals(whole.subarray(5001))).toBe(true);
    expect(await json(await get(`/v1/utterances/${id}`))).toMatchObject({
      id,
      state: 'succeeded',
      seed: 3,
      segments,
      segments_finished: segments,
      text_complete: true,
    });
    expect((await remove(`/v1/utterances/${id}`)).status).toBe(204);
    expect(await json(await get(`/v1/utterances/${id}`))).toMatchObject({ state: 'cancelled' });
    expect(await problem(await get(audio_url))).toMatchObject({ status: 410, code: 'cancelled' });
  });

  it('are created once, however often the request is repeated', async () => {
    const { post } = await start();
    const request = { id: 'mychapter1', input: story };
    const first = await json(await post('/v1/utterances', request));
    expect(await json(await post('/v1/utterances', request))).toEqual(first);
    expect(await problem(await post('/v1/utterances', { ...request, input: 'Another text.' }))).toMatchObject(
      {
        status: 409,
        code: 'utterance_exists',
      },
    );
  });

  it.each(['GET', 'DELETE'])('that do not exist are not found by %s', async (method) => {
    const { url } = await start();
    for (const id of ['unknown123', 'x', '..%2Fadmin', '%00'])
      expect(await problem(await fetch(`${url}/v1/utterances/${id}`, { method }))).toMatchObject({
        status: 404,
      });
  });

  it('are refused with a bad id, class or field', async () => {
    const { post } = await start();
    for (const [fields, param] of [
      [{ id: 'no spaces' }, 'id'],
      [{ class: 'urgent' }, 'class'],
      [{ seed: -1 }, 'seed'],
      [{ priority: 1 }, 'priority'],
    ] as const)
      expect(await problem(await post('/v1/utterances', { input: 'Hello.', ...fields }))).toMatchObject({
        status: 400,
        param,
      });
    expect(await problem(await post('/v1/utterances', {}))).toMatchObject({
      code: 'invalid_request',
      param: 'input',
    });
  });

  it('of class bulk may be longer', async () => {
    const { post } = await start();
    const input = 'Word after word. '.repeat(200);
    expect((await post('/v1/utterances', { input })).status).toBe(413);
    expect((await post('/v1/utterances', { input, class: 'bulk' })).status).toBe(201);
  });
});

describe('text that is still arriving', () => {
  async function openOne(served: Served, fields: object = {}) {
    const created = await served.post('/v1/utterances', { open: true, ...fields });
    expect(created.status).toBe(201);
    return (await json(created)) as { id: string; audio_url: string; text_url: string; finish_url: string };
  }

  it('gives the same audio as the text in one piece, and begins before the text ends', async () => {
    const served = await start();
    const { post, get } = served;
    const whole = (await json(await post('/v1/utterances', { input: story }))) as { audio_url: string };
    const wanted = await bytes(await get(`${whole.audio_url}?format=pcm`));

    const { audio_url, text_url, finish_url } = await openOne(served);
    const listening = await (async () => {
      const pending = get(`${audio_url}?format=pcm`);
      for (let at = 0; at < story.length; at += 17) {
        const sent = await post(text_url, { input: story.slice(at, at + 17), offset: at });
        expect(await json(sent)).toMatchObject({ received: Math.min(at + 17, story.length) });
        if (at === 17 * 10) await pending; // audio of the first sentences is there
      }
      return pending;
    })();
    expect((await post(finish_url, {})).status).toBe(200);
    expect((await bytes(listening)).equals(wanted)).toBe(true);
  });

  it('is not spoken twice when a piece is sent again', async () => {
    const served = await start();
    const { post, get } = served;
    const { audio_url, text_url, finish_url } = await openOne(served, { input: 'One. ' });
    const piece = { input: 'Two. Three.', offset: 5 };
    const first = await json(await post(text_url, piece));
    expect(await json(await post(text_url, piece))).toEqual(first);
    expect(await problem(await post(text_url, { input: 'x', offset: 99 }))).toMatchObject({
      status: 400,
      code: 'invalid_request',
      param: 'offset',
    });
    await post(finish_url, {});
    const plain = (await json(await post('/v1/utterances', { input: 'One. Two. Three.' }))) as {
      audio_url: string;
    };
    const [got, wanted] = await Promise.all(
      [audio_url, plain.audio_url].map(async (path) => bytes(await get(`${path}?format=pcm`))),
    );
    expect(got!.equals(wanted!)).toBe(true);
  });

  it('is spoken at once when it is flushed', async () => {
    const served = await start();
    const { post, get } = served;
    const { audio_url, text_url } = await openOne(served);
    const listening = get(`${audio_url}?format=pcm`);
    await post(text_url, { input: 'an unfinished thought', flush: true });
    const reader = (await listening).body!.getReader();
    expect((await reader.read()).value!.length).toBeGreaterThan(0);
    await reader.cancel();
  });

  it('is refused after the end', async () => {
    const served = await start();
    const { post } = served;
    const { text_url, finish_url } = await openOne(served, { input: 'Hello.' });
    expect((await fetch(served.url + finish_url, { method: 'POST' })).status).toBe(200);
    for (const path of [text_url, finish_url])
      expect(await problem(await post(path, path === text_url ? { input: 'More.' } : {}))).toMatchObject({
        status: 409,
        code: 'utterance_sealed',
      });
  });

  it('that never came is no utterance', async () => {
    const served = await start();
    const { id, finish_url } = await openOne(served, { input: ' ' });
    expect(await problem(await served.post(finish_url, {}))).toMatchObject({
      status: 400,
      code: 'text_empty',
    });
    await until(async () => (await served.embedded.store.get(id))?.cancelled, { what: 'cancellation' });
  });

  it('that stops coming is cancelled: the listener gets an error, not an end', async () => {
    const served = await start({ idleMs: 300 });
    const { audio_url, id } = await openOne(served, { input: 'The first sentence. And then' });
    const response = await served.get(`${audio_url}?format=pcm`);
    await expect(response.arrayBuffer()).rejects.toThrow();
    await until(async () => (await served.embedded.store.get(id))?.cancelled, { what: 'cancellation' });
  });

  it('is checked like any text', async () => {
    const served = await start();
    const { text_url } = await openOne(served);
    expect(await problem(await served.post(text_url, { input: 'a\0' }))).toMatchObject({
      code: 'invalid_request',
    });
    expect(await problem(await served.post(text_url, { input: 'x', more: 1 }))).toMatchObject({
      code: 'unknown_field',
    });
    const long = await served.post(text_url, { input: 'Many words. '.repeat(400) });
    expect(await problem(long)).toMatchObject({ status: 413, code: 'text_too_long' });
  });

  it('has the limit of a text that is sent whole, in which no character counts twice', async () => {
    const served = await start({ limits: { maxSpeechCharacters: 100 } });
    const tooLong = {
      status: 413,
      code: 'text_too_long',
      param: 'input',
      message: expect.stringMatching(/\b100\b/),
    };
    const piece = '😀 and so on, and'.padEnd(42);
    const { text_url } = await openOne(served, { input: piece });
    // A character of two code units is one; what is repeated is there already.
    for (let again = 0; again < 3; again++)
      expect((await served.post(text_url, { input: piece, offset: 42 })).status).toBe(200);
    const rest = 'x'.repeat(18);
    expect(await problem(await served.post(text_url, { input: `${rest}y`, offset: 84 }))).toMatchObject(
      tooLong,
    );
    expect(await problem(await served.post(text_url, { input: `${rest}y` }))).toMatchObject(tooLong);
    expect((await served.post(text_url, { input: piece + rest, offset: 42 })).status).toBe(200);
    expect(await problem(await served.post(text_url, { input: 'y' }))).toMatchObject(tooLong);
    const opened = await served.post('/v1/utterances', { open: true, input: 'y'.repeat(101) });
    expect(await problem(opened)).toMatchObject(tooLong);
  });
});

describe('an utterance’s audio', () => {
  it('waits with the audio until all of a text is there and made, for who asks for the whole at once', async () => {
    const { post, get } = await start({ realTimeFactor: 0.02 });
    const parts = Array.from({ length: 12 }, (_, i) => `Sentence number ${i} tells how it went on. `);
    const created = await json(await post('/v1/utterances', { open: true, class: 'bulk' }));
    const { audio_url, text_url, finish_url } = created as Record<string, string>;
    const pending = get(`${audio_url}?format=wav&stream=false`);
    for (const input of parts) expect((await post(text_url!, { input })).ok).toBe(true);
    expect((await post(finish_url!, {})).ok).toBe(true);
    const response = await pending;
    const audio = await bytes(response);
    expect(response.headers.get('content-length')).toBe(String(audio.length));
    expect(parseWav(audio).sized).toBe(true);
    expect((await bytes(await get(audio_url!))).equals(audio)).toBe(true);
  });

  it('is described without being made, and given by its last bytes', async () => {
    const { url, post, get } = await start();
    const { audio_url } = await json(await post('/v1/utterances', { input: story }));
    const head = () => fetch(`${url}${audio_url}?format=pcm`, { method: 'HEAD' });
    const before = await head();
    expect([before.status, before.headers.get('accept-ranges')]).toEqual([200, 'bytes']);
    expect(before.headers.get('content-length')).toBeNull();
    // While the length is not known, the last bytes can't be told from the others.
    const early = await get(`${audio_url}?format=pcm`, { range: 'bytes=-100' });
    expect(early.status).toBe(200);
    const whole = await bytes(early);

    expect((await head()).headers.get('content-length')).toBe(String(whole.length));
    const last = await get(`${audio_url}?format=pcm`, { range: 'bytes=-100' });
    expect([last.status, last.headers.get('content-range')]).toEqual([
      206,
      `bytes ${whole.length - 100}-${whole.length - 1}/${whole.length}`,
    ]);
    expect((await bytes(last)).equals(whole.subarray(-100))).toBe(true);
    // Who has a part of something else needs the whole of this.
    const { etag } = Object.fromEntries(last.headers);
    for (const [has, status] of [
      [etag!, 206],
      ['"another"', 200],
    ] as const) {
      const answer = await get(`${audio_url}?format=pcm`, { range: 'bytes=-100', 'if-range': has });
      expect(answer.status).toBe(status);
      await answer.bytes();
    }
    for (const range of [`bytes=${whole.length}-`, 'bytes=-0']) {
      const behind = await get(`${audio_url}?format=pcm`, { range });
      expect(behind.headers.get('content-range')).toBe(`bytes */${whole.length}`);
      expect(await problem(behind)).toMatchObject({ status: 416, code: 'range_not_satisfiable' });
    }
    expect((await fetch(`${url}/v1/utterances/nothing00/audio`, { method: 'HEAD' })).status).toBe(404);
  });
});

describe('an utterance of SSML', () => {
  const input = '<speak>One.<break time="1s"/><emphasis>Two.</emphasis></speak>';

  it('has the pauses it asks for, and says what the voice can’t', async () => {
    const { post, get } = await start();
    const created = await json(await post('/v1/utterances', { input, input_type: 'ssml' }));
    expect(created.warnings).toEqual([
      { code: 'voice_cannot', message: expect.stringContaining('emphasis') },
    ]);
    const audio = await bytes(await get(`${created.audio_url}?format=pcm`));
    expect(audio.length / 2).toBe(toneLength('One.') + 16_000 + toneLength('Two.'));
  });

  it('is spoken in the language that it asks for by a voice that has it', async () => {
    const { post, get } = await start();
    const speak = async (voice: string, inner: string) => {
      const request = { voice, input: `<speak>${inner}</speak>`, input_type: 'ssml' };
      const { audio_url, warnings } = await json(await post('/v1/utterances', request));
      expect(warnings).toBeUndefined();
      return bytes(await get(`${audio_url}?format=pcm`));
    };
    const mixed = await speak('espeak', 'Hello. <lang xml:lang="de">Guten Morgen.</lang>');
    const german = await speak('espeak-de', 'Guten Morgen.');
    expect(mixed.subarray(-german.length).equals(german)).toBe(true);
    expect(mixed.length).toBeGreaterThan(german.length);
  });

  it('may arrive in pieces, and is spoken when it is whole', async () => {
    const { post, get } = await start();
    const created = await json(await post('/v1/utterances', { open: true, input_type: 'ssml' }));
    await post(created.text_url as string, { input: input.slice(0, 20), flush: true });
    await post(created.text_url as string, { input: input.slice(20) });
    expect(await json(await post(created.finish_url as string, {}))).toMatchObject({ segments: 2 });
    const audio = await bytes(await get(`${created.audio_url}?format=pcm`));
    expect(audio.length / 2).toBe(toneLength('One.') + 16_000 + toneLength('Two.'));
  });

  it('is another request than the same text read otherwise', async () => {
    const { post } = await start();
    const request = { id: 'ssmlutterance', input, input_type: 'ssml' };
    expect((await post('/v1/utterances', request)).status).toBe(201);
    expect((await post('/v1/utterances', request)).status).toBe(201);
    for (const other of [
      { input_type: 'text' },
      { lexicon: [{ grapheme: 'one', alias: 'won' }] },
      { inline: true },
    ])
      expect((await post('/v1/utterances', { ...request, ...other })).status).toBe(409);
  });
});

describe('voices and models', () => {
  it('are listed', async () => {
    const { get } = await start();
    const { voices } = (await json(await get('/v1/audio/voices'))) as {
      voices: { id: string; aliases: string[] }[];
    };
    expect(voices.find(({ id }) => id === 'tone')).toMatchObject({
      aliases: expect.arrayContaining(['default', 'alloy', 'onyx']),
      sample_rate_hz: 16_000,
    });
    // What Open WebUI, Kokoro-FastAPI's clients and others look for.
    expect(await json(await get('/v1/voices'))).toEqual({ voices });
    expect(voices.find(({ id }) => id === 'tone')).toMatchObject({
      voice_id: 'tone',
      name: 'Test tone',
      language: 'mul',
    });
    expect(await json(await get('/v1/audio/voices?legacy=true'))).toEqual({
      voices: voices.map(({ id }) => id),
    });
    expect((await json(await get('/v1/audio/models'))).models).toContainEqual(
      expect.objectContaining({ id: 'tts-1' }),
    );
    const models = await json(await get('/v1/models'));
    expect(models).toMatchObject({ object: 'list' });
    expect(models.data).toContainEqual(expect.objectContaining({ id: 'tts-1', object: 'model' }));
    expect(await json(await get('/v1/models/rhapsode'))).toMatchObject({ id: 'rhapsode' });
    expect(await problem(await get('/v1/models/nothing'))).toMatchObject({
      status: 404,
      code: 'model_not_found',
    });
  });
});

import { type ClientMessage, type ServerMessage, sessionPath } from '@rhapsode/contracts/session';
import { afterEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { openSession, positionOf, type SessionClient } from '../../../test/support/session-client.ts';
import { until } from '../../../test/support/wait.ts';
import { bytes, type Served, type ServeOptions, serve } from './serve.ts';

const served: Served[] = [];
const clients: SessionClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.drop();
  await Promise.all(served.splice(0).map((one) => one.close()));
});

async function start(options?: ServeOptions): Promise<Served> {
  const one = await serve(options);
  served.push(one);
  return one;
}
async function connect(
  { url }: Served,
  options: Parameters<typeof openSession>[1] = {},
): Promise<SessionClient> {
  const client = await openSession(url, options);
  clients.push(client);
  return client;
}
const story = Array.from({ length: 6 }, (_, i) => `Sentence number ${i} tells how it went on.`).join(' ');

async function whole(one: Served, input: string, fields: object = {}): Promise<Buffer> {
  const created = await one.post('/v1/utterances', { input, ...fields });
  const { audio_url } = (await created.json()) as { audio_url: string };
  return bytes(await one.get(`${audio_url}?format=pcm`));
}
const typesOf = (messages: readonly ServerMessage[]) => messages.map(({ type }) => type);

describe('a web page', () => {
  it.each([
    ['of a named origin', 'https://reader.example', true],
    ['of the gateway itself', 'own', true],
    ['of another origin', 'https://evil.example', false],
    ['without an origin', 'null', false],
  ])('%s may open a session or not', async (_, origin, may) => {
    const one = await start({ corsOrigins: ['https://reader.example'] });
    const ws = new WebSocket(one.url.replace(/^http/, 'ws') + sessionPath, {
      origin: origin === 'own' ? one.url : origin,
    });
    const status = await new Promise((resolve, reject) => {
      ws.on('open', () => resolve(101));
      ws.on('unexpected-response', (__, response) => {
        // The gateway hangs up by itself.
        response.on('close', () => resolve(response.statusCode)).resume();
      });
      ws.on('error', reject);
    });
    ws.terminate();
    expect(status).toBe(may ? 101 : 403);
  });
});

describe('a session', () => {
  it('speaks text that comes token by token: the samples of the same text sent whole, each sentence announced and ended', async () => {
    const one = await start();
    const client = await connect(one);
    for (const token of story.split(/(?<= )/)) client.say({ type: 'text', text: token });
    client.say({ type: 'finish' });
    const end = await client.get('end');
    const wanted = await whole(one, story);
    expect(client.pcm().equals(wanted)).toBe(true);
    expect(end).toMatchObject({ context: 'main', segments: 6, samples: wanted.length / 2 });
    expect(client.messages[0]).toMatchObject({
      type: 'ready',
      limits: { contexts: 64 },
      voices_default: 'tone',
    });
    expect(client.all('opened')).toMatchObject([
      { context: 'main', context_number: 0, voice: 'tone', sample_rate: 16_000 },
    ]);
    expect(client.all('received').at(-1)).toMatchObject({ offset: story.length });
    const starts = client.all('segment_start');
    expect(starts.map(({ text }) => text).join('')).toBe(story);
    expect(starts.map(({ start, end: to }) => story.slice(start, to))).toEqual(
      starts.map(({ text }) => text),
    );
    const ends = client.all('segment_end');
    expect(ends.map(({ segment }) => segment)).toEqual([0, 1, 2, 3, 4, 5]);
    let at = 0;
    for (const { start_sample, samples, pause_samples } of ends) {
      expect(start_sample).toBe(at);
      at += samples + pause_samples;
    }
    let next = 0;
    for (const frame of client.frames) {
      expect(frame.utteranceSample).toBe(next);
      expect(frame.pcm.length).toBe(2 * frame.samples);
      next += frame.samples;
    }
    expect(await client.close()).toBe(1005);
  });

  it('gives audio before the text has ended, and places of words in the source on the clock of the utterance', async () => {
    const client = await connect(await start());
    client.say({ type: 'open', metrics: true });
    client.say({ type: 'text', text: 'It cost $10 that day. And then' });
    const end = await client.get('segment_end');
    expect(client.all('end')).toEqual([]);
    const [first] = client.all('segment_start');
    expect(first).toMatchObject({ start: 0, end: 22, text: 'It cost $10 that day. ' });
    expect(first!.spoken).toBe('It cost $10 that day.');
    const words: string[] = [];
    for (const { start, end: to, sample, seconds } of end.marks) {
      words.push('It cost $10 that day.'.slice(start, to));
      expect(seconds).toBeCloseTo(sample / 16_000);
    }
    expect(words.slice(0, 3)).toEqual(['It', 'cost', '$10']);
    const chunks = client.all('chunk');
    expect(chunks.length).toBeGreaterThan(0);
    expect(chunks[0]).toMatchObject({ segment: 0, chunk: 0, attempt: 1 });
    expect(chunks[0]!.elapsed_ms).toBeGreaterThanOrEqual(0);
    expect(typesOf(client.messages).indexOf('chunk')).toBeGreaterThan(
      typesOf(client.messages).indexOf('segment_start'),
    );
  });

  it('gives floats, and frames as short as they are asked for', async () => {
    const one = await start();
    const client = await connect(one);
    client.say({ type: 'open', format: 'pcm_f32le', chunk_seconds: 0.02 });
    client.say({ type: 'text', text: story });
    client.say({ type: 'finish' });
    await client.get('end');
    const wanted = await whole(one, story);
    const floats = client.pcm();
    expect(floats.length).toBe(2 * wanted.length);
    for (let i = 0; i < wanted.length / 2; i++)
      if (floats.readFloatLE(4 * i) !== wanted.readInt16LE(2 * i) / 32_768)
        throw new Error(`sample ${i} differs`);
    expect(Math.max(...client.frames.map(({ samples }) => samples))).toBe(320);
  });

  it('gives at another rate the samples that HTTP gives, also from the middle of a sentence on', async () => {
    const one = await start();
    const text = story.slice(0, 120);
    for (const sample_rate of [8_000, 24_000, 44_100]) {
      const whole = await connect(one);
      whole.say({ type: 'open', sample_rate, chunk_seconds: 0.1, id: `atrate${sample_rate}` });
      whole.say({ type: 'text', text });
      whole.say({ type: 'finish' });
      const { samples } = await whole.get('end');
      expect(await whole.get('opened')).toMatchObject({ sample_rate, voice_sample_rate: 16_000 });
      const wanted = whole.pcm();
      const path = `/v1/utterances/atrate${sample_rate}/audio?format=pcm&sample_rate=${sample_rate}`;
      expect(wanted.equals(await bytes(await one.get(path)))).toBe(true);
      expect(wanted.length / 2).toBe(Math.round((samples * sample_rate) / 16_000));
      let next = 0;
      for (const frame of whole.frames) {
        expect(frame.utteranceSample).toBe(next);
        next += frame.samples;
      }
      expect(next).toBe(samples);
      for (const share of [0.01, 0.4, 0.75, 0.999]) {
        const heard = whole.frames.slice(0, Math.ceil(share * whole.frames.length));
        const rest = await connect(one);
        const position = positionOf(heard);
        rest.say({ type: 'resume', utterance: `atrate${sample_rate}`, position, sample_rate });
        await rest.get('end');
        const parts = [...heard.map(({ pcm }) => pcm), rest.pcm()];
        expect(Buffer.concat(parts).equals(wanted), `${sample_rate} from ${position}`).toBe(true);
        rest.drop();
      }
    }
  });

  it('flushes what is held and says when that was sent; goes on; finishes', async () => {
    const client = await connect(await start());
    const order: string[] = [];
    client.ws.on('message', (data, isBinary) => {
      if (isBinary) return;
      const message = JSON.parse(String(data)) as ServerMessage;
      if (message.type === 'flushed') order.push(`flushed ${message.nonce}`);
      if (message.type === 'segment_end') order.push(`segment ${message.segment}`);
    });
    client.say({ type: 'text', text: 'an unfinished thought' });
    client.say({ type: 'flush', nonce: 'one' });
    client.say({ type: 'flush', nonce: 2 });
    await until(() => order.length === 3, { what: 'both flushes' });
    client.say({ type: 'flush', nonce: 3 });
    await until(() => order.length === 4, { what: 'a flush of nothing' });
    client.say({ type: 'text', text: ' and its end.' });
    client.say({ type: 'finish' });
    await client.get('end');
    expect(order).toEqual(['segment 0', 'flushed one', 'flushed 2', 'flushed 3', 'segment 1']);
  });

  it('speaks what is held when no text has come for so long', async () => {
    const client = await connect(await start());
    client.say({ type: 'open', idle_flush_ms: 60 });
    client.say({ type: 'text', text: 'nobody ends this' });
    expect(await client.get('segment_start')).toMatchObject({ spoken: 'nobody ends this' });
  });

  it('resets: nothing more of the old utterance, a new one under the same name', async () => {
    const one = await start({ realTimeFactor: 0.5 });
    const client = await connect(one);
    client.say({ type: 'text', text: story });
    await client.heard(1);
    client.say({ type: 'reset', nonce: 'r' });
    await client.get('reset_done');
    const frames = client.frames.length;
    const [old, fresh] = client.all('opened');
    expect(fresh).toMatchObject({ context: 'main', context_number: 1, voice: 'tone' });
    client.say({ type: 'text', text: 'Something else.' });
    client.say({ type: 'finish' });
    await client.get('end');
    expect(client.frames.slice(frames).every(({ contextNumber }) => contextNumber === 1)).toBe(true);
    expect(client.pcm(1).equals(await whole(one, 'Something else.'))).toBe(true);
    await until(async () => (await one.embedded.store.get(old!.utterance))?.cancelled, {
      what: 'cancellation',
    });
  });

  it('cancels at once: no audio behind the answer, nothing more is made', async () => {
    const one = await start({ realTimeFactor: 0.5 });
    const client = await connect(one);
    const { utterance } = await (async () => {
      client.say({ type: 'text', text: story.repeat(3) });
      await client.heard(1);
      return client.get('opened');
    })();
    client.say({ type: 'text', text: 'still on its way' });
    client.say({ type: 'cancel' });
    await client.get('cancelled');
    const frames = client.frames.length;
    await until(async () => (await one.backlogSeconds()) === 0, { what: 'the work to stop' });
    expect(await one.embedded.store.isCancelled(utterance)).toBe(true);
    expect(client.frames.length).toBe(frames);
    expect(client.all('opened')).toHaveLength(1);
    client.say({ type: 'cancel', context: 'never' });
    await client.get('cancelled', 'never');
  });

  it('has several contexts beside each other, each exact', async () => {
    const one = await start();
    const client = await connect(one);
    const names = ['a', 'b', 'c'];
    for (const token of story.split(/(?<= )/))
      for (const context of names) client.say({ type: 'text', context, text: token });
    for (const context of names) client.say({ type: 'finish', context });
    for (const context of names) await client.get('end', context);
    const wanted = await whole(one, story);
    for (const { context_number } of client.all('opened'))
      expect(client.pcm(context_number).equals(wanted)).toBe(true);
  });

  it('ends an empty context with an end', async () => {
    const client = await connect(await start());
    client.say({ type: 'open' });
    client.say({ type: 'finish' });
    expect(await client.get('end')).toMatchObject({ segments: 0, samples: 0 });
  });

  it('tells of a sentence that fails, and ends the context; text on its way opens no other', async () => {
    const client = await connect(await start());
    client.say({ type: 'text', text: 'Good. This {{tone:fail}} is bad. Good again. ' });
    const error = await client.get('error');
    expect(error).toMatchObject({ context: 'main', fatal: true, error: { segment: 1 } });
    client.say({ type: 'text', text: 'More.' });
    await until(() => client.all('error').length === 2, { what: 'the second error' });
    expect(client.all('error')[1]).toMatchObject({ fatal: false, error: { param: 'context' } });
    client.say({ type: 'open' });
    client.say({ type: 'text', text: 'More.' });
    client.say({ type: 'finish' });
    await client.get('end');
  });
});

describe('a session that is taken up again', () => {
  it('goes on at the very sample, wherever the socket broke, and hears what it would have heard', async () => {
    const one = await start();
    const wanted = await whole(one, story);
    for (const at of [0, 1, 5_000, 31_111, wanted.length / 2 - 1]) {
      const first = await connect(one);
      first.say({ type: 'open', chunk_seconds: 0.05, credit: 'client' });
      first.say({ type: 'text', text: story.slice(0, 100) });
      const { utterance } = await first.get('opened');
      if (at > 50_000) {
        first.say({ type: 'text', text: story.slice(100), offset: 100 });
        first.say({ type: 'finish' });
      }
      await first.get('received');
      await first.heard(Math.min(at, 20_000));
      first.drop();
      await first.closed;

      const second = await connect(one);
      second.say({ type: 'resume', context: 'again', utterance, position: positionOf(first.frames) });
      const resumed = await second.get('resumed');
      expect(resumed.text_complete).toBe(
        at > 50_000 && resumed.offset === story.length && resumed.text_complete,
      );
      if (!resumed.text_complete) {
        const text = story.slice(resumed.offset);
        second.say({ type: 'text', context: 'again', text, offset: resumed.offset });
        second.say({ type: 'finish', context: 'again' });
      }
      const end = await second.get('end');
      expect(end.samples).toBe(wanted.length / 2);
      expect(Buffer.concat([first.pcm(), second.pcm()]).equals(wanted)).toBe(true);
      const [next] = second.frames;
      if (next) expect(next.utteranceSample).toBe(first.pcm().length / 2);
    }
  });

  it('may be resumed at its end, and by a socket that takes what it was not sent', async () => {
    const one = await start();
    const first = await connect(one);
    first.say({ type: 'open', id: 'myutterance1' });
    first.say({ type: 'text', text: 'One. Two.' });
    first.say({ type: 'finish' });
    await first.get('end');
    const second = await connect(one);
    second.say({ type: 'resume', utterance: 'myutterance1', position: positionOf(first.frames) });
    expect(await second.get('end')).toMatchObject({ segments: 2, samples: first.pcm().length / 2 });
    expect(second.frames).toEqual([]);
    expect(second.all('segment_end')).toMatchObject([{ segment: 1 }]);
    expect(await second.get('resumed')).toMatchObject({ text_complete: true, offset: 9 });
    second.say({ type: 'open', id: 'myutterance1' });
    expect(await second.get('error')).toMatchObject({ error: { code: 'utterance_exists' } });
  });

  it('hears an utterance that was given whole over HTTP', async () => {
    const one = await start();
    const created = await one.post('/v1/utterances', { input: story });
    const { id } = (await created.json()) as { id: string };
    const client = await connect(one);
    client.say({ type: 'resume', utterance: id, position: '2:10' });
    await client.get('end');
    const wanted = await whole(one, story);
    const from = client.frames[0]!.utteranceSample;
    expect(client.pcm().equals(wanted.subarray(2 * from))).toBe(true);
    expect(client.all('segment_start')[0]).toMatchObject({
      segment: 2,
      spoken: expect.stringContaining('number 2'),
    });
    client.say({ type: 'text', text: 'x' });
  });

  it('is refused for what is unknown, cancelled, or behind the end', async () => {
    const one = await start();
    const client = await connect(one);
    const codeOf = async (utterance: string, position: string, context: string, rate = {}) => {
      client.say({ type: 'resume', context, utterance, position, ...rate });
      return (await client.get('error', context)).error.code;
    };
    expect(await codeOf('unknown123', '0:0', 'a')).toBe('utterance_not_found');
    const created = await one.post('/v1/utterances', { input: 'One.' });
    const { id } = (await created.json()) as { id: string };
    expect(await codeOf(id, '7:0', 'b')).toBe('range_not_satisfiable');
    expect(await codeOf(id, '0:999999', 'c')).toBe('range_not_satisfiable');
    expect(await codeOf(id, '0:999999', 'e', { sample_rate: 8000 })).toBe('range_not_satisfiable');
    await one.remove(`/v1/utterances/${id}`);
    expect(await codeOf(id, '0:0', 'd')).toBe('cancelled');
  });

  it('is cancelled when nobody does, and nobody else listens to it', async () => {
    const one = await start({ idleMs: 300 });
    const client = await connect(one);
    client.say({ type: 'open', context: 'unfinished' });
    client.say({ type: 'text', context: 'unfinished', text: 'One. Two. And then' });
    client.say({ type: 'text', context: 'finished', text: story });
    client.say({ type: 'finish', context: 'finished' });
    await client.get('opened', 'finished');
    await client.get('end', 'finished');
    client.drop();
    for (const { utterance } of client.all('opened'))
      await until(() => one.embedded.store.isCancelled(utterance), { what: 'the cancellation' });
  });

  it('is held by its socket while nothing is said, and by whoever listens to it', async () => {
    const one = await start({ idleMs: 1_500, realTimeFactor: 0.2 });
    const held: string[] = [];
    const { hold } = one.embedded.store;
    Object.assign(one.embedded.store, {
      hold: (id: string, as: string) => {
        held.push(`${id} ${as}`);
        return hold(id, as as 'writer');
      },
    });
    const client = await connect(one);
    client.say({ type: 'text', text: story });
    const { utterance } = await client.get('opened');
    const listener = await one.get(`/v1/utterances/${utterance}/audio?format=pcm`);
    const times = (who: string) => held.filter((one) => one === `${utterance} ${who}`).length;
    await until(() => times('writer') >= 2, { what: 'the socket to hold it' });
    await until(() => times('listener') >= 2, { what: 'the listeners to hold it' });
    await listener.body?.cancel();
  });
});

describe('a hostile or clumsy client', () => {
  it.each<[string, unknown, string]>([
    ['no JSON', '{"type"', 'invalid_request'],
    ['no object', 'null', 'invalid_request'],
    ['an unknown type', { type: 'shout' }, 'invalid_request'],
    ['an unknown field', { type: 'text', text: 'x', loud: true }, 'unknown_field'],
    ['a binary frame', Buffer.from([1, 2, 3]), 'invalid_request'],
    ['half of a character alone', { type: 'text', text: 'a\udc00' }, 'invalid_encoding'],
    ['a control character', { type: 'text', text: 'a\u0007' }, 'invalid_request'],
    ['too long a message', { type: 'text', text: 'x'.repeat(300_000) }, 'payload_too_large'],
    ['too long a text', { type: 'text', text: 'word '.repeat(300) }, 'text_too_long'],
    ['an offset that leaves a gap', { type: 'text', text: 'x', offset: 99 }, 'invalid_request'],
    ['a second open', { type: 'open' }, 'invalid_request'],
    ['a flush of nobody', { type: 'flush', context: 'nobody', nonce: 1 }, 'invalid_request'],
    ['very many values', `{"type":"open","settings":${'['.repeat(9_000)}`, 'invalid_request'],
  ])('that sends %s is told, and nothing has changed', async (_, message, code) => {
    const one = await start();
    const client = await connect(one);
    client.say({ type: 'text', text: 'One. ' });
    await client.get('received');
    client.ws.send(
      typeof message === 'string' || message instanceof Buffer ? message : JSON.stringify(message),
    );
    expect(await client.get('error')).toMatchObject({ fatal: false, error: { code } });
    client.say({ type: 'text', text: 'Two.', offset: 5 });
    client.say({ type: 'finish' });
    await client.get('end');
    expect(client.pcm().equals(await whole(one, 'One. Two.'))).toBe(true);
  });

  it.each([
    ['{"type":"text"', undefined, /not valid JSON; send an object .*"type": "text"/],
    ['["text"]', undefined, /no JSON object; send/],
    ['{"text":"a"}', 'type', /no 'type'; there are open, text, flush/],
    ['{"type":"say"}', 'type', /no message of type "say"; there are open, text/],
    ['{"type":"text","text":7}', 'text', /message 'text'.*'text'.*expected string/],
    ['{"type":"text","text":"a","loud":1}', 'loud', /'text' has no field 'loud'; .*context, text, offset/],
    ['{"type":"open","settings":{"noise":1}}', 'settings.noise', /no field 'settings.noise'/],
    ['{"type":"resume","utterance":"abcdefgh","position":"x"}', 'position', /'position'/],
  ])('that sends %s hears which field is wrong and what to send', async (message, param, words) => {
    const client = await connect(await start());
    client.ws.send(message);
    const { error } = await client.get('error');
    expect(error.message).toMatch(words);
    expect(error.param).toBe(param ?? null);
  });

  it('may cut a character in two, and repeat what it has sent', async () => {
    const one = await start();
    const client = await connect(one);
    const text = 'A smile 😀 is here. And more.';
    client.say({ type: 'text', text: text.slice(0, 9), offset: 0 });
    client.say({ type: 'text', text: text.slice(9, 15), offset: 9 });
    client.say({ type: 'text', text: text.slice(5, 20), offset: 5 });
    client.say({ type: 'text', text: text.slice(20) });
    client.say({ type: 'finish' });
    await client.get('end');
    expect(client.pcm().equals(await whole(one, text))).toBe(true);
  });

  it.each<[string, (client: SessionClient) => void, number]>([
    ['a far too long message', ({ ws }) => ws.send('x'.repeat(1_100_000)), 1009],
    ['text that is not UTF-8', ({ ws }) => ws.send(Buffer.from([0xff, 0xfe]), { binary: false }), 1007],
  ])('that sends %s loses its socket with a code that says why', async (_, act, code) => {
    const client = await connect(await start());
    act(client);
    expect(await client.closed).toBe(code);
  });

  it('that opens 10,000 contexts has 64', async () => {
    const one = await start({ limits: { maxOpenUtterances: 10_000 } });
    const client = await connect(one);
    for (let n = 0; n < 10_000; n++) client.say({ type: 'open', context: `c${n}` });
    await until(() => client.all('error').length === 10_000 - 64, {
      what: 'the refusals',
      timeoutMs: 30_000,
    });
    expect(client.all('opened')).toHaveLength(64);
    expect(client.all('error')[0]).toMatchObject({ fatal: false, error: { code: 'rate_limited' } });
    client.say({ type: 'cancel', context: 'c0' });
    await client.get('cancelled', 'c0');
    client.say({ type: 'open', context: 'later' });
    await client.get('opened', 'later');
  });

  it('that floods with flushes is answered each of them or told', async () => {
    const client = await connect(await start());
    client.say({ type: 'text', text: 'Something that goes on' });
    for (let nonce = 0; nonce < 5_000; nonce++) client.say({ type: 'flush', nonce });
    client.say({ type: 'finish' });
    await client.get('end');
    const answers = client.all('flushed').length + client.all('error').length;
    expect(answers).toBe(5_000);
    expect(client.all('flushed').map(({ nonce }) => nonce)).toEqual(
      client
        .all('flushed')
        .map(({ nonce }) => nonce)
        .sort((a, b) => Number(a) - Number(b)),
    );
  });

  it('whose text never ends a sentence is spoken all the same, up to the limit', async () => {
    const client = await connect(await start({ limits: { maxSpeechCharacters: 5_000 } }));
    for (let n = 0; n < 600; n++)
      client.say({ type: 'text', text: 'endless words ' } satisfies ClientMessage);
    await client.get('segment_end');
    expect(await client.get('error')).toMatchObject({ fatal: false, error: { code: 'text_too_long' } });
    client.say({ type: 'cancel' });
    await client.get('cancelled');
  });

  it('that stops reading stops the work, though it never says what it takes', async () => {
    const one = await start({ limits: { maxSpeechCharacters: 100_000 } });
    // A quarter of a megabyte of samples for each sentence: one or two fill what may be on its way to a silent client.
    const sentence = `The river turns ${'around the stone and the morning wind '.repeat(3)}.`;
    const client = await connect(one);
    client.say({ type: 'open' });
    const { utterance } = await client.get('opened');
    client.ws.pause();
    client.say({ type: 'text', text: Array.from({ length: 40 }, () => sentence).join(' ') });
    client.say({ type: 'finish' });
    const state = async () => (await one.embedded.store.get(utterance))!;
    await until(async () => (await state()).sealed && (await state()).finished >= 6, { what: 'the window' });
    let before = -1;
    let still = 0;
    await until(
      async () => {
        const { finished, released } = await state();
        still = finished === before && finished === released ? still + 1 : 0;
        before = finished;
        return still === 20;
      },
      { what: 'the work to stop', everyMs: 20 },
    );
    expect(before).toBeLessThan(20);
  });

  it('that reads nothing costs no more than its window, and hears all when it reads', async () => {
    const one = await start({ limits: { maxSpeechCharacters: 100_000 } });
    const text = `${'The river turns around the stone and the morning wind. '.repeat(12)}`;
    const client = await connect(one);
    client.ws.pause();
    client.say({ type: 'open', credit: 'client' });
    client.say({ type: 'text', text });
    client.say({ type: 'finish' });
    await until(async () => (await one.backlogSeconds()) > 0, { what: 'the text to be planned' });
    client.ws.resume();
    const { utterance: id } = await client.get('opened');
    await until(async () => (await one.embedded.store.get(id))?.finished === 6, { what: 'six sentences' });
    expect((await one.embedded.store.get(id))?.released).toBe(6);
    client.ws.on('message', (_, isBinary) => {
      if (isBinary) client.say({ type: 'taken', position: positionOf(client.frames) });
    });
    client.say({ type: 'taken', position: positionOf(client.frames) });
    await client.get('end');
    expect(client.pcm().equals(await whole(one, text, { class: 'bulk' }))).toBe(true);
  });
});

describe('a gateway', () => {
  it('that goes down says so, and where the text is: the socket closes with 1001', async () => {
    const one = await serve();
    const client = await connect(one);
    client.say({ type: 'text', text: 'One. And' });
    await client.get('received');
    await one.close();
    expect(await client.closed).toBe(1001);
  });

  it('tells whoever asks without a WebSocket what it is', async () => {
    const one = await start();
    const response = await one.get('/v1/speech/session');
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining('WebSocket') } });
  });
});

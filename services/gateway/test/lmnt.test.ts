import { once } from 'node:events';
import { createEncoder, parseWav, pcmSamples } from '@rhapsode/audio';
import { toneLength, toneSamples } from '@rhapsode/voices';
import { afterEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { decode } from '../../../test/support/decode.ts';
import { until, within } from '../../../test/support/wait.ts';
import { type ServeOptions, serve } from './serve.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

type Heard = { readonly type?: string } & Record<string, unknown>;

async function start(options?: ServeOptions) {
  const served = await serve(options);
  closers.push(() => served.close());
  const connect = async (first?: object) => {
    const socket = new WebSocket(`${served.url.replace('http', 'ws')}/v1/ai/speech/stream`);
    closers.push(() => socket.terminate());
    const told: Heard[] = [];
    const frames: Buffer[] = [];
    /** What came, in its order: names of messages, and `audio`. */
    const order: string[] = [];
    socket.on('message', (data, isBinary) => {
      const name = isBinary ? 'audio' : nameOf(JSON.parse(String(data)));
      if (isBinary) frames.push(data as Buffer);
      else told.push(JSON.parse(String(data)));
      order.push(name);
    });
    const closed = once(socket, 'close').then(([code]) => code as number);
    await once(socket, 'open');
    const send = (message: object | string) =>
      socket.send(typeof message === 'string' ? message : JSON.stringify(message));
    if (first) send(first);
    return {
      socket,
      told,
      order,
      send,
      audio: () => Buffer.concat(frames),
      closed: () => within(closed, { what: 'the socket to be closed', timeoutMs: 20_000 }),
    };
  };
  return { ...served, connect };
}

const nameOf = (message: Heard): string =>
  message.type ?? (['complete', 'durations', 'error'].find((key) => key in message) as string);

const sentence = 'The river turns around the stone.';
const spoken = (segment = 0) => toneSamples(0, segment, 0, toneLength(sentence));
const third = { 'X-API-Key': 'any', 'lmnt-version': '1.1', voice: 'tone' };
const raw = { format: 'raw', sample_rate: 16_000 };

describe('the socket of LMNT’s API', () => {
  it.each([
    ['raw', 16_000, (bytes: Buffer) => pcmSamples(bytes)],
    ['pcm_s16le', 16_000, (bytes: Buffer) => pcmSamples(bytes)],
    [
      'pcm_f32le',
      16_000,
      (bytes: Buffer) =>
        Int16Array.from(new Float32Array(new Uint8Array(bytes).buffer), (sample) => sample * 32_768),
    ],
    ['wav', 16_000, (bytes: Buffer) => parseWav(bytes).pcm],
  ])('gives %s, sample for sample', async (format, sample_rate, decode) => {
    const { connect } = await start();
    const { send, audio, closed, order } = await connect({ ...third, format, sample_rate });
    send({ type: 'text', text: sentence });
    send({ type: 'finish' });
    expect(await closed()).toBe(1000);
    expect(new Set(order)).toEqual(new Set(['ready', 'audio']));
    expect(decode(audio())).toEqual(spoken());
  });

  it('gives µ-law behind a WAV header, at 8000 Hz if nothing else is asked for', async () => {
    const { connect } = await start();
    const { send, audio, closed } = await connect({ ...third, format: 'ulaw' });
    send({ type: 'text', text: sentence });
    send({ type: 'finish' });
    await closed();
    const bytes = audio();
    expect(bytes.toString('latin1', 0, 16)).toMatch(/^RIFF....WAVEfmt /s);
    expect([20, 22, 34].map((at) => bytes.readUInt16LE(at))).toEqual([7, 1, 8]);
    expect(bytes.readUInt32LE(24)).toBe(8000);
    expect(bytes.toString('latin1', 50, 54)).toBe('data');
    expect(bytes.length - 58).toBe(toneLength(sentence) / 2);
  });

  it('gives mp3 at 24 kHz unless told otherwise, all of it at each flush', async () => {
    const { connect } = await start();
    const { send, audio, closed, told } = await connect(third);
    send({ type: 'text', text: sentence });
    send({ type: 'flush', nonce: 1 });
    await until(() => told.some(({ type }) => type === 'flush_complete'), { what: 'the flush' });
    const encoder = await createEncoder('mp3', { sampleRateHz: 16_000, wantedRateHz: 24_000 });
    const pause = new Int16Array(16_000 * 0.35);
    const parts = [
      encoder.header(),
      await encoder.push(spoken()),
      await encoder.push(pause),
      await encoder.finish(),
    ];
    await encoder.close();
    expect(audio().equals(Buffer.concat(parts))).toBe(true);
    send({ type: 'finish' });
    expect(await closed()).toBe(1000);
  });

  it('counts times of words from the beginning of the session’s audio', async () => {
    const { connect } = await start();
    const { send, closed, told } = await connect({ ...third, ...raw, return_timestamps: true });
    send({ type: 'text', text: `${sentence} ${sentence}` });
    send({ type: 'finish' });
    await closed();
    const words = told.flatMap(
      ({ timestamps }) => (timestamps ?? []) as { text: string; start: number; duration: number }[],
    );
    expect(words.map(({ text }) => text).join(' ')).toContain('river turns around');
    const second = words[words.length / 2]!;
    expect(second.text).toBe('The');
    expect(second.start).toBeCloseTo(toneLength(sentence) / 16_000 + 0.35, 5);
  });

  it('tells the three ways of speaking apart by the first message', async () => {
    const { connect } = await start();
    const [one, two, three] = await Promise.all([
      connect({ voice: 'tone', ...raw, send_extras: true }),
      connect({ voice: 'tone', ...raw, send_extras: true, protocol_version: 2 }),
      connect({ ...third, ...raw, return_timestamps: true }),
    ]);
    const text = 'Oh.';
    for (const message of [{ text }, { flush: true }, { text }, { eof: 'true' }]) one.send(message);
    for (const message of [{ text }, { command: 'flush', nonce: 5 }, { text }, { command: 'eof' }])
      two.send(message);
    for (const message of [
      { type: 'text', text },
      { type: 'flush', nonce: 6 },
      { type: 'text', text },
      { type: 'finish' },
    ])
      three.send(message);
    expect(await Promise.all([one.closed(), two.closed(), three.closed()])).toEqual([1000, 1000, 1000]);
    // In the first generation a frame follows every message.
    expect(one.order.filter((_, at) => at % 2 === 0).every((name) => name === 'durations')).toBe(true);
    expect(one.order.filter((_, at) => at % 2 === 1).every((name) => name === 'audio')).toBe(true);
    expect(one.told.filter(({ buffer_empty }) => buffer_empty === true)).toHaveLength(2);
    expect(two.told.filter(({ complete }) => complete)).toEqual([
      { type: 'complete', complete: 'flush', nonce: 5 },
    ]);
    expect(three.told.map(({ type }) => type)).toEqual([
      'ready',
      'timestamps',
      'flush_complete',
      'timestamps',
    ]);
    const pcm = one.audio();
    expect(two.audio().equals(pcm) && three.audio().equals(pcm)).toBe(true);
  });

  it.each([true, 'True'])(
    'gives extras to clients in Python of the second series, which ask for them as %j',
    async (asked) => {
      const { connect } = await start();
      const { send, closed, order } = await connect({
        voice: 'tone',
        format: 'raw',
        sample_rate: '16000',
        return_extras: asked,
      });
      for (const message of [{ text: 'Oh.' }, { eof: true }]) send(message);
      expect(await closed()).toBe(1000);
      expect(order.filter((_, at) => at % 2 === 0).every((name) => name === 'durations')).toBe(true);
    },
  );

  it('acknowledges flushes and resets of nothing', async () => {
    const { connect } = await start();
    const { send, closed, told, audio } = await connect({ ...third, ...raw });
    for (const nonce of [1, 'two', null]) {
      send({ type: 'flush', nonce });
      send({ type: 'reset', nonce });
    }
    send({ type: 'text', text: '' });
    send({ type: 'finish' });
    expect(await closed()).toBe(1000);
    expect(audio()).toHaveLength(0);
    expect(told.slice(1).map(({ type, nonce }) => [type, nonce])).toEqual(
      [1, 'two', null].flatMap((nonce) => [
        ['flush_complete', nonce],
        ['reset_complete', nonce],
      ]),
    );
  });

  it('says what it does not honour', async () => {
    const { connect } = await start();
    const { send, closed, told } = await connect({
      voice: 'tone',
      ...raw,
      send_extras: true,
      language: 'de',
      expressive: 2,
    });
    send({ text: 'Oh.' });
    send({ eof: true });
    await closed();
    expect(told.map(({ warning }) => warning).filter(Boolean)).toEqual([
      'not honoured by this voice: language, expressive',
    ]);
  });

  const text = { type: 'text', text: sentence };
  it.each([
    ['no JSON', ['{"voice'], 'invalid_request_error', 1],
    ['an unknown voice', [{ ...third, voice: 'lily' }], 'not_found_error', 3],
    ['no voice', [{ 'lmnt-version': '1.1' }], 'invalid_request_error', 3],
    ['another format', [{ ...third, format: 'webm' }], 'invalid_request_error', 3],
    ['another rate', [{ ...third, sample_rate: 12_345 }], 'invalid_request_error', 3],
    ['too high a speed', [{ ...third, speed: 9 }], 'invalid_request_error', 3],
    ['an unknown message', [third, { type: 'sing' }], 'invalid_request_error', 3],
    ['a message of nothing', [third, {}], 'invalid_request_error', 3],
    ['a text that is none', [third, { type: 'text', text: 7 }], 'invalid_request_error', 3],
    ['a control character', [third, { type: 'text', text: 'bell \u0007' }], 'invalid_request_error', 3],
    ['too long a text', [third, { type: 'text', text: 'word '.repeat(800) }], 'invalid_request_error', 3],
    [
      'a sentence that fails',
      [third, { ...text, text: '{{tone:fail}} Oh.' }, { type: 'finish' }],
      'internal_server_error',
      3,
    ],
  ] as const)('tells of %s and ends the session', async (_, messages, type, generation) => {
    const { connect, backlogSeconds } = await start();
    const { send, closed, told } = await connect();
    for (const message of messages) send(message as object | string);
    expect(await closed()).toBe(type === 'internal_server_error' ? 1011 : 1008);
    const last = told.at(-1)!;
    if (generation === 3)
      expect(last).toEqual({
        type: 'error',
        error: { type, message: expect.any(String) },
        request_id: expect.any(String),
      });
    else expect(last.error ?? last).toBeTruthy();
    await until(async () => (await backlogSeconds()) === 0, { what: 'nothing to be left' });
  });

  it('refuses binary messages, and answers pings', async () => {
    const { connect } = await start();
    const { socket, closed, told } = await connect(third);
    socket.ping('are you there');
    expect(String(((await once(socket, 'pong')) as [Buffer])[0])).toBe('are you there');
    socket.send(Buffer.from('{}'));
    expect(await closed()).toBe(1008);
    expect(told.at(-1)).toMatchObject({ error: { type: 'invalid_request_error' } });
  });

  it.each(['close', 'terminate'] as const)('makes nothing more after a %s', async (how) => {
    const { connect, backlogSeconds } = await start({ realTimeFactor: 0.5 });
    const { socket, send, order } = await connect({ ...third, ...raw });
    send({ type: 'text', text: `${sentence} `.repeat(6) });
    await until(() => order.includes('audio'), { what: 'the first audio' });
    socket[how]();
    await until(async () => (await backlogSeconds()) === 0, { what: 'it to be cancelled' });
  });

  it('makes only a few sentences for a client that does not read', async () => {
    const { connect, embedded } = await start({ limits: { maxSpeechCharacters: 1_000_000 } });
    const { store } = embedded;
    let id = '';
    const create = store.create.bind(store);
    store.create = (utterance, limits) => {
      id = utterance.id;
      return create(utterance, limits);
    };
    const long = `${sentence} `.repeat(40);
    const { socket, send, order, closed, audio } = await connect({ ...third, ...raw });
    await until(() => order.includes('ready'), { what: 'ready' });
    socket.pause();
    send({ type: 'text', text: long });
    send({ type: 'finish' });
    let before = -1;
    await until(
      async () => {
        const released = (await store.get(id))?.released ?? -2;
        const still = released === before && released > 0;
        before = released;
        return still;
      },
      { what: 'the work to stop', everyMs: 300 },
    );
    expect(before).toBeLessThan(35);
    socket.resume();
    expect(await closed()).toBe(1000);
    expect(audio().length / 2).toBe(40 * toneLength(sentence) + 39 * 5_600);
  });
});

describe('LMNT’s API over HTTP', () => {
  const ask = { voice: 'tone', text: sentence, format: 'raw', sample_rate: 16_000 };

  it('takes a form as well as JSON', async () => {
    const { post, url } = await start();
    const form = new FormData();
    for (const [name, value] of Object.entries({ ...ask, seed: 7, return_durations: 'true' }))
      form.append(name, String(value));
    const fields = new URLSearchParams(
      [...form].map(([name, value]): [string, string] => [name, String(value)]),
    );
    const answers = await Promise.all([
      fetch(`${url}/v1/ai/speech`, { method: 'POST', body: form }),
      fetch(`${url}/v1/ai/speech`, { method: 'POST', body: fields }),
      post('/v1/ai/speech', { ...ask, seed: 7, return_durations: true }),
    ]);
    const [fromForm, fromFields, fromJson] = await Promise.all(answers.map((answer) => answer.json()));
    expect(fromForm).toEqual(fromJson);
    expect(fromFields).toEqual(fromJson);
    expect(fromJson).toMatchObject({ seed: 7, durations: expect.any(Array) });
    const samples = pcmSamples(Buffer.from((fromJson as { audio: string }).audio, 'base64'));
    expect(samples).toEqual(toneSamples(7, 0, 0, toneLength(sentence)));
  });

  it.each(['mp3', 'wav', 'ulaw'])('tells in a whole %s how long it is', async (format) => {
    const { post } = await start();
    const answer = await post('/v1/ai/speech', { ...ask, format, sample_rate: 24_000 });
    const { audio } = (await answer.json()) as { audio: string };
    const bytes = Buffer.from(audio, 'base64');
    const samples = (toneLength(sentence) * 3) / 2;
    if (format !== 'mp3') {
      const head = format === 'wav' ? 44 : 58;
      expect([bytes.readUInt32LE(4) + 8, bytes.readUInt32LE(head - 4) + head]).toEqual([
        bytes.length,
        bytes.length,
      ]);
    }
    const { pcm, complaints } = await decode(bytes, format === 'mp3' ? 'mp3' : 'wav');
    expect([pcm.length, complaints]).toEqual([samples, '']);
  });

  it('lists its voices for the clients in Python, which write flags their way', async () => {
    const { url } = await start();
    const list = async (starred: string) =>
      (await fetch(`${url}/v1/ai/voice/list?starred=${starred}&owner=all`)).json();
    expect(await list('False')).toEqual(expect.arrayContaining([expect.objectContaining({ id: 'tone' })]));
    expect(await list('True')).toEqual([]);
  });

  it('says what to do instead of a length, and takes one that is null', async () => {
    const { post } = await start();
    const refused = await post('/v1/ai/speech', { ...ask, length: 3 });
    expect(((await refused.json()) as { error: string }).error).toContain("use 'speed'");
    expect((await post('/v1/ai/speech', { ...ask, length: null })).status).toBe(200);
  });

  it.each([
    ['raw', 'audio/pcm'],
    ['mulaw', 'audio/wav'],
  ])('gives %s to Vercel’s AI SDK, which calls the format otherwise', async (response_format, type) => {
    const { post } = await start();
    const fields = { model: 'aurora', voice: 'tone', text: sentence, response_format };
    const answer = await post('/v1/ai/speech/bytes', fields);
    expect(answer.headers.get('content-type')).toBe(type);
    await answer.bytes();
  });

  it('streams while it is made, and says what it does not honour', async () => {
    const { post } = await start();
    const answer = await post('/v1/ai/speech/bytes', { ...ask, format: 'mp3', top_p: 0.3 });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('audio/mpeg');
    expect(answer.headers.get('x-rhapsode-warning')).toBe('not honoured by this voice: top_p');
    expect(answer.headers.get('request-id')).toBe(answer.headers.get('x-request-id'));
    expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(1_000);
  });

  it.each([
    ['no text', { ...ask, text: '' }, 400, 'invalid_request_error'],
    ['an unknown voice', { ...ask, voice: 'lily' }, 404, 'not_found_error'],
    ['a length', { ...ask, length: 3 }, 400, 'invalid_request_error'],
    ['another format', { ...ask, format: 'ogg' }, 400, 'invalid_request_error'],
    ['a failing sentence', { ...ask, text: '{{tone:fail}} Oh.' }, 500, 'internal_server_error'],
  ])('refuses %s, in the words of API 1.1 or of before', async (_, body, status, type) => {
    const { post } = await start();
    const now = await post('/v1/ai/speech/bytes', body, {
      headers: { 'content-type': 'application/json', 'lmnt-version': '1.1' },
    });
    expect(now.status).toBe(status);
    expect(await now.json()).toEqual({
      type: 'error',
      error: { type, message: expect.any(String) },
      request_id: now.headers.get('request-id'),
    });
    const before = await post('/v1/ai/speech', body);
    expect(before.status).toBe(status);
    expect(await before.json()).toEqual({ error: expect.any(String) });
  });

  it('answers a long text by the stream only, and the socket’s path by an error', async () => {
    const { post, get } = await start({ limits: { maxSpeechCharacters: 10_000 } });
    const long = { ...ask, text: 'word '.repeat(1_100) };
    expect((await post('/v1/ai/speech', long)).status).toBe(413);
    const streamed = await post('/v1/ai/speech/bytes', long);
    expect(streamed.status).toBe(200);
    await streamed.body!.cancel();
    expect((await get('/v1/ai/speech/stream')).status).toBe(400);
    expect(
      (await post('/v1/ai/speech', '--x', { headers: { 'content-type': 'multipart/form-data' } })).status,
    ).toBe(400);
    expect((await post('/v1/ai/speech', 'x', { headers: { 'content-type': 'text/plain' } })).status).toBe(
      415,
    );
  });
});

import { createLifecycle, createLog } from '@rhapsode/telemetry';
import { toneLength, toneSamples } from '@rhapsode/voices';
import { afterEach, describe, expect, it } from 'vitest';
import { speakEmbedded } from '../../../test/support/reference.ts';
import { until } from '../../../test/support/wait.ts';
import { connectWyoming, pcmOf, typesOf, type WyomingClient } from '../../../test/support/wyoming-client.ts';
import { encodeEvent, readEvents, type WyomingEvent } from '../src/wyoming/event.ts';
import { startWyoming } from '../src/wyoming/server.ts';
import { type ServeOptions, serve } from './serve.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(options?: ServeOptions) {
  const served = await serve(options);
  closers.push(() => served.close());
  const lifecycle = createLifecycle({ log: createLog({ service: 'test', level: 'silent' }), graceMs: 0 });
  const port = await startWyoming(served.deps, { host: '127.0.0.1', port: 0, lifecycle });
  closers.push(() => lifecycle.drain('the test is over'));
  const client = async () => {
    const one = await connectWyoming(port);
    closers.push(() => one.close());
    return one;
  };
  return { ...served, lifecycle, port, client };
}

const sentence = 'The river turns around the stone.';
const story = 'The bed light is off. The kitchen lights are on. Anything else?';

const chunksAreWhole = (events: Awaited<ReturnType<WyomingClient['until']>>) => {
  let samples = 0;
  for (const { type, data, payload } of events) {
    if (type !== 'audio-chunk') continue;
    expect(data).toEqual({
      rate: 16_000,
      width: 2,
      channels: 1,
      timestamp: Math.floor(samples / 16),
    });
    samples += payload.length / 2;
  }
};

describe('the Wyoming protocol', () => {
  it('describes itself so that a client finds the voices and may stream text', async () => {
    const { client } = await start();
    const { send, next } = await client();
    send('describe');
    const info = (await next())!;
    expect(info.type).toBe('info');
    const [program] = info.data.tts as [{ voices: { name: string }[] }];
    expect(program).toMatchObject({ name: 'rhapsode', installed: true, supports_synthesize_streaming: true });
    expect(program.voices.find(({ name }) => name === 'tone')).toEqual({
      name: 'tone',
      description: 'Test tone',
      version: null,
      attribution: { name: 'tone', url: '' },
      installed: true,
      languages: ['mul'],
      speakers: null,
    });
    expect(info.data.asr).toEqual([]);
  });

  it('speaks a whole text with every sample in its place', async () => {
    const { client } = await start();
    const { send, until } = await client();
    send('synthesize', { text: sentence, voice: { name: 'tone' } });
    const events = await until('audio-stop');
    expect(typesOf(events)).toEqual(['audio-start', 'audio-chunk', 'audio-stop']);
    expect(events[0]!.data).toEqual({ rate: 16_000, width: 2, channels: 1, timestamp: 0 });
    chunksAreWhole(events);
    expect(pcmOf(events)).toEqual(toneSamples(0, 0, 0, toneLength(sentence)));
  });

  it('speaks Home Assistant’s stream of words once, and while more come', async () => {
    const { client } = await start();
    const { send, next, until } = await client();
    const words = story.split(/(?<= )/);
    send('synthesize-start', { voice: { name: 'tone', speaker: null } });
    for (const word of words.slice(0, 6)) send('synthesize-chunk', { text: word });
    const first = [(await next())!, (await next())!];
    expect(typesOf(first)).toEqual(['audio-start', 'audio-chunk']);
    for (const word of words.slice(6)) send('synthesize-chunk', { text: word });
    send('synthesize', { text: story, voice: { name: 'tone' } });
    send('synthesize-stop');
    const events = [...first, ...(await until('synthesize-stopped'))];
    expect(typesOf(events)).toEqual(['audio-start', 'audio-chunk', 'audio-stop', 'synthesize-stopped']);
    chunksAreWhole(events);
    expect(pcmOf(events)).toEqual((await speakEmbedded(story)).pcm);
  });

  it('reads events however they arrive, and data in the header too', async () => {
    const { client } = await start();
    const { socket, frame, raw, next } = await client();
    socket.setNoDelay(true);
    const inline = JSON.stringify({ type: 'ping', data: { text: 'ä' } });
    for (const byte of Buffer.concat([Buffer.from(`${inline}\n`), frame('describe', {})]))
      raw(Uint8Array.of(byte));
    expect(await next()).toMatchObject({ type: 'pong', data: { text: 'ä' } });
    expect(await next()).toMatchObject({ type: 'info' });
    raw(Buffer.concat([frame('unheard-of', { a: 1 }, Buffer.from('\n\n')), frame('ping', {})]));
    expect(await next()).toMatchObject({ type: 'pong', data: {} });
  });

  it('reads a long event that comes byte by byte without looking at all of it again for each', async () => {
    const event = { type: 'synthesize', data: { text: 'word '.repeat(300_000) } };
    const bytes = [
      Buffer.from(`${JSON.stringify(event)}\n`),
      encodeEvent({ ...event, payload: Uint8Array.of(1, 2, 3) }),
      encodeEvent({ type: 'ping', data: {} }),
    ];
    async function* dripping() {
      for (const one of bytes) for (const byte of one) yield Uint8Array.of(byte);
    }
    const limits = { headerBytes: 2 << 20, dataBytes: 2 << 20, payloadBytes: 16 };
    const events: WyomingEvent[] = [];
    for await (const one of readEvents(dripping(), limits)) events.push(one);
    expect(events.map(({ type, data }) => [type, data])).toEqual([
      ['synthesize', event.data],
      ['synthesize', event.data],
      ['ping', {}],
    ]);
    expect([...events[1]!.payload!]).toEqual([1, 2, 3]);
  });

  it('answers the requests of one connection in their order', async () => {
    const { client } = await start();
    const { send, until } = await client();
    send('synthesize', { text: sentence });
    send('ping', { text: 'between' });
    send('synthesize-start');
    send('synthesize-chunk', { text: sentence });
    send('synthesize-stop');
    const events = await until('synthesize-stopped');
    const rest = ['audio-start', 'audio-chunk', 'audio-stop'];
    expect(typesOf(events)).toEqual([...rest, 'pong', ...rest, 'synthesize-stopped']);
  });

  it('obeys SSML, which may arrive in pieces', async () => {
    const { client } = await start();
    const { send, until } = await client();
    send('synthesize-start', { voice: { name: 'tone' }, text_format: 'ssml' });
    for (const text of ['<speak>Oh<bre', 'ak time="2s"/>', 'no.</speak>']) send('synthesize-chunk', { text });
    send('synthesize-stop');
    const pcm = pcmOf(await until('synthesize-stopped'));
    expect(pcm.length).toBe(toneLength('Oh') + 32_000 + toneLength('no.'));
  });

  it('gives no audio, and a good end, for a text without words', async () => {
    const { client } = await start();
    const { send, until } = await client();
    send('synthesize-start');
    send('synthesize-stop');
    expect(typesOf(await until('synthesize-stopped'))).toEqual([
      'audio-start',
      'audio-stop',
      'synthesize-stopped',
    ]);
  });

  it('answers all that was asked before the client closed its side', async () => {
    const { client } = await start();
    const { socket, frame, until } = await client();
    socket.end(frame('synthesize', { text: story }));
    const events = await until('never');
    expect(typesOf(events)).toEqual(['audio-start', 'audio-chunk', 'audio-stop']);
    expect(pcmOf(events)).toEqual((await speakEmbedded(story)).pcm);
  });

  it.each([
    ['mul', { type: 'audio-start', data: { rate: 16_000 } }],
    ['en_US', { type: 'audio-start', data: { rate: 22_050 } }],
    ['zz', { type: 'error', data: { code: 'voice_not_found' } }],
  ])('looks for a voice of the language %s', async (language, found) => {
    const { client } = await start();
    const { send, next } = await client();
    send('synthesize', { text: sentence, voice: { language } });
    expect(await next()).toMatchObject(found);
  });

  const header = (fields: object) => `${JSON.stringify(fields)}\n`;
  it.each([
    ['no JSON', '{"type": \n', 'invalid_request'],
    ['no type', header({ data: {} }), 'invalid_request'],
    ['no UTF-8', Buffer.from('{"type": "a\xff"}\n', 'latin1'), 'invalid_encoding'],
    ['a length below zero', header({ type: 'ping', data_length: -1 }), 'invalid_request'],
    ['much data', header({ type: 'ping', data_length: 1e9 }), 'payload_too_large'],
    ['a big payload', header({ type: 'ping', payload_length: 2e9 }), 'payload_too_large'],
    ['a header without an end', 'x'.repeat(3 << 20), 'payload_too_large'],
    ['data that is no object', `${header({ type: 'ping', data_length: 2 })}[]`, 'invalid_request'],
    ['an unknown voice', ['synthesize', { text: 'a', voice: { name: 'nobody' } }], 'voice_not_found'],
    ['no text', ['synthesize', {}], 'invalid_request'],
    ['too long a text', ['synthesize', { text: 'word '.repeat(800) }], 'text_too_long'],
    ['a control character', ['synthesize', { text: 'bell \u0007' }], 'invalid_request'],
    ['another kind of text', ['synthesize', { text: 'a', text_format: 'x' }], 'invalid_request'],
    ['SSML that is none', ['synthesize', { text: '<a', text_format: 'ssml' }], 'ssml_invalid'],
    ['a piece of no text', ['synthesize-chunk', { text: 'a' }], 'invalid_request'],
    ['a sentence that fails', ['synthesize', { text: 'It {{tone:fail}} fails.' }], 'synthesis_failed'],
  ] as const)('tells of %s and closes, with nothing left behind', async (_, input, code) => {
    const { client, backlogSeconds, metrics } = await start();
    const { send, raw, until: read } = await client();
    if (typeof input === 'string' || input instanceof Buffer) raw(input);
    else send(...(input as [string, Record<string, unknown>]));
    const events = await read('never');
    expect(typesOf(events)).toEqual(['error']);
    expect(events[0]!.data).toMatchObject({ code, text: expect.any(String) });
    await until(async () => (await backlogSeconds()) === 0, { what: 'nothing to be left' });
    expect((await metrics.render()).body).toContain(`rhapsode_rejected_total{reason="${code}"} 1`);
  });

  it('never ends a speech well that failed in its middle', async () => {
    const { client } = await start();
    const { send, until } = await client();
    send('synthesize', { text: `${sentence} It {{tone:fail}} fails.` });
    expect(typesOf(await until('never'))).toEqual(['audio-start', 'audio-chunk', 'error']);
  });

  it('gives up a text that stops coming', async () => {
    const { client, backlogSeconds } = await start({ limits: { textIdleSeconds: 0.05 } });
    const { send, until: read } = await client();
    send('synthesize-start');
    send('synthesize-chunk', { text: sentence });
    expect((await read('never')).at(-1)).toMatchObject({ type: 'error', data: { code: 'request_timeout' } });
    await until(async () => (await backlogSeconds()) === 0, { what: 'nothing to be left' });
  });

  it('takes only so many requests before their answers are read', async () => {
    const { client } = await start({ realTimeFactor: 1 });
    const { send, until } = await client();
    for (let n = 0; n < 12; n++) send('synthesize', { text: sentence });
    expect((await until('error')).at(-1)).toMatchObject({ data: { code: 'rate_limited' } });
  });

  it.each(['speaking', 'listening'])(
    'makes nothing more for a client that went while it was %s',
    async (who) => {
      const { client, backlogSeconds } = await start({ realTimeFactor: 0.5 });
      const { send, next, close } = await client();
      send('synthesize-start');
      send('synthesize-chunk', { text: `${sentence} `.repeat(5) });
      if (who === 'listening') send('synthesize-stop');
      expect((await next())?.type).toBe('audio-start');
      close();
      await until(async () => (await backlogSeconds()) === 0, { what: 'it to be cancelled' });
    },
  );

  it('makes only a few sentences for a client that does not read', async () => {
    const { client, embedded } = await start({ limits: { maxSpeechCharacters: 1_000_000 } });
    const { send, next, until: read } = await client();
    const { store } = embedded;
    let id = '';
    const create = store.create.bind(store);
    store.create = (utterance, limits) => {
      id = utterance.id;
      return create(utterance, limits);
    };
    const long = `${sentence} `.repeat(40);
    send('synthesize', { text: long });
    expect((await next())?.type).toBe('audio-start');
    // Some audio fits into the buffers on the way; then all stands still.
    let before = -1;
    await until(
      async () => {
        const released = (await store.get(id))!.released;
        const still = released === before;
        before = released;
        return still;
      },
      { what: 'the work to stop', everyMs: 300 },
    );
    expect(before).toBeLessThan(35);
    const samples = 40 * toneLength(sentence) + 39 * 5_600;
    expect(pcmOf(await read('audio-stop')).length).toBe(samples);
  });

  it('lets a speech end, and takes none more, while the service drains', async () => {
    const { deps } = await start({ realTimeFactor: 0.2 });
    const log = createLog({ service: 'test', level: 'silent' });
    const lifecycle = createLifecycle({ log, graceMs: 20_000 });
    const port = await startWyoming(deps, { host: '127.0.0.1', port: 0, lifecycle });
    const [busy, quiet] = await Promise.all([connectWyoming(port), connectWyoming(port)]);
    busy.send('synthesize', { text: story });
    expect((await busy.next())?.type).toBe('audio-start');
    // Answers over HTTP may take all of the grace.
    const held = Promise.withResolvers<void>();
    lifecycle.onClose('http', () => held.promise);
    const drained = lifecycle.drain('test');
    expect(await quiet.next()).toBeUndefined();
    quiet.close();
    expect(typesOf(await busy.until('never'))).toEqual(['audio-chunk', 'audio-stop']);
    busy.close();
    await expect(connectWyoming(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    held.resolve();
    await drained;
  });

  it('says which setting to change when its port is in use', async () => {
    const { deps, port, lifecycle } = await start();
    await expect(startWyoming(deps, { host: '127.0.0.1', port, lifecycle })).rejects.toMatchObject({
      code: 'port_in_use',
      message: expect.stringContaining('RHAPSODE_WYOMING_PORT'),
    });
  });
});

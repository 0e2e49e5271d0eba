import type { AddressInfo } from 'node:net';
import { type AudioFormat, createEncoder, pcmSamples } from '@rhapsode/audio';
import { createMetricsObserver, type SubmitRequest, submit } from '@rhapsode/pipeline';
import { createEmbedded, type Embedded } from '@rhapsode/pipeline/embedded';
import { createHttpApp, ownerHeader } from '@rhapsode/service';
import { createLifecycle, createLog, createMetrics } from '@rhapsode/telemetry';
import { createLocalEngine, openCatalogue, toneLength, toneSamples } from '@rhapsode/voices';
import { afterEach, describe, expect, it } from 'vitest';
import { decode, play, probe } from '../../../test/support/decode.ts';
import { audioRoute } from '../src/audio-route.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const text = Array.from({ length: 6 }, (_, i) => `This is sentence number ${i}, and it is spoken.`).join(' ');

async function serve(realTimeFactor = 0) {
  const catalogue = await openCatalogue({ testVoices: true, tone: { realTimeFactor } });
  const embedded = createEmbedded({
    engine: createLocalEngine(catalogue),
    voices: catalogue.voices,
    slots: 2,
  });
  closers.push(() => embedded.close());
  const log = createLog({ service: 'test', level: 'silent' });
  const lifecycle = createLifecycle({ log, graceMs: 0 });
  const metrics = createMetrics();
  const app = createHttpApp({ log, metrics, lifecycle });
  audioRoute(app, {
    store: embedded.store,
    log: embedded.log,
    dispatcher: embedded.dispatcher,
    observer: createMetricsObserver(metrics, log, 'default'),
    logger: log,
    metrics,
    lifecycle,
  });
  lifecycle.ready();
  await app.listen({ host: '127.0.0.1', port: 0 });
  closers.push(async () => {
    app.server.closeAllConnections();
    await app.close();
  });
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  const speak = async (words = text, more: Partial<SubmitRequest> = {}) => {
    const request = {
      tenant: 't',
      class: 'interactive',
      pool: 'default',
      voice: catalogue.get('tone'),
      ...more,
    } as const;
    const { utterance, stored } = await submit(words, request, embedded);
    await stored;
    return utterance.id;
  };
  const urlOf = (id: string, query: string) => `${url}/v1/utterances/${id}/audio${query}`;
  const get = (id: string, query = '', range?: string, headers: Record<string, string> = {}) =>
    fetch(urlOf(id, query), {
      headers: { ...headers, ...(range === undefined ? {} : { range }) },
    });
  const head = (id: string, query = '') => fetch(urlOf(id, query), { method: 'HEAD' });
  return { embedded, speak, get, head, urlOf };
}

const bytes = async (response: Response) => Buffer.from(await response.arrayBuffer());

/** The bytes that tell the length once it is known, and whether that of the whole can be, of what a query asks for. */
async function about(query: string): Promise<{ headerBytes: number; isSized: boolean }> {
  const asked = new URLSearchParams(query);
  const format = asked.get('format') as AudioFormat;
  const rate = asked.get('sample_rate');
  const encoder = await createEncoder(format, {
    sampleRateHz: 16_000,
    ...(rate === null ? {} : { wantedRateHz: Number(rate) }),
  });
  const headers = [undefined, 1000, 70_000].map((samples) => Buffer.from(encoder.header(samples)));
  await encoder.close();
  const [one, ...others] = headers as [Buffer, ...Buffer[]];
  const tells = others.some((other) => !other.equals(one));
  return { headerBytes: tells ? one.length : 0, isSized: ['pcm', 'wav', 'mp3'].includes(format) };
}

async function expected({ store }: Embedded, id: string): Promise<Buffer> {
  const segments = await store.segments(id, 0, 1000);
  const parts = segments.flatMap((segment, index) => [
    toneSamples(0, index, 0, toneLength(segment.text)),
    new Int16Array(segment.pauseSamples),
  ]);
  return Buffer.concat(parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength)));
}

describe('GET /v1/utterances/{id}/audio', () => {
  it('streams the exact PCM while it is being made, and gives its length when it is known', async () => {
    const { embedded, speak, get } = await serve();
    const id = await speak();
    const first = await get(id, '?format=pcm');
    expect(first.status).toBe(200);
    expect(first.headers.get('x-rhapsode-sample-rate')).toBe('16000');
    const wanted = await expected(embedded, id);
    expect((await bytes(first)).equals(wanted)).toBe(true);
    const again = await get(id);
    const wav = await bytes(again);
    expect(again.headers.get('content-length')).toBe(String(wanted.length + 44));
    expect(wav.readUInt32LE(40)).toBe(wanted.length);
    expect(wav.subarray(44).equals(wanted)).toBe(true);
  });

  it.each([
    'format=pcm',
    'format=wav',
    'format=mp3',
    'format=opus',
    'format=aac',
    'format=flac',
    'format=pcm&sample_rate=22050',
    'format=wav&sample_rate=8000',
    'format=mp3&sample_rate=44100',
    'format=opus&sample_rate=48000',
  ])('continues %s at any byte, before and after the end is known', async (query) => {
    const { speak, get } = await serve();
    const id = await speak('This is spoken. And so is this.');
    const { headerBytes, isSized } = await about(query);
    expect(headerBytes > 0).toBe(/wav|mp3|flac/.test(query));
    const offsets = [1, 44, 45, 5001];
    const early = offsets.map(async (n) => ({ n, response: await get(id, `?${query}`, `bytes=${n}-`) }));
    const whole = await bytes(await get(id, `?${query}`));
    for (const { n, response } of await Promise.all(early)) {
      expect(response.status).toBe(206);
      expect(response.headers.get('content-range')).toMatch(new RegExp(`^bytes ${n}-`));
      const rest = await bytes(response);
      // What a header tells of the length is known later than its other bytes.
      const from = Math.max(n, headerBytes);
      expect(rest.subarray(from - n).equals(whole.subarray(from))).toBe(true);
    }
    const known = await bytes(await get(id, `?${query}`));
    expect(known.subarray(headerBytes).equals(whole.subarray(headerBytes))).toBe(true);
    for (const n of [...offsets, known.length >> 1, known.length - 5001]) {
      const late = await get(id, `?${query}`, `bytes=${n}-`);
      expect((await bytes(late)).equals(known.subarray(n))).toBe(true);
    }
    const part = await get(id, `?${query}`, 'bytes=1000-1299');
    expect(part.status).toBe(206);
    // Where the bit rate varies nobody knows how long it is before it is encoded.
    expect(part.headers.get('content-length')).toBe(isSized ? '300' : null);
    expect((await bytes(part)).equals(whole.subarray(1000, 1300))).toBe(true);
    const behind = await get(id, `?${query}`, `bytes=${whole.length}-`);
    expect(behind.status).toBe(416);
    expect(behind.headers.get('content-range')).toBe(isSized ? `bytes */${whole.length}` : null);
  });

  it('makes nothing again that is before the sentence where a resampled download goes on', async () => {
    const { embedded, speak, get } = await serve();
    const id = await speak();
    const query = '?format=pcm&sample_rate=22050';
    const whole = await bytes(await get(id, query));
    await embedded.log.purge(id, Number.MAX_SAFE_INTEGER);
    const from = whole.length - 20_001;
    expect((await bytes(await get(id, query, `bytes=${from}-`))).equals(whole.subarray(from))).toBe(true);
    const generations = (await embedded.store.progress(id, 0, 6)).map(({ generation }) => generation);
    expect(generations.slice(0, 4)).toEqual([0, 0, 0, 0]);
    expect(generations.at(-1)).toBe(1);
  });

  it.each([
    ['wav', 8000],
    ['flac', 22_050],
    ['mp3', 24_000],
    ['opus', 48_000],
    ['aac', 44_100],
  ] as const)('gives %s at %i Hz, as an independent decoder hears it', async (format, rate) => {
    const { embedded, speak, get } = await serve();
    const id = await speak('This is spoken. And so is this.');
    const samples = (await expected(embedded, id)).length / 2;
    await bytes(await get(id));
    const response = await get(id, `?format=${format}&sample_rate=${rate}`);
    expect(response.headers.get('content-type')).toMatch(/^audio\//);
    expect(response.headers.get('x-rhapsode-sample-rate')).toBe(String(rate));
    const audio = await bytes(response);
    expect(await probe(audio)).toMatchObject({ sampleRateHz: rate, channels: 1 });
    const { pcm, complaints } = await decode(audio, format);
    expect(complaints).toBe('');
    const wanted = Math.round((samples * rate) / 16_000);
    // ADTS can't say where the sound is in its frames: one leads in, and the last one is full.
    expect(pcm.length).toBe(format === 'aac' ? (1 + Math.ceil(wanted / 1024)) * 1024 : wanted);
  });

  it.each(['mp3', 'wav', 'flac', 'opus'] as const)(
    'tells in the header of %s how long it is once that is known, and changes no byte behind it',
    async (format) => {
      const { embedded, speak, get } = await serve(0.05);
      const id = await speak();
      const live = await get(id, `?format=${format}`);
      expect(live.headers.get('content-length')).toBe(null);
      const early = await bytes(live);
      const late = await bytes(await get(id, `?format=${format}`));
      const { headerBytes } = await about(`format=${format}`);
      expect(late.equals(early)).toBe(format === 'opus');
      expect(late.subarray(headerBytes).equals(early.subarray(headerBytes))).toBe(true);

      const samples = (await expected(embedded, id)).length / 2;
      const lengths = [early, late].map(async (audio) => (await decode(audio, format)).pcm.length);
      const atRate = format === 'opus' ? samples * 3 : samples;
      // All that the frames of an MP3 hold, but what leads in; and then no more than was said.
      const inFrames = Math.ceil((samples + 1105) / 576) * 576 - 1105;
      expect(await Promise.all(lengths)).toEqual([format === 'mp3' ? inFrames : atRate, atRate]);
    },
  );

  it('refuses a sample rate that a format can’t have, and names those that it can', async () => {
    const { speak, get } = await serve();
    const id = await speak();
    for (const [query, allowed] of [
      ['?format=opus&sample_rate=44100', '8000, 12000, 16000, 24000, 48000'],
      ['?format=mp3&sample_rate=20000', '8000, 11025'],
      ['?format=wav&sample_rate=200', '8000 to 48000'],
    ] as const) {
      const response = await get(id, query);
      expect(response.status).toBe(400);
      expect(((await response.json()) as { error: object }).error).toMatchObject({
        code: 'unsupported_format',
        param: 'sample_rate',
        message: expect.stringContaining(allowed),
      });
    }
    expect((await get(id, '?sample_rate=fast')).status).toBe(400);
  });

  it('begins when all is made for who asks for that, and tells the length', async () => {
    const { embedded, speak, get } = await serve(0.02);
    // More sentences than are made ahead of a listener.
    const id = await speak(`${text} ${text}`);
    const wanted = await expected(embedded, id);
    for (const [query, length] of [
      ['?stream=false', wanted.length + 44],
      ['?stream=false&format=pcm', wanted.length],
    ] as const) {
      const response = await get(id, query);
      expect(response.headers.get('content-length')).toBe(String(length));
      expect((await bytes(response)).subarray(-wanted.length).equals(wanted)).toBe(true);
    }
    const rest = await get(id, '?stream=false&format=pcm', 'bytes=1000-');
    expect((await bytes(rest)).equals(wanted.subarray(1000))).toBe(true);
    const failing = await get(await speak('This is good. And this {{tone:fail}} is not.'), '?stream=false');
    expect(failing.status).toBe(500);
    expect((await get(id, '?stream=no')).status).toBe(400);
  });

  it.each(['wav', 'opus', 'flac'] as const)(
    'gives all of %s to a player that opens its address while it is made',
    async (format) => {
      const { embedded, speak, urlOf } = await serve(0.02);
      const id = await speak();
      const played = await play(urlOf(id, `?format=${format}`));
      const wanted = pcmSamples(await expected(embedded, id));
      if (format === 'opus') expect(played.length).toBe(wanted.length * 3);
      else expect(played).toEqual(wanted);
    },
  );

  it('promises no length while the end is not known, and ends where the audio ends', async () => {
    const { embedded, speak, get } = await serve(0.05);
    const id = await speak();
    const response = await get(id, '?format=pcm', 'bytes=10-99999999');
    expect(response.status).toBe(206);
    expect(response.headers.get('content-length')).toBe(null);
    expect((await bytes(response)).equals((await expected(embedded, id)).subarray(10))).toBe(true);
  });

  it('answers HEAD at once, with the length where it is known', async () => {
    const { speak, get, head } = await serve();
    const id = await speak();
    const length = (await bytes(await get(id))).length;
    const known = await head(id);
    expect(known.status).toBe(200);
    expect(known.headers.get('content-length')).toBe(String(length));
    expect(known.headers.get('accept-ranges')).toBe('bytes');
    expect((await head(id, '?format=mp3')).headers.get('content-type')).toBe('audio/mpeg');
    expect((await head('nothing0')).status).toBe(404);
  });

  it('tells the range exactly once all is made', async () => {
    const { speak, get } = await serve();
    const id = await speak();
    const whole = await bytes(await get(id));
    const tail = await get(id, '', 'bytes=-100');
    expect(tail.headers.get('content-range')).toBe(
      `bytes ${whole.length - 100}-${whole.length - 1}/${whole.length}`,
    );
    expect((await bytes(tail)).equals(whole.subarray(-100))).toBe(true);
  });

  it('begins at a position', async () => {
    const { embedded, speak, get } = await serve();
    const id = await speak();
    const wanted = await expected(embedded, id);
    await bytes(await get(id));
    const [first] = await embedded.store.progress(id, 0, 1);
    const { samples } = first!.outcome as { samples: number };
    const response = await get(id, '?format=pcm&from=1:100');
    expect((await bytes(response)).equals(wanted.subarray((samples + 100) * 2))).toBe(true);
    expect((await get(id, '?format=pcm&from=99:0')).status).toBe(416);
    expect((await get(id, '?from=1')).status).toBe(400);
  });

  it('begins at a position that is far behind the window', async () => {
    const { embedded, speak, get } = await serve();
    const id = await speak(text, { window: 2 });
    const response = await get(id, '?format=pcm&from=5:0');
    const wanted = await expected(embedded, id);
    const rest = await bytes(response);
    expect(rest.length).toBeGreaterThan(0);
    expect(rest.equals(wanted.subarray(-rest.length))).toBe(true);
  });

  it('answers a failure before the first byte with its status, and cuts the connection after it', async () => {
    const { speak, get } = await serve();
    const failing = await speak('{{tone:fail}} now.');
    const refused = await get(failing);
    expect(refused.status).toBe(500);
    expect(((await refused.json()) as { error: object }).error).toMatchObject({
      code: 'synthesis_failed',
      segment: 0,
    });
    const later = await speak('This is good. And this {{tone:fail}} is not.');
    const begun = await get(later, '?format=pcm');
    expect(begun.status).toBe(200);
    await expect(begun.arrayBuffer()).rejects.toThrow();
  });

  it.each([
    ['/nothing0', 404, 'utterance_not_found'],
    ['/..%2f..', 404, 'utterance_not_found'],
  ])('refuses %s', async (id, status, code) => {
    const { get } = await serve();
    const response = await get(id.slice(1));
    expect(response.status).toBe(status);
    expect(((await response.json()) as { error: object }).error).toMatchObject({ code });
  });

  it('refuses a format that it does not have, and a field that it does not know', async () => {
    const { speak, get } = await serve();
    const id = await speak();
    for (const [query, code] of [
      ['?format=ogg', 'unsupported_format'],
      ['?formatt=wav', 'unknown_field'],
    ] as const) {
      const response = await get(id, query);
      expect(response.status).toBe(400);
      expect(((await response.json()) as { error: object }).error).toMatchObject({ code });
    }
  });

  it('tells that somebody listens, unless it is who asked for the utterance', async () => {
    const { embedded, speak, get } = await serve();
    const attended = async (id: string) => (await embedded.store.get(id))?.attended;
    const [own, other] = [await speak(), await speak()];
    await bytes(await get(own, '', undefined, { [ownerHeader]: '1' }));
    await bytes(await get(other));
    expect([await attended(own), await attended(other)]).toEqual([false, true]);
  });

  it('ends a stream at once when its utterance is cancelled', async () => {
    const { embedded, speak, get } = await serve(0.5);
    const id = await speak();
    const response = await get(id, '?format=pcm');
    const reading = expect(response.arrayBuffer()).rejects.toThrow();
    await embedded.dispatcher.cancel(id);
    await reading;
    expect((await get(id)).status).toBe(410);
  });
});

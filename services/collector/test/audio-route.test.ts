import type { AddressInfo } from 'node:net';
import { createMetricsObserver, type SubmitRequest, submit } from '@rhapsode/pipeline';
import { createEmbedded, type Embedded } from '@rhapsode/pipeline/embedded';
import { createHttpApp } from '@rhapsode/service';
import { createLifecycle, createLog, createMetrics } from '@rhapsode/telemetry';
import { createLocalEngine, openCatalogue, toneLength, toneSamples } from '@rhapsode/voices';
import { afterEach, describe, expect, it } from 'vitest';
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
  const get = (id: string, query = '', range?: string) =>
    fetch(`${url}/v1/utterances/${id}/audio${query}`, range === undefined ? {} : { headers: { range } });
  const head = (id: string, query = '') =>
    fetch(`${url}/v1/utterances/${id}/audio${query}`, { method: 'HEAD' });
  return { embedded, speak, get, head };
}

const bytes = async (response: Response) => Buffer.from(await response.arrayBuffer());

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

  it.each(['pcm', 'wav', 'mp3'])(
    'continues %s at any byte, before and after the end is known',
    async (format) => {
      const { speak, get } = await serve();
      const id = await speak();
      const offsets = [1, 44, 45, 33_333, format === 'mp3' ? 50_001 : 100_001];
      const early = offsets.map(async (n) => ({
        n,
        response: await get(id, `?format=${format}`, `bytes=${n}-`),
      }));
      const whole = await bytes(await get(id, `?format=${format}`));
      for (const { n, response } of await Promise.all(early)) {
        expect(response.status).toBe(206);
        expect(response.headers.get('content-range')).toMatch(new RegExp(`^bytes ${n}-`));
        const rest = await bytes(response);
        // The sizes in a WAV header are known later than its other bytes.
        const from = format === 'wav' ? Math.max(n, 44) : n;
        expect(rest.subarray(from - n).equals(whole.subarray(from))).toBe(true);
      }
      const known = await bytes(await get(id, `?format=${format}`));
      for (const n of offsets) {
        const late = await get(id, `?format=${format}`, `bytes=${n}-`);
        expect((await bytes(late)).equals(known.subarray(n))).toBe(true);
      }
      const part = await get(id, `?format=${format}`, 'bytes=100-299');
      expect(part.status).toBe(206);
      // Nobody knows how long an MP3 is before it is encoded.
      expect(part.headers.get('content-length')).toBe(format === 'mp3' ? null : '200');
      expect((await bytes(part)).equals(whole.subarray(100, 300))).toBe(true);
      const behind = await get(id, `?format=${format}`, `bytes=${whole.length}-`);
      expect(behind.status).toBe(416);
      expect(behind.headers.get('content-range')).toBe(format === 'mp3' ? null : `bytes */${whole.length}`);
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

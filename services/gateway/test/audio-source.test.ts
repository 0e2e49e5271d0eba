import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ownerHeader } from '@rhapsode/service';
import { afterEach, describe, expect, it } from 'vitest';
import { createCollectorDescriber, createCollectorSource } from '../src/audio-source.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function collector(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    ranges.push(request.headers.range);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, ranges };
}

const whole = Buffer.from(Array.from({ length: 50_000 }, (_, i) => i & 0xff));

/** Serves the bytes as a collector does; breaks the connection after `cutAfter` bytes of each answer. */
const serving = (cutAfter = Number.POSITIVE_INFINITY) =>
  collector((request, response) => {
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const first = Number(range?.[1] ?? 0);
    if (first >= whole.length) {
      response.writeHead(416, { 'content-type': 'application/json' });
      response.end('{"error":{"code":"range_not_satisfiable","message":"past the end"}}');
      return;
    }
    const rest = whole.subarray(first, range?.[2] ? Number(range[2]) + 1 : undefined);
    response.writeHead(range ? 206 : 200, {
      'content-type': 'audio/pcm',
      ...(range ? { 'content-range': `bytes ${first}-9007199254740991/*` } : {}),
    });
    response.write(rest.subarray(0, cutAfter), () => {
      if (rest.length > cutAfter) response.destroy();
      else response.end();
    });
  });

const refusing = (status: number, code: string) =>
  collector((_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { code, message: 'no' } }));
  });

const ask = (urls: string[], range?: string) =>
  createCollectorSource(urls)({
    id: 'utterance1',
    format: 'pcm',
    range,
    signal: new AbortController().signal,
  });

async function read(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts);
}

describe('audio from collectors', () => {
  it('says whether who asked for it hears it', async () => {
    const owners: (string | undefined)[] = [];
    const tells = () =>
      collector((request, response) => {
        owners.push(request.headers[ownerHeader] as string | undefined);
        response.writeHead(200, { 'content-type': 'audio/pcm' });
        response.end(whole);
      });
    const source = createCollectorSource([(await tells()).url]);
    const wanted = { id: 'utterance1', format: 'pcm', signal: new AbortController().signal } as const;
    await read((await source({ ...wanted, owner: true })).body);
    await read((await source(wanted)).body);
    expect(owners).toEqual(['1', undefined]);
  });

  it('asks how long it is before it asks for the last bytes', async () => {
    const one = await serving();
    const known = await collector((request, response) => {
      if (request.method === 'HEAD') response.writeHead(200, { 'content-length': '50000' }).end();
      else {
        const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range!)!;
        const part = whole.subarray(Number(first), Number(last) + 1);
        response.writeHead(206, { 'content-range': `bytes ${first}-${last}/50000` }).end(part);
      }
    });
    const { status, headers, body } = await ask([known.url], 'bytes=-300');
    expect([status, headers['content-range']]).toEqual([206, 'bytes 49700-49999/50000']);
    expect((await read(body)).equals(whole.subarray(-300))).toBe(true);
    await expect(ask([known.url], 'bytes=-0')).rejects.toMatchObject({ code: 'range_not_satisfiable' });
    // This one does not know.
    expect((await ask([one.url], 'bytes=-300')).status).toBe(200);
  });

  it('is described by whichever collector is there', async () => {
    const [gone, known, none] = await Promise.all([
      refusing(503, 'draining'),
      collector((_, response) => response.writeHead(200, { 'content-length': '7', etag: '"x"' }).end()),
      refusing(404, 'utterance_not_found'),
    ]);
    const describe = (...urls: string[]) =>
      createCollectorDescriber(urls)({
        id: 'utterance1',
        format: 'pcm',
        signal: new AbortController().signal,
      });
    expect(await describe('http://127.0.0.1:1', gone.url, known.url)).toEqual({
      'content-length': '7',
      etag: '"x"',
    });
    await expect(describe(none.url, known.url)).rejects.toMatchObject({ code: 'utterance_not_found' });
    await expect(describe(gone.url)).rejects.toMatchObject({ code: 'collector_unavailable' });
  });

  it('goes on at the same byte, at whichever collector is there, each time one breaks', async () => {
    const [a, b] = await Promise.all([serving(7_001), serving(13_002)]);
    const { status, headers, body } = await ask([a.url, b.url]);
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('audio/pcm');
    expect((await read(body)).equals(whole)).toBe(true);
    expect(a.ranges.length).toBeGreaterThan(1);
    expect(b.ranges.every((range) => range !== undefined)).toBe(true);
  });

  it('passes a range on, and keeps to it over a break', async () => {
    const broken = await serving(5_000);
    const { status, body } = await ask([broken.url], 'bytes=1000-20999');
    expect(status).toBe(206);
    expect((await read(body)).equals(whole.subarray(1000, 21_000))).toBe(true);
  });

  it('ends well if only the end itself was lost', async () => {
    const first = await collector((_, response) => {
      response.writeHead(200, {});
      response.write(whole, () => response.destroy());
    });
    const second = await serving();
    expect((await read((await ask([first.url, second.url])).body)).equals(whole)).toBe(true);
  });

  it('asks another collector when one is draining', async () => {
    const [draining, good] = await Promise.all([refusing(503, 'draining'), serving()]);
    expect((await read((await ask([draining.url, good.url])).body)).equals(whole)).toBe(true);
  });

  it('takes what is said of the utterance as final', async () => {
    const [gone, other] = await Promise.all([refusing(410, 'cancelled'), serving()]);
    await expect(ask([gone.url, other.url])).rejects.toMatchObject({ code: 'cancelled', status: 410 });
    expect(other.ranges).toEqual([]);
  });

  it.each([
    ['the whole', 200, {}],
    ['another part', 206, { 'content-range': 'bytes 5-/*' }],
  ])('never splices %s that a collector gives instead of what was asked for', async (_, status, headers) => {
    let calls = 0;
    const wrong = await collector((_, response) => {
      calls += 1;
      response.writeHead(calls === 1 ? 200 : status, calls === 1 ? {} : headers);
      response.write(whole.subarray(0, 10), () => response.destroy());
    });
    const { body } = await ask([wrong.url]);
    await expect(read(body)).rejects.toMatchObject({ code: 'audio_lost' });
    expect(calls).toBeGreaterThan(1);
  });

  it('begins with another collector each time', async () => {
    const [a, b] = await Promise.all([serving(), serving()]);
    const source = createCollectorSource([a.url, b.url]);
    for (let i = 0; i < 4; i++) {
      const signal = new AbortController().signal;
      await read((await source({ id: 'utterance1', format: 'pcm', signal })).body);
    }
    expect([a.ranges.length, b.ranges.length]).toEqual([2, 2]);
  });

  it('stops asking when the listener has gone', async () => {
    const leaving = new AbortController();
    const asking = createCollectorSource(['http://127.0.0.1:1'])({
      id: 'utterance1',
      format: 'pcm',
      signal: leaving.signal,
    });
    leaving.abort(new Error('gone'));
    await expect(asking).rejects.toThrow();
  });
});

import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createClient } from '../src/client.ts';
import { download } from '../src/download.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function all(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

const audio = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7) & 0xff));

describe('the client', () => {
  it('takes a broken download up at the byte where it broke, until it is whole', async () => {
    const offsets: number[] = [];
    const url = await serve((request, response) => {
      const offset = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      offsets.push(offset);
      response.writeHead(offset > 0 ? 206 : 200, {
        'content-type': 'audio/pcm',
        ...(offset > 0 ? { 'content-range': `bytes ${offset}-9007199254740991/*` } : {}),
      });
      const rest = audio.subarray(offset);
      if (rest.length <= 30_000) response.end(rest);
      else response.write(rest.subarray(0, 30_000), () => response.destroy());
    });
    const client = createClient({ url, retryDelayMs: 1 });
    expect((await all(client.audio({ audioUrl: `${url}/a` }))).equals(audio)).toBe(true);
    expect(offsets.length).toBeGreaterThan(3);
  });

  it('fails, instead of ending short, when the server starts a broken download from its beginning', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'audio/pcm' });
      response.write(audio.subarray(0, 30_000), () => response.destroy());
    });
    const client = createClient({ url, retryDelayMs: 1 });
    await expect(all(client.audio({ audioUrl: `${url}/a` }))).rejects.toMatchObject({ code: 'audio_lost' });
  });

  it('is content when only the end of the last byte asked for was lost', async () => {
    let requests = 0;
    const url = await serve((_, response) => {
      requests += 1;
      response.writeHead(206, { 'content-type': 'audio/pcm' });
      response.write(audio.subarray(10, 20), () => response.destroy());
    });
    const { body } = await download([`${url}/a`], { offset: 10, last: 19, retryDelayMs: 1 });
    expect((await all(body)).equals(audio.subarray(10, 20))).toBe(true);
    expect(requests).toBe(1);
  });

  it('tells the server’s error, and does not repeat what can’t succeed', async () => {
    let requests = 0;
    const url = await serve((_, response) => {
      requests += 1;
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({ error: { code: 'voice_not_found', message: 'no such voice', param: 'voice' } }),
      );
    });
    const client = createClient({ url });
    await expect(client.create({ input: 'x' })).rejects.toMatchObject({
      code: 'voice_not_found',
      param: 'voice',
    });
    await expect(all(client.audio({ audioUrl: `${url}/a` }))).rejects.toMatchObject({
      code: 'voice_not_found',
    });
    expect(requests).toBe(2);
  });

  it('gives up when the server is gone for good, and at once when it is told to', async () => {
    const url = await serve((_, response) => response.destroy());
    const client = createClient({ url, retryDelayMs: 1, maxAttempts: 3 });
    await expect(all(client.audio({ audioUrl: `${url}/a` }))).rejects.toThrow();
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(all(client.audio({ audioUrl: `${url}/a` }, { signal }))).rejects.toThrow('enough');
  });
});

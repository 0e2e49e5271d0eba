import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseWav } from '@rhapsode/audio';
import { CancelledError, createClient, QuotaError, StreamError } from '@rhapsode/client';
import { synthToFile } from '@rhapsode/client/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decode } from '../support/decode.ts';
import { type EmbeddedServer, startEmbeddedServer } from '../support/embedded-server.ts';
import { freePort } from '../support/ports.ts';
import { type Reference, speakEmbedded } from '../support/reference.ts';
import { firstDifference } from '../support/same-audio.ts';
import { plainText } from '../support/texts.ts';

const text = plainText(3, 50);
let server: EmbeddedServer;
let reference: Reference;
const client = () => createClient({ url: server.url });

beforeAll(async () => {
  [server, reference] = await Promise.all([
    startEmbeddedServer({ RHAPSODE_MAX_SPEECH_CHARACTERS: '2000' }),
    speakEmbedded(text),
  ]);
});
afterAll(() => server?.stop());

const samplesOf = (bytes: Uint8Array): Int16Array =>
  new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer);

const readWav = (bytes: Uint8Array) => {
  const { pcm, sized } = parseWav(Buffer.from(bytes));
  return { pcm: new Int16Array(pcm), sized };
};

describe('the client of a real server', () => {
  it('speaks to bytes whose header says how long they are, asking the next server when one is gone', async () => {
    const nobody = `http://127.0.0.1:${await freePort()}`;
    const bytes = await createClient({ url: [nobody, server.url] }).synthToBytes(text);
    const { pcm, sized } = readWav(bytes);
    expect(sized).toBe(true);
    expect(firstDifference(pcm, reference)).toBeUndefined();
  });

  it('speaks to a file that is there when it is whole, and leaves none when it fails', async (context) => {
    const folder = await mkdtemp(join(tmpdir(), 'rhapsode-client-'));
    context.onTestFinished(() => rm(folder, { recursive: true }));
    await synthToFile(client(), text, join(folder, 'a.wav'));
    const { pcm, sized } = readWav(await readFile(join(folder, 'a.wav')));
    expect(sized).toBe(true);
    expect(firstDifference(pcm, reference)).toBeUndefined();
    await synthToFile(client(), text, join(folder, 'a.pcm'));
    expect(firstDifference(samplesOf(await readFile(join(folder, 'a.pcm'))), reference)).toBeUndefined();
    await expect(
      synthToFile(client(), 'One. {{tone:fail=9}} Two.', join(folder, 'b.wav')),
    ).rejects.toMatchObject({ code: 'synthesis_failed' });
    expect((await readdir(folder)).sort()).toEqual(['a.pcm', 'a.wav']);
  });

  it('speaks to an MP3 that ends with its last sample, if it waits until all is made', async () => {
    const bytes = await client().synthToBytes(text, { format: 'mp3', stream: false });
    expect((await decode(bytes, 'mp3')).pcm.length).toBe(reference.pcm.length);
  });

  it('speaks to a web stream, and cancels the work with it', async () => {
    const stream = client().synthToStream(text, { format: 'pcm' });
    const parts: Uint8Array[] = [];
    for await (const part of stream as unknown as AsyncIterable<Uint8Array>) parts.push(part);
    expect(firstDifference(samplesOf(Buffer.concat(parts)), reference)).toBeUndefined();

    const id = 'cancelledbyitsreader';
    const long = client().synthToStream('{{tone:slow=1}} Long. '.repeat(40), { format: 'pcm', id });
    const reader = long.getReader();
    await reader.read();
    await reader.cancel();
    // A name of its own keeps it: somebody else may hear it.
    expect((await fetch(`${server.url}/v1/utterances/${id}`)).status).toBe(200);
    await client().cancel(id);

    const deleted: number[] = [];
    const watched: typeof fetch = async (url, init) => {
      const response = await fetch(url, init);
      if (init?.method === 'DELETE') deleted.push(response.status);
      return response;
    };
    const unnamed = createClient({ url: server.url, fetch: watched })
      .synthToStream('{{tone:slow=1}} Long. '.repeat(40), { format: 'pcm' })
      .getReader();
    await unnamed.read();
    await unnamed.cancel();
    expect(deleted).toEqual([204]);
  });

  it('streams a text word by word, and what a flush speaks before the sentence has ended', async () => {
    const stream = client().createStream();
    const words: string[] = [];
    stream.on('boundary', ({ text: word }) => words.push(word));
    const parts: number[] = [];
    const hearing = (async () => {
      for await (const { pcm } of stream) parts.push(...pcm);
    })();
    for (const word of text.split(/(?<= )/)) await stream.feed(word);
    await stream.flush();
    expect(parts.length).toBeGreaterThan(0);
    stream.done();
    await hearing;
    // Nobody knew then that it was the end: the pause between sentences follows it.
    const { pcm } = reference;
    expect(firstDifference(Int16Array.from(parts.slice(0, pcm.length)), reference)).toBeUndefined();
    expect(parts.slice(pcm.length).every((sample) => sample === 0)).toBe(true);
    expect(words).toEqual(text.split(' '));
  });

  it('lists voices and models', async () => {
    const voices = await client().voices();
    expect(voices.find(({ id }) => id === 'tone')).toMatchObject({
      sample_rate_hz: 16_000,
      aliases: expect.arrayContaining(['default']),
    });
    expect((await client().models()).map(({ id }) => id)).toContain('tts-1');
  });

  it('throws errors of the class that says what to do', async () => {
    await expect(client().synthToBytes('x'.repeat(3_000))).rejects.toBeInstanceOf(QuotaError);
    const unknown = client().createStream({ voice: 'nobody' });
    void unknown.feed('Hello.');
    await expect(unknown.waitUntilDone()).rejects.toSatisfy(
      (error) => error instanceof StreamError && error.code === 'voice_not_found',
    );
    const stopped = client().createStream();
    void stopped.feed('Hello. {{tone:slow=5}} there.');
    setTimeout(() => stopped.stop(), 50);
    await expect(stopped.waitUntilDone()).rejects.toBeInstanceOf(CancelledError);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(client().speak('Hello.', { sink: () => {}, signal })).rejects.toThrow('enough');
    await expect(client().synthToBytes('Hello.', { signal })).rejects.toThrow('enough');
  });
});

import { RhapsodeError } from '@rhapsode/contracts';
import { describe, expect, it } from 'vitest';
import { until, within } from '../../../test/support/wait.ts';
import {
  type AudioChunk,
  BufferError,
  CancelledError,
  type ClientOptions,
  createClient,
  createSinkPlayer,
  type PlayOptions,
  QuotaError,
  type SpeechStream,
  StreamError,
} from '../src/index.ts';
import {
  expectedPcm,
  type Faults,
  type Gateways,
  pauseSamples,
  rateHz,
  startGateways,
} from './support/sessions-in-memory.ts';

const text = 'The first sentence is here. A second one follows it. Then a third. And the last of all.';
const url = ['http://one.example', 'http://two.example'];

function clientOf({ WebSocket }: Gateways, options: Partial<ClientOptions> = {}) {
  const gone = async () => new Response(null, { status: 204 });
  return createClient({
    url,
    WebSocket,
    retryDelayMs: 1,
    fetch: gone as unknown as typeof fetch,
    ...options,
  });
}

async function heard(stream: AsyncIterable<AudioChunk>): Promise<Int16Array> {
  const parts: number[] = [];
  for await (const { pcm, sample } of stream) {
    expect(sample).toBe(parts.length);
    parts.push(...pcm);
  }
  return Int16Array.from(parts);
}

async function feedAll(stream: SpeechStream, pieces: Iterable<string>): Promise<void> {
  for (const piece of pieces) await stream.feed(piece);
  stream.done();
}

const isFrame = (what: object): what is { segment: number; sample: number } => !('type' in what);

describe('a stream', () => {
  it('gives exact audio for a text that is fed letter by letter', async () => {
    const stream = clientOf(startGateways()).createStream();
    const [pcm] = await Promise.all([heard(stream), feedAll(stream, text)]);
    expect(pcm).toEqual(expectedPcm(text));
    await expect(stream.waitUntilDone()).resolves.toMatchObject({
      segments: 4,
      samples: pcm.length,
      seconds: pcm.length / rateHz,
    });
  });

  it('gives the same audio over connections that break anywhere, and asks for no sample twice', async () => {
    const breaks: Faults['breaksAt'][] = [
      (what) => 'type' in what && what.type === 'received' && what.offset > 9,
      (what) => isFrame(what) && what.segment === 0 && what.sample > 200,
      (what) => isFrame(what) && what.segment === 0 && what.sample > 400,
      (what) => 'type' in what && what.type === 'segment_end',
      (what) => 'type' in what && what.type === 'resumed',
      (what) => 'type' in what && what.type === 'ready',
      (what) => isFrame(what) && what.segment === 2,
      (what) => 'type' in what && what.type === 'end',
    ];
    const gateways = startGateways((connection) => ({ breaksAt: breaks[connection] }) as Faults);
    const stream = clientOf(gateways).createStream();
    const [pcm] = await Promise.all([heard(stream), feedAll(stream, text.match(/.{1,9}/gs)!)]);
    expect(pcm).toEqual(expectedPcm(text));
    expect(gateways.heard.length).toBe(breaks.length + 1);
    expect(gateways.urls[0]).toContain('one.example/v1/speech/session');
    expect(gateways.urls[1]).toContain('two.example');
    expect(gateways.utterances.size).toBe(1);
  });

  it('finds the utterance again when the answer to its opening was lost', async () => {
    const gateways = startGateways((connection) =>
      connection === 0 ? { breaksAt: (what) => 'type' in what && what.type === 'opened' } : {},
    );
    const stream = clientOf(gateways).createStream();
    const [pcm] = await Promise.all([heard(stream), feedAll(stream, [text])]);
    expect(pcm).toEqual(expectedPcm(text));
    expect(gateways.heard[1]!.map(({ type }) => type).slice(0, 2)).toEqual(['open', 'resume']);
  });

  it('leaves a server that owes audio and says nothing', async () => {
    const gateways = startGateways((connection) =>
      connection === 0 ? { fallsSilentAt: (what) => isFrame(what) && what.segment === 1 } : {},
    );
    const stream = clientOf(gateways, { silenceMs: 50 }).createStream();
    const [pcm] = await Promise.all([heard(stream), feedAll(stream, [text])]);
    expect(pcm).toEqual(expectedPcm(text));
  });

  it('drops what came twice, and has a gap sent again from where it begins', async () => {
    let isLost = false;
    const gateways = startGateways(() => ({
      alter: (frame) => {
        if (frame.segment === 1 && frame.firstSample > 0 && !isLost) {
          isLost = true;
          return [];
        }
        return [frame, frame];
      },
    }));
    const stream = clientOf(gateways).createStream();
    const [pcm] = await Promise.all([heard(stream), feedAll(stream, [text])]);
    expect(pcm).toEqual(expectedPcm(text));
    expect(gateways.heard.length).toBe(2);
  });

  it('gives up with a StreamError when no server answers for good', async () => {
    const gateways = startGateways(() => ({ breaksAt: () => true }));
    const stream = clientOf(gateways, { maxAttempts: 3 }).createStream();
    const error = await heard(stream).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StreamError);
    expect(error).toMatchObject({ name: 'StreamError', code: 'server_unavailable' });
    expect(gateways.heard.length).toBe(3);
    expect(() => stream.feed('more')).toThrow(StreamError);
    await expect(stream.waitUntilDone()).rejects.toBe(error);
  });

  it('fails at a message that it can’t read, and passes over one that it does not know', async () => {
    const unknown = startGateways(() => ({
      garble: (message) => (message.type === 'received' ? { type: 'greeting', text: 'hello' } : message),
    }));
    const stream = clientOf(unknown).createStream();
    const [pcm] = await Promise.all([heard(stream), feedAll(stream, [text])]);
    expect(pcm).toEqual(expectedPcm(text));
    const unreadable = startGateways(() => ({
      garble: (message) => (message.type === 'segment_end' ? { ...message, marks: 'none' } : message),
    }));
    const failing = clientOf(unreadable).createStream();
    void failing.feed(text);
    await expect(failing.waitUntilDone()).rejects.toMatchObject({ code: 'bad_message' });
    expect(unreadable.heard.length).toBe(1);
  });

  it('tells a limit of the server as a QuotaError, and does not try it elsewhere', async () => {
    const gateways = startGateways(() => ({
      refuses: ({ type }) => (type === 'open' ? new RhapsodeError('rate_limited') : undefined),
    }));
    const stream = clientOf(gateways).createStream();
    const errors: unknown[] = [];
    stream.on('error', (error) => errors.push(error));
    await expect(stream.waitUntilDone()).rejects.toBeInstanceOf(QuotaError);
    expect(errors).toHaveLength(1);
    expect(gateways.heard.length).toBe(1);
  });

  it('flushes what is held, at its place also over a broken connection', async () => {
    const gateways = startGateways((connection) =>
      connection === 0 ? { breaksAt: (what) => 'type' in what && what.type === 'flushed' } : {},
    );
    const stream = clientOf(gateways).createStream();
    const pcm = heard(stream);
    await stream.feed('No full stop');
    await stream.flush();
    await stream.feed(' here. Then one.');
    stream.done();
    const first = expectedPcm('No full stop');
    expect((await pcm).subarray(0, first.length - pauseSamples)).toEqual(first.subarray(0, -pauseSamples));
    expect(gateways.heard[1]!.map(({ type }) => type)).toContain('resume');
  });

  it('holds its feeder back while the listener is behind, and refuses what it can’t hold', async () => {
    const gateways = startGateways();
    const stream = clientOf(gateways).createStream({ config: { bufferSize: 4_096, bufferThreshold: 0.5 } });
    const long = 'Twenty letters long. '.repeat(98);
    expect(stream.bufferFull()).toBe(false);
    let isRoom = false;
    void stream.feed(long).then(() => {
      isRoom = true;
    });
    expect(stream.bufferFull()).toBe(true);
    void stream.feed(long);
    // Caught by those who wait for room and by those who don't.
    expect(() => stream.feed('one too many')).toThrow(BufferError);
    await expect(async () => await stream.feed('one too many')).rejects.toThrow(BufferError);
    expect(isRoom).toBe(false);
    stream.done();
    const pcm = await heard(stream);
    expect(isRoom).toBe(true);
    expect(stream.bufferFull()).toBe(false);
    expect(pcm.length).toBe(expectedPcm(long + long).length);
    expect(gateways.mostAhead).toBeLessThanOrEqual(6);
  });

  it('has no more than its share of audio in memory, whatever a server sends', async () => {
    const gateways = startGateways();
    const stream = clientOf(gateways, { maxBufferedBytes: 1_000 }).createStream();
    const [pcm] = await Promise.all([heard(stream), feedAll(stream, [text])]);
    expect(pcm).toEqual(expectedPcm(text));
    expect(gateways.heard.length).toBeGreaterThan(2);
  });

  it('gives chunks of the size asked for, and sends text in messages no longer than asked for', async () => {
    const gateways = startGateways();
    const stream = clientOf(gateways).createStream({ config: { chunkSize: 256 } });
    stream.setStreamConfig({ maxTextChunk: 5 });
    const sizes: number[] = [];
    stream.on('chunk', ({ pcm }) => sizes.push(pcm.length));
    await feedAll(stream, ['Five 😀😀 six. And seven.']);
    await stream.waitUntilDone();
    expect(new Set(sizes.slice(0, -1))).toEqual(new Set([256]));
    expect(sizes.at(-1)).toBeLessThanOrEqual(256);
    const pieces = gateways.heard[0]!.flatMap((message) => (message.type === 'text' ? [message.text] : []));
    expect(pieces.join('')).toBe('Five 😀😀 six. And seven.');
    for (const piece of pieces) {
      expect(piece.length).toBeLessThanOrEqual(5);
      expect(piece.isWellFormed()).toBe(true);
    }
  });

  it.each([
    ['chunkSize', -1],
    ['chunkSize', 1.5],
    ['maxTextChunk', 0],
    ['bufferThreshold', 0],
    ['bufferThreshold', 1.1],
    ['bufferThreshold', Number.NaN],
    ['bufferSize', '4096'],
    ['bufferSise', 4096],
  ])('refuses the setting %s of %s by name', (name, value) => {
    const client = clientOf(startGateways());
    expect(() => client.setStreamConfig({ [name]: value })).toThrow(
      expect.objectContaining({
        name: 'StreamError',
        param: name,
        message: expect.stringContaining(`'${name}'`),
      }),
    );
  });

  it('puts halves of a character together, and refuses one that is left over', async () => {
    const stream = clientOf(startGateways()).createStream();
    await stream.feed('A smile \ud83d');
    await stream.feed('\ude00 is here.');
    expect(() => stream.feed('\ude00')).toThrow(expect.objectContaining({ code: 'invalid_encoding' }));
    await stream.feed('\ud83d');
    expect(() => stream.done()).toThrow(expect.objectContaining({ code: 'invalid_encoding' }));
    stream.close();
  });

  it('tells its start, its words in their order and its end', async () => {
    const stream = clientOf(startGateways()).createStream();
    const told: string[] = [];
    stream.on('start', ({ voice }) => told.push(`start ${voice}`));
    stream.on('boundary', (word) => {
      expect(text.slice(word.start, word.end)).toBe(word.text);
      expect(word.seconds).toBeCloseTo(word.sample / rateHz, 9);
      told.push(word.text);
    });
    stream.once('sentence', ({ text: sentence }) => told.push(sentence.trim()));
    stream.once('end', ({ segments }) => told.push(`end ${segments}`));
    const silenced = () => told.push('never');
    stream.on('end', silenced);
    stream.off('end', silenced);
    await feedAll(stream, [text]);
    await stream.waitUntilDone();
    const words = text.split(' ');
    expect(told).toEqual([
      'start numbers',
      ...words.slice(0, 5),
      'The first sentence is here.',
      ...words.slice(5),
      'end 4',
    ]);
  });

  it('is held by pause, goes on where it was, and ends at once with stop', async () => {
    const gateways = startGateways();
    const stream = clientOf(gateways).createStream();
    const chunks: AudioChunk[] = [];
    stream.on('chunk', (chunk) => {
      chunks.push(chunk);
      if (chunks.length === 3) stream.pause();
      if (chunks.length === 5) stream.stop();
    });
    await feedAll(stream, [text]);
    await until(() => chunks.length === 3, { what: 'the pause' });
    await until(() => gateways.heard[0]!.some(({ type }) => type === 'finish'), { what: 'the text' });
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(chunks.length).toBe(3);
    stream.resume();
    await expect(stream.waitUntilDone()).rejects.toBeInstanceOf(CancelledError);
    expect(chunks.map(({ sample }) => sample)).toEqual([0, 70, 140, 210, 280]);
  });

  it('cancels at the server when it is stopped, closed, left or aborted', async () => {
    const endings: ((stream: SpeechStream, abort: AbortController) => void)[] = [
      (stream) => stream.stop(),
      (stream) => stream.close(),
      (_, abort) => abort.abort(new Error('enough')),
    ];
    for (const end of endings) {
      const gateways = startGateways();
      const abort = new AbortController();
      const stream = clientOf(gateways).createStream({ signal: abort.signal });
      void stream.feed('A sentence. Another');
      const chunks = stream[Symbol.asyncIterator]();
      await chunks.next();
      end(stream, abort);
      await expect(chunks.next()).rejects.toThrow(/stopped|enough/);
      await until(() => gateways.heard[0]!.at(-1)?.type === 'cancel', { what: 'the cancel' });
      await until(() => gateways.open === 0, { what: 'the socket to be closed' });
    }
    const gateways = startGateways();
    const stream = clientOf(gateways).createStream();
    void stream.feed('A sentence. Another');
    for await (const _ of stream) break;
    await until(() => gateways.heard[0]!.at(-1)?.type === 'cancel', { what: 'the cancel' });
  });

  it('lets nobody iterate over what listeners have had', async () => {
    const stream = clientOf(startGateways()).createStream();
    await feedAll(stream, [text]);
    await stream.waitUntilDone();
    await expect(heard(stream)).rejects.toThrow('went to listeners');
  });
});

describe('speaking', () => {
  it('gives the audio to a sink, waits for it, and tells each sentence', async () => {
    const client = clientOf(startGateways());
    const parts: number[] = [];
    const sentences: { text: string; duration: number }[] = [];
    const { samples } = await client.speakStreamed(text, {
      sink: async ({ pcm }) => {
        await Promise.resolve();
        parts.push(...pcm);
      },
      onChunkProcessed: (sentence) => sentences.push(sentence),
    });
    expect(Int16Array.from(parts)).toEqual(expectedPcm(text));
    expect(samples).toBe(parts.length);
    expect(sentences.map((sentence) => sentence.text).join('')).toBe(text);
    expect(sentences[0]!.duration).toBeCloseTo(expectedPcm('The first sentence is here.').length / rateHz, 9);
  });

  it('speaks one text after the other', async () => {
    const client = clientOf(startGateways());
    const order: string[] = [];
    const sink = (name: string) => () => void order.push(name);
    await Promise.all([
      client.speak('One. One.', { sink: sink('a') }),
      client.speak('Two. Two.', { sink: sink('b') }),
    ]);
    expect(order.join('')).toMatch(/^a+b+$/);
  });

  it('tells every word also with a player that takes its time to get ready', async () => {
    const gateways = startGateways();
    const words: string[] = [];
    const player = {
      async play(options: PlayOptions) {
        await until(() => gateways.heard[0]!.some(({ type }) => type === 'finish'), { what: 'the text' });
        await new Promise((resolve) => setTimeout(resolve, 20));
        return createSinkPlayer(() => {}).play(options);
      },
    };
    await clientOf(gateways, { player }).speakStreamed(text, {
      onBoundary: (word) => words.push(word.text),
    });
    expect(words).toEqual(text.split(' '));
  });

  it('stops what is spoken and what was to come', async () => {
    const client = clientOf(startGateways());
    const begun = Promise.withResolvers<void>();
    const first = client.speak(text, { sink: () => begun.resolve() });
    const second = client.speak(text, { sink: () => {} });
    await within(begun.promise, { what: 'the first' });
    client.stop();
    await expect(first).rejects.toBeInstanceOf(CancelledError);
    await expect(second).rejects.toBeInstanceOf(CancelledError);
    await expect(client.speak('On.', { sink: () => {} })).resolves.toMatchObject({ segments: 1 });
  });

  it('says what to do where there is nothing to play with', async () => {
    const client = clientOf(startGateways());
    await expect(client.speak('Hello.')).rejects.toThrow(/player.*sink.*synthToBytes/);
  });
});

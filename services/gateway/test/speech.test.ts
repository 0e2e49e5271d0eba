import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { buffer, json } from 'node:stream/consumers';
import { audioFormatNames, parseWav, pcmBytes } from '@rhapsode/audio';
import { RhapsodeError } from '@rhapsode/contracts';
import { toneLength, toneSamples } from '@rhapsode/voices';
import { afterEach, describe, expect, it } from 'vitest';
import { decode } from '../../../test/support/decode.ts';
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

describe('POST /v1/audio/speech', () => {
  it('speaks with OpenAI’s fields, as streamed WAV, with every sample in its place', async () => {
    const { speech } = await start();
    const response = await speech({ input: 'Hello there.', response_format: 'wav', instructions: 'softly' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('audio/wav');
    expect(response.headers.get('x-rhapsode-warning')).toContain('instructions');
    const { pcm, sampleRateHz } = parseWav(await bytes(response));
    expect(sampleRateHz).toBe(16_000);
    const spoken = toneSamples(0, 0, 0, toneLength('Hello there.'));
    expect(pcm.subarray(0, spoken.length)).toEqual(spoken);
    expect(pcm.subarray(spoken.length).every((sample) => sample === 0)).toBe(true);
  });

  it.each([
    ['pcm', 'audio/pcm'],
    ['wav', 'audio/wav'],
    ['mp3', 'audio/mpeg'],
    ['opus', 'audio/ogg; codecs=opus'],
    ['aac', 'audio/aac'],
    ['flac', 'audio/flac'],
  ])('gives %s as %s, whole and chunked', async (response_format, type) => {
    const { speech } = await start();
    const response = await speech({ input: story, response_format });
    expect(response.headers.get('content-type')).toBe(type);
    expect((await bytes(response)).length).toBeGreaterThan(1000);
  });

  it('gives raw samples at the rate that clients of OpenAI’s take them for, unless another is asked for', async () => {
    const { speech } = await start({ limits: { speechPcmHz: 24_000 } });
    const lengthAt = async (fields: Record<string, unknown>) => {
      const response = await speech({ response_format: 'pcm', ...fields });
      return [response.headers.get('x-rhapsode-sample-rate'), (await bytes(response)).length / 2];
    };
    const own = toneLength('Hello there.');
    expect(await lengthAt({ rhapsode: { sample_rate: 16_000 } })).toEqual(['16000', own]);
    expect(await lengthAt({})).toEqual(['24000', (own * 3) / 2]);
    // What tells its own rate stays as the voice made it.
    expect((await speech({ response_format: 'wav' })).headers.get('x-rhapsode-sample-rate')).toBe('16000');
  });

  it('gives mp3 when nothing else is asked for', async () => {
    const { speech } = await start();
    expect((await speech({})).headers.get('content-type')).toBe('audio/mpeg');
  });

  it('knows a voice by its id, in an object, by an alias and by OpenAI’s names', async () => {
    const { speech } = await start();
    const spoken = await Promise.all(
      ['tone', { id: 'tone' }, 'default', 'alloy', 'cedar'].map(async (voice) =>
        bytes(await speech({ voice, response_format: 'pcm' })),
      ),
    );
    for (const one of spoken) expect(one.equals(spoken[0]!)).toBe(true);
  });

  it('speaks faster, and another take for another seed', async () => {
    const { speech } = await start();
    const [normal, fast, other] = await Promise.all(
      [{}, { speed: 2 }, { rhapsode: { seed: 7 } }].map(async (fields) =>
        bytes(await speech({ ...fields, response_format: 'pcm' })),
      ),
    );
    expect(fast!.length).toBeLessThan(normal!.length);
    const spoken = toneSamples(7, 0, 0, toneLength('Hello there.'));
    expect(other!.subarray(0, spoken.length * 2).equals(Buffer.from(pcmBytes(spoken)))).toBe(true);
  });

  it('sends audio before the text is spoken to its end', async () => {
    const { speech } = await start({ realTimeFactor: 0.2 });
    const response = await speech({ input: story, response_format: 'pcm' });
    const reader = response.body!.getReader();
    const first = await reader.read();
    expect(first.value!.length).toBeGreaterThan(0);
    const beganAt = performance.now();
    let rest = first.value!.length;
    for (let part = await reader.read(); !part.done; part = await reader.read()) rest += part.value.length;
    expect(rest).toBeGreaterThan(4 * first.value!.length);
    expect(performance.now() - beganAt).toBeGreaterThan(500);
  });

  it.each([
    ['empty text', { input: '' }, 400, 'text_empty', 'input'],
    ['nothing to speak', { input: ' … \n' }, 400, 'text_empty', 'input'],
    ['signs without a name', { input: '■ \ufffd' }, 400, 'text_empty', 'input'],
    ['too long a text', { input: 'word '.repeat(300) }, 413, 'text_too_long', 'input'],
    ['a megabyte of text', { input: 'a'.repeat(1_000_000) }, 413, 'text_too_long', 'input'],
    ['an unknown voice', { voice: 'nobody' }, 404, 'voice_not_found', 'voice'],
    ['an unknown model', { model: 'gpt-9' }, 404, 'model_not_found', 'model'],
    ['an unknown field', { colour: 'red' }, 400, 'unknown_field', 'colour'],
    ['too high a speed', { speed: 4.5 }, 400, 'invalid_request', 'speed'],
    ['a speed of another type', { speed: 'fast' }, 400, 'invalid_request', 'speed'],
    ['an unknown format', { response_format: 'vorbis' }, 400, 'unsupported_format', 'response_format'],
    ['an unknown stream format', { stream_format: 'ws' }, 400, 'invalid_request', 'stream_format'],
    [
      'a speaker that the voice has not',
      { rhapsode: { speaker: 'bob' } },
      400,
      'unsupported_setting',
      'rhapsode.speaker',
    ],
    [
      'a setting that the voice has not',
      { rhapsode: { settings: { noise_w: 1 } } },
      400,
      'unsupported_setting',
      'rhapsode.settings.noise_w',
    ],
    [
      'a rate that the format can’t have',
      { response_format: 'opus', rhapsode: { sample_rate: 44_100 } },
      400,
      'unsupported_format',
      'rhapsode.sample_rate',
    ],
    [
      'too long a chunk',
      { rhapsode: { chunk_seconds: 5 } },
      400,
      'invalid_request',
      'rhapsode.chunk_seconds',
    ],
    [
      'times without events',
      { rhapsode: { timestamps: true } },
      400,
      'unsupported_setting',
      'rhapsode.timestamps',
    ],
    [
      'two names of one setting that say different things',
      { stream: true, rhapsode: { stream: false } },
      400,
      'invalid_request',
      'rhapsode.stream',
    ],
    [
      'events that come all at once',
      { stream: false, stream_format: 'sse' },
      400,
      'unsupported_setting',
      'stream',
    ],
    [
      'a lexicon rule that says nothing',
      { rhapsode: { lexicon: [{ grapheme: 'a' }] } },
      400,
      'invalid_request',
      'rhapsode.lexicon',
    ],
    [
      'SSML that is not well-formed',
      { input: '<speak>\n<p>x', rhapsode: { input: 'ssml' } },
      400,
      'ssml_invalid',
      'input',
    ],
    [
      'SSML that says nothing',
      { input: '<speak> </speak>', rhapsode: { input: 'ssml' } },
      400,
      'text_empty',
      'input',
    ],
    ['a NUL character', { input: 'a\0b' }, 400, 'invalid_request', 'input'],
    ['a control character', { input: 'bell \u0007' }, 400, 'invalid_request', 'input'],
    ['half a surrogate pair', { input: 'x\ud83d' }, 400, 'invalid_encoding', 'input'],
    ['a text that is no string', { input: 7 }, 400, 'invalid_request', 'input'],
    ['too long instructions', { instructions: 'x'.repeat(5000) }, 400, 'invalid_request', 'instructions'],
  ])('refuses %s, and leaves nothing behind', async (_, fields, status, code, param) => {
    const { speech, backlogSeconds, metrics } = await start();
    expect(await problem(await speech(fields))).toMatchObject({ status, code, param });
    expect(await backlogSeconds()).toBe(0);
    expect((await metrics.render()).body).toContain(`rhapsode_rejected_total{reason="${code}"} 1`);
  });

  it('says how large a body may be to one that is larger, also to a client that sends all before it listens', async () => {
    const { url } = await start();
    const body = JSON.stringify({ input: 'a'.repeat(20_000_000) });
    for (const length of [{ 'content-length': body.length }, { 'transfer-encoding': 'chunked' }]) {
      const headers = { 'content-type': 'application/json', ...length };
      const request = httpRequest(`${url}/v1/audio/speech`, { method: 'POST', agent: false, headers });
      const sent = new Promise<void>((resolve, reject) => {
        request.once('error', reject);
        request.end(body, resolve);
      });
      const [[response]] = await Promise.all([once(request, 'response'), sent]);
      expect(response.statusCode).toBe(413);
      const { error } = (await json(response)) as { error: object };
      expect(error).toMatchObject({
        code: 'payload_too_large',
        message: expect.stringContaining('larger than 4000000 bytes'),
      });
    }
  });

  it('allows tabs and line ends', async () => {
    const { speech } = await start();
    expect((await speech({ input: 'One.\r\n\tTwo.' })).status).toBe(200);
  });

  it('refuses bytes that are not UTF-8', async () => {
    const { post } = await start();
    const body = Buffer.concat([
      Buffer.from('{"model":"tts-1","voice":"tone","input":"caf'),
      Buffer.of(0xe9),
      Buffer.from('"}'),
    ]);
    expect(await problem(await post('/v1/audio/speech', body))).toMatchObject({
      status: 400,
      code: 'invalid_encoding',
    });
  });

  it('refuses what is beyond a tenant’s open utterances, and says when to come again', async () => {
    const { post, speech } = await start({ realTimeFactor: 10, limits: { maxOpenUtterances: 1 } });
    expect((await post('/v1/utterances', { input: story })).status).toBe(201);
    const refused = await speech({});
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await problem(refused)).toMatchObject({ status: 429, code: 'rate_limited' });
  });

  it('refuses at once while the audio log is away', async () => {
    const { speech, backlogSeconds } = await start({ ping: () => new Promise(() => {}) });
    const beganAt = performance.now();
    expect(await problem(await speech({}))).toMatchObject({ status: 503, code: 'log_unavailable' });
    expect(performance.now() - beganAt).toBeLessThan(10_000);
    expect(await backlogSeconds()).toBe(0);
  });

  it('answers the failure of the first sentence with its status, and cuts the stream at a later one', async () => {
    const { speech } = await start();
    const refused = await speech({ input: '{{tone:fail}} now.' });
    expect(await problem(refused)).toMatchObject({ status: 500, code: 'synthesis_failed', segment: 0 });
    const begun = await speech({
      input: 'This is good. And this {{tone:fail}} is not.',
      response_format: 'pcm',
    });
    expect(begun.status).toBe(200);
    await expect(begun.arrayBuffer()).rejects.toThrow();
  });

  it('stops speaking when its client goes away', async () => {
    const { speech, embedded, backlogSeconds } = await start({ realTimeFactor: 0.5 });
    const leaving = new AbortController();
    const response = await speech({ input: story, response_format: 'pcm' }, { signal: leaving.signal });
    const id = response.headers.get('x-rhapsode-utterance')!;
    expect(await backlogSeconds()).toBeGreaterThan(0);
    leaving.abort();
    await until(async () => (await embedded.store.get(id))?.cancelled, {
      what: 'the utterance to be cancelled',
    });
    await until(() => embedded.worker.running() === 0, { what: 'the workers to stop' });
    expect(await backlogSeconds()).toBe(0);
  });

  it('goes on for somebody else who listens when its client goes away', async () => {
    const { speech, get, embedded } = await start({ realTimeFactor: 0.05 });
    const leaving = new AbortController();
    const response = await speech({ input: story, response_format: 'pcm' }, { signal: leaving.signal });
    const id = response.headers.get('x-rhapsode-utterance')!;
    const other = await get(`/v1/utterances/${id}/audio?format=pcm`);
    expect(other.status).toBe(200);
    leaving.abort();
    const heard = (await bytes(other)).length / 2;
    const segments = await embedded.store.segments(id, 0, 100);
    expect(heard).toBe(
      segments.reduce((sum, { text, pauseSamples }) => sum + toneLength(text) + pauseSamples, 0),
    );
  });

  it('stops speaking when its client goes away before the first audio', async () => {
    const { speech, embedded, backlogSeconds } = await start({ realTimeFactor: 5 });
    const leaving = new AbortController();
    const asking = speech({ input: story }, { signal: leaving.signal });
    await until(async () => (await backlogSeconds()) > 0, { what: 'the request to be accepted' });
    leaving.abort();
    await expect(asking).rejects.toThrow();
    await until(async () => (await backlogSeconds()) === 0 && embedded.worker.running() === 0, {
      what: 'the workers to stop',
    });
  });

  it('tells that no collector can be reached', async () => {
    const { speech, backlogSeconds } = await start({
      audio: () => Promise.reject(new RhapsodeError('collector_unavailable')),
    });
    const refused = await speech({});
    expect(refused.headers.get('x-should-retry')).toBe('true');
    expect(await problem(refused)).toMatchObject({ status: 503, code: 'collector_unavailable' });
    expect((await speech({ voice: 'nobody' })).headers.get('x-should-retry')).toBe('false');
    await until(async () => (await backlogSeconds()) === 0, { what: 'the utterance to be forgotten' });
  });

  it('measures the time to the first audio', async () => {
    const { speech, metrics } = await start();
    await bytes(await speech({}));
    expect((await metrics.render()).body).toContain(
      'rhapsode_time_to_first_audio_seconds_count{class="interactive"} 1',
    );
  });

  it('speaks for clients that offer to go on with HTTP/2, as those of Java do', async () => {
    const { url } = await start();
    const body = JSON.stringify({ model: 'tts-1', voice: 'tone', input: 'Hello.', response_format: 'pcm' });
    const offer = httpRequest(`${url}/v1/audio/speech`, {
      method: 'POST',
      headers: {
        connection: 'Upgrade, HTTP2-Settings',
        upgrade: 'h2c',
        'http2-settings': 'AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA',
        'content-type': 'application/json',
      },
    }).end(body);
    const [answer] = (await once(offer, 'response')) as [IncomingMessage];
    expect(answer.statusCode).toBe(200);
    expect((await buffer(answer)).length / 2).toBe(toneLength('Hello.'));
  });

  it('forgets a request that waited behind another one when their connection goes', async () => {
    const { url, backlogSeconds } = await start({
      realTimeFactor: 0.05,
      limits: { maxSpeechCharacters: 100_000 },
    });
    const input = `${story} `.repeat(40);
    const body = JSON.stringify({ model: 'tts-1', voice: 'tone', input, response_format: 'pcm' });
    const request = `POST /v1/audio/speech HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write(request + request);
    const [head] = await once(socket, 'data');
    expect(String(head)).toContain('HTTP/1.1 200');
    socket.destroy();
    await until(async () => (await backlogSeconds()) === 0, { what: 'nothing left to speak' });
  });
});

describe('POST /v1/audio/speech with "stream": false', () => {
  const whole = { rhapsode: { stream: false } };
  /** More sentences than are ever made ahead of a listener. */
  const long = Array.from({ length: 40 }, (_, i) => `Sentence number ${i} tells how it went on.`).join(' ');

  async function samplesOf({ embedded }: Served, response: Response): Promise<number> {
    const id = response.headers.get('x-rhapsode-utterance')!;
    const segments = await embedded.store.segments(id, 0, 1000);
    return segments.reduce((sum, { text, pauseSamples }) => sum + toneLength(text) + pauseSamples, 0);
  }

  it.each(audioFormatNames)('gives %s when all of it is made, exact at its end', async (format) => {
    const served = await start({ limits: { maxSpeechCharacters: 10_000 } });
    const response = await served.speech({ ...whole, input: long, response_format: format });
    expect(response.status).toBe(200);
    expect(await served.backlogSeconds()).toBe(0);
    const samples = await samplesOf(served, response);
    const audio = await bytes(response);
    expect(response.headers.get('content-length')).toBe(
      ['wav', 'pcm', 'mp3'].includes(format) ? String(audio.length) : null,
    );
    if (format === 'wav') expect(parseWav(audio)).toMatchObject({ sized: true, pcm: { length: samples } });
    const { pcm, complaints } = await decode(audio, format);
    expect(complaints).toBe('');
    // Opus is 48 kHz always; ADTS knows only whole frames.
    const exact = { opus: 3 * samples, aac: (1 + Math.ceil(samples / 1024)) * 1024 };
    expect(pcm.length).toBe((exact as Record<string, number>)[format] ?? samples);
  });

  it('understands Kokoro-FastAPI’s name for it, and that it may be true, null or left out', async () => {
    const { speech } = await start({ realTimeFactor: 0.02 });
    const lengths: (string | null)[] = [];
    for (const fields of [
      { stream: false },
      { stream: false, ...whole },
      { stream: null, ...whole },
      { stream: true },
      { rhapsode: { stream: true } },
      {},
    ]) {
      const response = await speech({ input: story, response_format: 'wav', ...fields });
      const { sized } = parseWav(await bytes(response));
      expect(sized).toBe(response.headers.has('content-length'));
      lengths.push(response.headers.get('content-length'));
    }
    expect(lengths.slice(0, 3)).toEqual(lengths.slice(0, 3).map(() => expect.stringMatching(/^\d+$/)));
    expect(lengths[3]).toBe(null);
  });

  it('answers the failure of any sentence with its status', async () => {
    const { speech, backlogSeconds } = await start();
    const refused = await speech({ ...whole, input: `${story} And this {{tone:fail}} is not. ${story}` });
    expect(await problem(refused)).toMatchObject({ status: 500, code: 'synthesis_failed', segment: 8 });
    await until(async () => (await backlogSeconds()) === 0, { what: 'the rest to be forgotten' });
  });

  it('stops speaking when its client goes away before the end', async () => {
    const { speech, embedded, backlogSeconds } = await start({ realTimeFactor: 0.2 });
    const leaving = new AbortController();
    const asking = speech({ ...whole, input: story }, { signal: leaving.signal });
    asking.catch(() => {});
    await until(async () => (await backlogSeconds()) > 0, { what: 'the request to be accepted' });
    leaving.abort();
    await expect(asking).rejects.toThrow();
    await until(async () => (await backlogSeconds()) === 0 && embedded.worker.running() === 0, {
      what: 'the workers to stop',
    });
  });

  it('is not measured as the time to the first audio', async () => {
    const { speech, metrics } = await start();
    await bytes(await speech(whole));
    expect((await metrics.render()).body).not.toMatch(/time_to_first_audio_seconds_count\S* [1-9]/);
  });
});

import { parseWav } from '@rhapsode/audio';
import OpenAI, {
  APIConnectionError,
  APIError,
  APIUserAbortError,
  BadRequestError,
  NotFoundError,
  RateLimitError,
} from 'openai';
import { Stream } from 'openai/core/streaming';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { sceneOf, slowly } from '../faults/scene.ts';
import { decode } from '../support/decode.ts';
import { type Fleet, startFleet } from '../support/fleet.ts';
import { type Reference, speakEmbedded } from '../support/reference.ts';
import { firstDifference } from '../support/same-audio.ts';
import type { Service } from '../support/service.ts';
import { plainText } from '../support/texts.ts';
import { until } from '../support/wait.ts';

type Params = Parameters<OpenAI['audio']['speech']['create']>[0];
type SpeechEvent = { type: string; audio?: string; usage?: unknown };

/** OpenAI's own client, as it is, against the three services. */
describe('OpenAI’s client on Redis and NATS', () => {
  let fleet: Fleet;
  let openai: OpenAI;
  beforeAll(async () => {
    fleet = await startFleet({ collectors: 2 });
    openai = clientOf(fleet.gateway);
  });
  afterAll(() => fleet.stop());
  afterEach(async () => {
    for (const one of [fleet.gateway, ...fleet.workers, ...fleet.collectors])
      if (!one.running) await one.restart();
  });

  const clientOf = (gateway: Service, options: { maxRetries?: number } = {}) =>
    new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0, ...options });
  const pcm = (input: string, more: Partial<Params> = {}) =>
    openai.audio.speech.create({
      model: 'gpt-4o-mini-tts',
      voice: 'alloy',
      input,
      response_format: 'pcm',
      // Samples are compared with the voice's own.
      rhapsode: { sample_rate: 16_000 },
      ...more,
    } as Params);
  const nothingIsMade = () =>
    until(async () => (await fleet.gateway.metric('rhapsode_backlog_audio_seconds')) === 0, {
      what: 'nothing to be made any more',
    });

  it('lists models and finds one', async () => {
    const models = await openai.models.list();
    expect(models.data.map(({ id }) => id)).toEqual(expect.arrayContaining(['tts-1', 'gpt-4o-mini-tts']));
    for await (const model of models) expect(model.object).toBe('model');
    expect(await openai.models.retrieve('tts-1')).toMatchObject({ id: 'tts-1', object: 'model' });
    await expect(openai.models.retrieve('nothing')).rejects.toBeInstanceOf(NotFoundError);
  });

  it('gets a whole answer, sample for sample', async () => {
    const text = plainText(3);
    const { data, response, request_id } = await pcm(text).withResponse();
    expect(response.headers.get('content-type')).toBe('audio/pcm');
    expect(request_id).toBeTruthy();
    expect(firstDifference(samplesOf(await data.arrayBuffer()), await speakEmbedded(text))).toBeUndefined();
  });

  it('gets the formats that it may ask for, whatever the voice is called and however fast', async () => {
    const voices = ['onyx', { id: 'tone' }, 'default', 'marin', 'tone', 'alloy'] as const;
    const answers = await Promise.all(
      (['mp3', 'opus', 'aac', 'flac', 'wav', 'pcm'] as const).map((response_format, n) =>
        pcm('Hello there.', { response_format, voice: voices[n]!, speed: 1.5, instructions: 'softly' }),
      ),
    );
    for (const answer of answers) expect((await answer.blob()).size).toBeGreaterThan(1000);
  });

  it('may write null for what it leaves out', async () => {
    const left = { instructions: null, response_format: null, speed: null, stream_format: null };
    const answer = await pcm('Hello there.', left as unknown as Partial<Params>);
    expect(answer.headers.get('content-type')).toBe('audio/mpeg');
    expect((await answer.blob()).size).toBeGreaterThan(1000);
  });

  it('hears the beginning while the rest is still to be made', async () => {
    const response = await pcm(slowly(plainText(20), 1));
    const reader = response.body!.getReader();
    expect((await reader.read()).value!.length).toBeGreaterThan(0);
    expect(await fleet.gateway.metric('rhapsode_backlog_audio_seconds')).toBeGreaterThan(0);
    await reader.cancel();
    await nothingIsMade();
  });

  it('gets the whole at once, of exact length, when it asks for that', async () => {
    const text = plainText(8);
    const { pcm: spoken } = await speakEmbedded(text);
    for (const asked of [{ stream: false }, { rhapsode: { stream: false } }])
      for (const response_format of ['wav', 'mp3', 'flac'] as const) {
        const answer = await pcm(text, { ...(asked as Partial<Params>), response_format });
        const bytes = Buffer.from(await answer.arrayBuffer());
        const length = response_format === 'flac' ? null : String(bytes.length);
        expect(answer.headers.get('content-length')).toBe(length);
        const { pcm: heard, complaints } = await decode(bytes, response_format);
        expect([response_format, heard.length, complaints]).toEqual([response_format, spoken.length, '']);
        if (response_format === 'wav') expect(parseWav(bytes).sized).toBe(true);
      }
    const failing = pcm(`${text} This {{tone:fail}} fails.`, { stream: false } as Partial<Params>);
    await expect(failing).rejects.toMatchObject({ status: 500, code: 'synthesis_failed' });
    await nothingIsMade();
  });

  it('reads speech as events with its own reader of streams', async () => {
    const text = plainText(3, 60, 5);
    const { events, done } = await eventsOf(await pcm(text, { stream_format: 'sse' }));
    const audio = Buffer.concat(events.map(({ audio = '' }) => Buffer.from(audio, 'base64')));
    const heard = samplesOf(audio.buffer.slice(audio.byteOffset, audio.byteOffset + audio.byteLength));
    expect(firstDifference(heard, await speakEmbedded(text))).toBeUndefined();
    expect(done).toMatchObject({
      type: 'speech.audio.done',
      usage: { input_tokens: text.length, output_tokens: Math.ceil((heard.length / 16_000) * 20) },
    });
  });

  it('reads our own events as such when it asked for them', async () => {
    const extended = { stream_format: 'sse', rhapsode: { timestamps: true } } as Partial<Params>;
    const { events } = await eventsOf(await pcm(plainText(2), extended));
    expect(new Set(events.map(({ type }) => type))).toEqual(
      new Set(['rhapsode.segment', 'speech.audio.delta', 'rhapsode.timestamps']),
    );
  });

  it('throws the error of a stream that fails behind its beginning', async () => {
    const text = `${plainText(1)} This {{tone:fail}} fails.`;
    await expect(eventsOf(await pcm(text, { stream_format: 'sse' }))).rejects.toMatchObject({
      constructor: APIError,
      code: 'synthesis_failed',
    });
    await expect((await pcm(text)).arrayBuffer()).rejects.toThrow();
  });

  it('throws errors of its own classes, with their codes and fields', async () => {
    const refused = async (params: Partial<Params>) =>
      pcm('Hello.', params).then(
        () => undefined,
        (error: unknown) => error as APIError,
      );
    const speed = await refused({ speed: 9 });
    expect(speed).toBeInstanceOf(BadRequestError);
    expect(speed).toMatchObject({ code: 'invalid_request', param: 'speed', type: 'invalid_request_error' });
    expect(speed!.requestID).toBeTruthy();
    const format = await refused({ response_format: 'midi' as 'mp3' });
    expect(format).toBeInstanceOf(BadRequestError);
    expect(format).toMatchObject({ code: 'unsupported_format', param: 'response_format' });
    const voice = await refused({ voice: 'nobody' });
    expect(voice).toBeInstanceOf(NotFoundError);
    expect(voice).toMatchObject({ code: 'voice_not_found', param: 'voice' });
    const model = await refused({ model: 'gpt-9' });
    expect(model).toBeInstanceOf(NotFoundError);
    expect(model).toMatchObject({ code: 'model_not_found', param: 'model' });
  });

  it('is told to wait when it asks for too much, and to come again', async () => {
    const small = await fleet.addGateway({
      RHAPSODE_TENANT: 'small',
      RHAPSODE_MAX_OPEN_UTTERANCES: '1',
      RHAPSODE_MAX_SPEECH_CHARACTERS: '5000',
    });
    const speech = clientOf(small).audio.speech;
    const request = { model: 'tts-1', voice: 'alloy', response_format: 'pcm' } as const;
    const speaking = await speech.create({ ...request, input: slowly(plainText(5), 5) });
    const refused: unknown = await speech.create({ ...request, input: 'Hello.' }).catch((e: unknown) => e);
    expect(refused).toBeInstanceOf(RateLimitError);
    expect(refused).toMatchObject({ code: 'rate_limited' });
    expect(Number((refused as RateLimitError).headers.get('retry-after'))).toBeGreaterThan(0);
    const long: unknown = await speech
      .create({ ...request, input: 'a'.repeat(5001) })
      .catch((e: unknown) => e);
    expect(long).toMatchObject({ status: 413, code: 'text_too_long', param: 'input' });
    await speaking.body!.cancel();
  });

  it('stops the work when it aborts in mid-stream', async () => {
    const leaving = new AbortController();
    const response = await openai.audio.speech.create(
      { model: 'tts-1', voice: 'alloy', response_format: 'pcm', input: slowly(plainText(20), 1) },
      { signal: leaving.signal },
    );
    const reading = response.arrayBuffer();
    leaving.abort();
    await expect(reading).rejects.toThrow();
    await nothingIsMade();
  });

  it('stops the work when it aborts before the first audio', async () => {
    const leaving = new AbortController();
    const asking = openai.audio.speech.create(
      { model: 'tts-1', voice: 'alloy', response_format: 'pcm', input: slowly(plainText(3), 20) },
      { signal: leaving.signal },
    );
    const refused = expect(asking).rejects.toBeInstanceOf(APIUserAbortError);
    await until(async () => (await fleet.gateway.metric('rhapsode_backlog_audio_seconds')) > 0, {
      what: 'the work to begin',
    });
    leaving.abort();
    await refused;
    await nothingIsMade();
  });

  it('tries again while the gateway is away', async () => {
    const patient = clientOf(fleet.gateway, { maxRetries: 10 });
    await fleet.gateway.kill();
    await expect(pcm('Hello.')).rejects.toBeInstanceOf(APIConnectionError);
    const asking = patient.audio.speech.create({
      model: 'tts-1',
      voice: 'alloy',
      response_format: 'pcm',
      input: 'Hello.',
    });
    await fleet.gateway.restart();
    // As OpenAI's is: 24 kHz.
    const heard = samplesOf(await (await asking).arrayBuffer());
    expect(heard.length).toBe(((await speakEmbedded('Hello.')).pcm.length * 3) / 2);
  });

  describe.each(['audio', 'sse'] as const)('as %s', (stream_format) => {
    /** Speaks while `disturb` does its worst; answers what was heard. */
    async function hear(
      input: string,
      reference: Reference,
      disturb: (scene: ReturnType<typeof sceneOf>) => Promise<void>,
    ) {
      const response = await pcm(input, { stream_format });
      const id = response.headers.get('x-rhapsode-utterance')!;
      const scene = sceneOf(fleet, id, reference, async () => {});
      const reading = stream_format === 'sse' ? audioOf(response) : response.arrayBuffer().then(samplesOf);
      const [heard] = await Promise.allSettled([reading, disturb(scene)]);
      return heard;
    }

    it('hears every sample once when a worker and the collectors are killed', {
      timeout: 90_000,
    }, async () => {
      const text = slowly(plainText(5, 60, 7));
      const reference = await speakEmbedded(text, { slots: 5 });
      const heard = await hear(text, reference, async (scene) => {
        const owner = await scene.owner(await scene.at(1, 'first chunk'));
        await scene.at(1, 'middle');
        await owner.kill();
        // Events are made from what the gateway itself hears.
        for (const collector of stream_format === 'sse' ? [] : fleet.collectors) {
          await collector.kill();
          await collector.restart();
        }
      });
      if (heard.status === 'rejected') throw new Error(fleet.output(), { cause: heard.reason });
      expect(firstDifference(heard.value, reference)).toBeUndefined();
    });

    it('never takes the death of the gateway for the end', async () => {
      const text = slowly(plainText(5, 60, 8), 1);
      const reference = await speakEmbedded(text.replaceAll('=1}}', '=0}}'), { slots: 5 });
      const heard = await hear(text, reference, async (scene) => {
        await scene.at(1, 'middle');
        await fleet.gateway.kill();
      });
      expect(heard.status).toBe('rejected');
    });
  });
});

const samplesOf = (bytes: ArrayBuffer) => new Int16Array(bytes);

/** All events with OpenAI's own reader; the last one apart. */
async function eventsOf(response: Response) {
  const events: SpeechEvent[] = [];
  for await (const event of Stream.fromSSEResponse<SpeechEvent>(response, new AbortController()))
    events.push(event);
  return { events: events.slice(0, -1), done: events.at(-1) };
}

async function audioOf(response: Response): Promise<Int16Array> {
  const { events, done } = await eventsOf(response);
  if (done?.type !== 'speech.audio.done') throw new Error(`the stream ends with ${done?.type}`);
  const audio = Buffer.concat(events.map(({ audio = '' }) => Buffer.from(audio, 'base64')));
  return samplesOf(audio.buffer.slice(audio.byteOffset, audio.byteOffset + audio.byteLength) as ArrayBuffer);
}

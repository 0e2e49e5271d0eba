import { toneLength, toneSamples } from '@rhapsode/voices';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../../../test/support/wait.ts';
import { type SpeechEvent, speechEvent } from '../src/speech-event.ts';
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

const story = Array.from({ length: 4 }, (_, i) => `Sentence number ${i} tells how it went on.`).join(' ');

/** The events of an answer, and whether it ended in good order. */
async function eventsOf(response: Response): Promise<{ events: SpeechEvent[]; complete: boolean }> {
  const decoder = new TextDecoder();
  let text = '';
  let complete = true;
  try {
    for await (const part of response.body!) text += decoder.decode(part, { stream: true });
  } catch {
    complete = false;
  }
  const events = text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => {
      expect(block.startsWith('data: ')).toBe(true);
      return speechEvent.parse(JSON.parse(block.slice('data: '.length)));
    });
  return { events, complete };
}

const of = <T extends SpeechEvent['type']>(events: readonly SpeechEvent[], type: T) =>
  events.filter((event): event is Extract<SpeechEvent, { type: T }> => event.type === type);

type Mark = Extract<SpeechEvent, { type: 'rhapsode.timestamps' }>['marks'][number];
const wordsOf = (marks: readonly Mark[]) => marks.flatMap((mark) => (mark.type === 'mark' ? [] : [mark]));

const audioOf = (events: readonly SpeechEvent[]) =>
  Buffer.concat(of(events, 'speech.audio.delta').map(({ audio }) => Buffer.from(audio, 'base64')));

describe('speech as events', () => {
  it.each(['pcm', 'wav', 'mp3', 'opus', 'aac', 'flac'])(
    'gives the bytes of %s that an answer of audio has',
    async (response_format) => {
      const { speech } = await start();
      const asked = { input: story, response_format, rhapsode: { sample_rate: 24_000 } };
      const answers = await Promise.all([speech(asked), speech({ ...asked, stream_format: 'sse' })]);
      for (const { headers } of answers) expect(headers.get('x-rhapsode-sample-rate')).toBe('24000');
      const [plain, events] = await Promise.all([bytes(answers[0]), eventsOf(answers[1])]);
      expect(events.complete).toBe(true);
      expect(audioOf(events.events).equals(plain)).toBe(true);
    },
  );

  it('has OpenAI’s two kinds of events only, and ends with what was used', async () => {
    const { speech } = await start();
    const response = await speech({ stream_format: 'sse', response_format: 'pcm' });
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const { events } = await eventsOf(response);
    expect([...new Set(events.map(({ type }) => type))]).toEqual(['speech.audio.delta', 'speech.audio.done']);
    const { usage } = of(events, 'speech.audio.done')[0]!;
    const seconds = audioOf(events).length / 2 / 16_000;
    expect(usage.input_tokens).toBe('Hello there.'.length);
    expect(usage.output_tokens).toBe(Math.ceil(seconds * 20));
    expect(usage.total_tokens).toBe(usage.input_tokens + usage.output_tokens);
  });

  it('tells every sentence and when each of its words is said, in samples from the start and in places of the source', async () => {
    const { speech } = await start();
    const response = await speech({
      input: story,
      stream_format: 'sse',
      response_format: 'pcm',
      rhapsode: { timestamps: true },
    });
    const { events } = await eventsOf(response);
    const sentences = of(events, 'rhapsode.segment');
    expect(sentences.map(({ text }) => text).join('')).toBe(story);
    const times = of(events, 'rhapsode.timestamps');
    expect(times).toHaveLength(4);
    let at = 0;
    for (const [n, { sample, samples, pause_samples, seconds, marks, from }] of times.entries()) {
      expect([sample, sentences[n]!.sample]).toEqual([at, at]);
      expect(seconds).toBeCloseTo(at / 16_000, 9);
      expect(samples).toBe(toneLength(sentences[n]!.spoken));
      expect(from).toBe('estimated');
      const words = wordsOf(marks);
      expect(words.map(({ start, end }) => story.slice(start, end)).join(' ')).toBe(sentences[n]!.spoken);
      expect(words[0]!.sample).toBe(at);
      expect(words.at(-1)!.sample + words.at(-1)!.samples).toBe(at + samples);
      at += samples + pause_samples;
    }
    expect(audioOf(events).length).toBe(at * 2);
    // Each sentence is told before its audio and timed behind it.
    const order = events.map(({ type }) => type).filter((type) => type.startsWith('rhapsode.'));
    expect(order).toEqual(
      Array.from({ length: 4 }, () => ['rhapsode.segment', 'rhapsode.timestamps']).flat(),
    );
  });

  it('tells where the marks of SSML are, and the exact pauses between', async () => {
    const { speech } = await start();
    const input =
      '<speak>One.<break time="1.5s"/><mark name="here"/>Two &amp; three.<mark name="end"/></speak>';
    const response = await speech({
      input,
      stream_format: 'sse',
      response_format: 'pcm',
      rhapsode: { input: 'ssml', timestamps: true },
    });
    const { events } = await eventsOf(response);
    const [first, second] = of(events, 'rhapsode.timestamps');
    expect(first!.pause_samples).toBe(24_000);
    const named = [...first!.marks, ...second!.marks].filter((mark) => mark.type === 'mark');
    expect(named.map(({ name, sample }) => [name, sample])).toEqual([
      ['here', first!.samples + 24_000],
      ['end', first!.samples + 24_000 + second!.samples],
    ]);
    const words = wordsOf(second!.marks);
    expect(words.map(({ start, end }) => input.slice(start, end))).toEqual(['Two', 'three.']);
  });

  it('tells figures of each chunk and each sentence to whom wants them', async () => {
    const { speech } = await start();
    const response = await speech({
      stream_format: 'sse',
      response_format: 'pcm',
      rhapsode: { metrics: true, chunk_seconds: 0.1 },
    });
    const { events } = await eventsOf(response);
    const chunks = of(events, 'rhapsode.chunk');
    expect(chunks.map(({ chunk }) => chunk)).toEqual(chunks.map((_, n) => n));
    expect(chunks.slice(0, -1).map(({ samples }) => samples)).toEqual(chunks.slice(1).map(() => 1_600));
    expect(chunks.reduce((sum, { samples }) => sum + samples, 0)).toBe(toneLength('Hello there.'));
    expect(of(events, 'rhapsode.metrics')).toHaveLength(1);
    // In the words of a session's `chunk`.
    for (const name of ['elapsed_ms', 'first_chunk_ms', 'rtf', 'queue_ms', 'attempt'] as const)
      expect(chunks[0]![name], name).toBeGreaterThanOrEqual(0);
    expect(chunks[0]!.since_request_ms).toBeGreaterThanOrEqual(chunks[0]!.first_audio_ms);
  });

  it('tells a failure behind the first byte in an event, and never ends in good order then', async () => {
    const { speech } = await start();
    const response = await speech({
      input: 'This is good. And this {{tone:fail}} is not.',
      stream_format: 'sse',
      response_format: 'pcm',
    });
    expect(response.status).toBe(200);
    const { events, complete } = await eventsOf(response);
    expect(complete).toBe(false);
    expect(events.at(-1)).toMatchObject({ type: 'error', error: { code: 'synthesis_failed', segment: 1 } });
    expect(of(events, 'speech.audio.done')).toEqual([]);
  });

  it('answers what fails before with a status of its own', async () => {
    const { speech } = await start();
    const refused = await speech({ input: '{{tone:fail}} now.', stream_format: 'sse' });
    expect(await problem(refused)).toMatchObject({ status: 500, code: 'synthesis_failed', segment: 0 });
  });

  it('stops speaking when its client goes away, and speaks no further than a client reads', async () => {
    const { speech, embedded, backlogSeconds } = await start({ limits: { maxSpeechCharacters: 100_000 } });
    const leaving = new AbortController();
    const response = await speech(
      { input: `${story} `.repeat(300), stream_format: 'sse', response_format: 'pcm' },
      { signal: leaving.signal },
    );
    const id = response.headers.get('x-rhapsode-utterance')!;
    const reader = response.body!.getReader();
    await reader.read();
    // Nothing is taken any more: what is made stands still far before the end.
    let before = -1;
    const state = await until(
      async () => {
        const now = await embedded.store.get(id);
        const still = now!.finished === before && embedded.worker.running() === 0;
        before = now!.finished;
        return still && now;
      },
      { what: 'the work to stand still', everyMs: 300 },
    );
    expect(state.finished).toBeLessThan(600);
    leaving.abort();
    await until(async () => (await embedded.store.get(id))?.cancelled, { what: 'it to be cancelled' });
    expect(await backlogSeconds()).toBe(0);
  });
});

describe('how a text is read', () => {
  it('can be told in SSML, with exact pauses', async () => {
    const { speech } = await start();
    const spoken = await bytes(
      await speech({
        input: '<speak>One.<break time="2s"/>Two.</speak>',
        response_format: 'pcm',
        rhapsode: { input: 'ssml' },
      }),
    );
    expect(spoken.length / 2).toBe(toneLength('One.') + 32_000 + toneLength('Two.'));
  });

  it('is as loud as SSML wants it, to the sample', async () => {
    const { speech } = await start();
    const input = '<speak><prosody volume="-6dB">One is soft.</prosody> Two is not.</speak>';
    const heard = await bytes(await speech({ input, response_format: 'pcm', rhapsode: { input: 'ssml' } }));
    const spoken = toneSamples(0, 0, 0, toneLength('One is soft.'));
    const soft = spoken.map((sample) => Math.round(sample * 10 ** (-6 / 20)));
    expect(heard.subarray(0, soft.length * 2).equals(Buffer.from(soft.buffer))).toBe(true);
    const second = toneSamples(0, 1, 0, toneLength('Two is not.'));
    const last = heard.subarray(heard.length - second.length * 2);
    expect(last.equals(Buffer.from(second.buffer))).toBe(true);
  });

  it('follows the rules of a lexicon and marks in the text', async () => {
    const { speech } = await start();
    const spoken = await bytes(
      await speech({
        input: 'GIF [pause:1s] yes.',
        response_format: 'pcm',
        rhapsode: { inline: true, lexicon: [{ grapheme: 'gif', alias: 'a jif picture' }] },
      }),
    );
    expect(spoken.length / 2).toBe(toneLength('a jif picture') + 16_000 + toneLength('yes.'));
  });

  it('is warned of where the voice can’t follow, in the header and in the last event', async () => {
    const { speech } = await start();
    const fields = {
      input: '<speak><phoneme ph="təˈmɑːtəʊ">tomato</phoneme> <voice name="bøb">hi</voice></speak>',
      rhapsode: { input: 'ssml' },
      response_format: 'pcm',
    };
    const plain = await speech(fields);
    expect(plain.headers.get('x-rhapsode-warning')).toContain('phonemes_unsupported: ');
    expect(plain.headers.get('x-rhapsode-warning')).toContain("'b%C3%B8b'");
    const { events } = await eventsOf(await speech({ ...fields, stream_format: 'sse' }));
    expect(of(events, 'speech.audio.done')[0]!.warnings!.map(({ code }) => code)).toEqual([
      'phonemes_unsupported',
      'voice_cannot',
    ]);
  });

  it('tells the voice, its digest and the times that it took, in headers', async () => {
    const { speech } = await start();
    const { headers } = await speech({});
    expect(headers.get('x-rhapsode-voice')).toBe('tone');
    expect(headers.get('x-rhapsode-voice-digest')).toBe('tone-1');
    expect(headers.get('x-request-id')).toBeTruthy();
    const timing = /^plan;dur=[\d.]+, queue;dur=[\d.]+, synthesis;dur=[\d.]+, first-audio;dur=[\d.]+$/;
    expect(headers.get('server-timing')).toMatch(timing);
    const events = await speech({ stream_format: 'sse', rhapsode: { timestamps: true } });
    expect(events.headers.get('server-timing')).toMatch(timing);
  });
});

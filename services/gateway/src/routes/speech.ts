import {
  type AudioFormat,
  audioFormatNames,
  formatFacts,
  parseAudioFormat,
  parseSampleRate,
} from '@rhapsode/audio';
import type { Utterance } from '@rhapsode/contracts';
import { hearWhole } from '@rhapsode/pipeline';
import {
  type ApiRoute,
  anyQuery,
  disconnectSignal,
  parseRequest,
  type StreamedAnswer,
  sendBody,
} from '@rhapsode/service';
import type { FastifyInstance } from 'fastify';
import { accept } from '../accept.ts';
import type { GatewayDeps, GatewayLimits } from '../deps.ts';
import { speechEvent } from '../speech-event.ts';
import { answerEvents } from '../speech-events.ts';
import { mayWarn } from '../text-options.ts';
import { type Warning, warningHeader } from '../warnings.ts';
import { findModel } from './models.ts';
import { nameOurField, refuseEvents, speechBody, wantsWhole } from './speech-body.ts';

const api: ApiRoute = {
  summary: 'Text in, audio out, streamed while it is made',
  description:
    'OpenAI’s request and answers. The status is sent with the first audio; what fails later cuts the connection, behind an ' +
    '`error` event where the answer is of events. With `rhapsode.stream` false both wait for the last sentence.',
  query: anyQuery,
  body: speechBody,
  examples: {
    plain: { model: 'tts-1', voice: 'alloy', input: 'Hello there.' },
    events: {
      model: 'gpt-4o-mini-tts',
      voice: { id: 'calliope:rms' },
      input: 'Hello there.',
      response_format: 'wav',
      speed: 1.25,
      stream_format: 'sse',
      rhapsode: { timestamps: true, metrics: true },
    },
    whole: {
      model: 'tts-1',
      voice: 'default',
      input: 'Hello there.',
      response_format: 'wav',
      rhapsode: { stream: false },
    },
    ssml: {
      model: 'tts-1',
      voice: 'default',
      input: '<speak>One.<break time="1.5s"/>Two.</speak>',
      rhapsode: { input: 'ssml', seed: 7 },
    },
    lexicon: {
      model: 'tts-1',
      voice: 'default',
      input: 'A GIF.',
      rhapsode: { lexicon: [{ grapheme: 'GIF', alias: 'jif' }] },
    },
  },
  answers: {
    200: {
      description: 'Audio, or events of which each is a `data:` line.',
      types: audioFormatNames.map((name) => formatFacts(name).contentType),
      itemsOf: { 'text/event-stream': speechEvent },
      headers: {
        'content-length':
          'With `rhapsode.stream` false, where the format has a constant bit rate: `wav`, `pcm`, `mp3`.',
        'x-request-id': 'Yours, if you sent one.',
        'x-rhapsode-utterance': 'Its id.',
        'x-rhapsode-voice': 'The voice’s own id.',
        'x-rhapsode-voice-digest': 'Of all that decides the sound.',
        'x-rhapsode-sample-rate': 'Of the audio.',
        'x-rhapsode-warning': 'What could not be honoured: `code: message | code: message`.',
        'server-timing':
          'Milliseconds: `plan` until the text was accepted; of the first chunk `queue` and `synthesis`; `first-audio` until the answer began.',
      },
    },
  },
};

/** `POST /v1/audio/speech`: text in, audio out, streamed while it is made. */
export function speechRoute(app: FastifyInstance, deps: GatewayDeps): void {
  const { audio, dispatcher, drain, log, metrics, hear, store, limits } = deps;

  app.post('/v1/audio/speech', { config: { api } }, async (request, reply) => {
    const body = parseRequest(speechBody, request.body);
    const { model, input, voice, speed, response_format, stream_format, instructions, rhapsode } = body;
    findModel(model);
    const format = parseAudioFormat(response_format, 'response_format');
    const { timestamps = false, metrics: figures = false, stream: _, input: inputType, ...more } = rhapsode;
    const isWhole = wantsWhole(body);
    const { chunk_seconds, settings: others, sample_rate: rate, ...options } = more;
    const sampleRateHz =
      rate === undefined ? usualRate(format, limits) : parseSampleRate(rate, format, 'rhapsode.sample_rate');
    const settings = others || chunk_seconds !== undefined ? { ...others, chunk_seconds } : undefined;
    if (stream_format !== 'sse') refuseEvents({ timestamps, metrics: figures });
    const text = { ...options, inputType, settings };
    const accepted = await accept(
      { input, voice: typeof voice === 'string' ? voice : voice.id, class: 'interactive', speed, ...text },
      deps,
    ).catch(nameOurField);
    const { utterance, stored } = accepted;
    const plannedMs = reply.elapsedTime;
    const { id } = utterance;
    const gone = disconnectSignal(request, reply);
    const lost = new AbortController();
    stored.catch((error: unknown) => lost.abort(error));
    const signal = AbortSignal.any([gone, lost.signal]);
    const warnings = (): Warning[] => [
      ...unknownQuery(request.query),
      ...ignored(instructions),
      ...accepted.warnings,
    ];

    async function begin(): Promise<StreamedAnswer> {
      // Then its length is known, wherever it is asked for.
      if (isWhole) await hearWhole(id, { store, hear: () => hear(id, { signal }), signal });
      if (stream_format !== 'sse') return audio({ id, format, sampleRateHz, owner: true, signal });
      const listening = await hear(id, { signal });
      const elapsedMs = () => reply.elapsedTime;
      return answerEvents(
        listening,
        { input, format, sampleRateHz, timestamps, metrics: figures, warnings, elapsedMs, signal },
        store,
      );
    }

    try {
      const answer = await begin();
      if (mayWarn(text)) await stored;
      const headers = {
        ...speechHeaders(utterance),
        // The rate is that of the bytes, which may not be the voice's.
        ...answer.headers,
        ...(stream_format === 'audio' ? { 'content-type': formatFacts(format).contentType } : {}),
        ...warningHeader(warnings()),
        'server-timing': [
          `plan;dur=${plannedMs.toFixed(1)}`,
          ...[answer.headers['server-timing'] ?? []].flat(),
          `first-audio;dur=${reply.elapsedTime.toFixed(1)}`,
        ].join(', '),
      };
      await sendBody(request, reply, { ...answer, headers }, signal, {
        drain,
        log,
        onFirstByte() {
          // Who wants to wait for the end says nothing of how soon audio could be there.
          if (isWhole) return;
          metrics.timeToFirstAudioSeconds.observe(reply.elapsedTime / 1000, { class: utterance.class });
        },
      });
    } catch (error) {
      throw lost.signal.aborted ? lost.signal.reason : error;
    } finally {
      forget(id).catch((error: unknown) => log.warn({ utterance: id, error }, 'not forgotten'));
    }
    return reply;
  });

  /** Whatever is not made is not needed, and nothing of it is kept; unless others hear it too, who were told its id. */
  async function forget(id: string): Promise<void> {
    if (!(await store.get(id))?.attended) await dispatcher.cancel(id);
  }
}

/** Raw samples tell no rate: clients of OpenAI's take them for 24 kHz. */
const usualRate = (format: AudioFormat, { speechPcmHz }: GatewayLimits): number | undefined =>
  format === 'pcm' && speechPcmHz !== 0 ? speechPcmHz : undefined;

const speechHeaders = ({ id, voice, voiceDigest }: Utterance) => ({
  'x-rhapsode-utterance': id,
  'x-rhapsode-voice': encodeURIComponent(voice),
  'x-rhapsode-voice-digest': voiceDigest,
});

const unknownQuery = (query: unknown): Warning[] =>
  Object.keys(query as object).map((name) => ({
    code: 'unknown_field',
    message: `'${name}' in the query has no effect`,
  }));

const ignored = (instructions: string | undefined): Warning[] =>
  instructions
    ? [{ code: 'instructions_ignored', message: 'instructions are not honoured by this voice' }]
    : [];

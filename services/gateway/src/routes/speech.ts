import {
  type AudioFormat,
  audioFormatNames,
  formatFacts,
  parseAudioFormat,
  parseSampleRate,
} from '@rhapsode/audio';
import { RhapsodeError, speechSettings, type Utterance } from '@rhapsode/contracts';
import {
  type ApiRoute,
  disconnectSignal,
  parseRequest,
  type StreamedAnswer,
  sendBody,
} from '@rhapsode/service';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { accept } from '../accept.ts';
import type { GatewayDeps, GatewayLimits } from '../deps.ts';
import { speechEvent } from '../speech-event.ts';
import { answerEvents } from '../speech-events.ts';
import { inline, inputType, lexicon, mayWarn, normalise } from '../text-options.ts';
import { type Warning, warningHeader } from '../warnings.ts';
import { findModel } from './models.ts';

/** Everything that OpenAI's request has not. */
const extension = z.strictObject({
  input: inputType.optional(),
  normalise: normalise.optional(),
  inline: inline.optional(),
  lexicon: lexicon.optional(),
  sample_rate: z
    .number()
    .optional()
    .describe(
      'Of the audio, in Hz: one that the format knows; if it is left out the voice’s own, but OpenAI’s 24000 for `pcm`.',
    ),
  seed: z
    .int()
    .min(0)
    .max(0xffff_ffff)
    .optional()
    .describe('The same seed, text and voice: the same samples.'),
  speaker: z.string().min(1).max(200).optional().describe('One of the voice’s speakers.'),
  chunk_seconds: speechSettings.shape.chunk_seconds.describe(
    'Audio in each piece: the shorter, the sooner the first, and the more work in all.',
  ),
  settings: speechSettings
    .omit({ chunk_seconds: true })
    .optional()
    .describe('What the voice’s `capabilities.settings` list.'),
  timestamps: z
    .boolean()
    .optional()
    .describe('With `stream_format: "sse"`: also `rhapsode.segment` and `rhapsode.timestamps`.'),
  metrics: z
    .boolean()
    .optional()
    .describe('With `stream_format: "sse"`: also `rhapsode.chunk` and `rhapsode.metrics`.'),
});

/** OpenAI's fields, and one object of our own. */
export const speechBody = z.strictObject({
  model: z.string().min(1).max(200).describe('One of `GET /v1/models`; the voice decides what speaks.'),
  input: z.string().describe('What is to be spoken.'),
  voice: z
    .union([z.string().min(1), z.strictObject({ id: z.string().min(1) })])
    .describe(
      'A voice’s id, `id:speaker`, an alias, one of OpenAI’s names; or `{"id": …}` with such a name.',
    ),
  instructions: z.string().max(4096).optional().describe('Accepted; no voice follows them.'),
  response_format: z
    .string()
    .default('mp3')
    .meta({ description: `One of ${audioFormatNames.join(', ')}.`, enum: [...audioFormatNames] }),
  speed: z.number().min(0.25).max(4).default(1).describe('Within what the voice can.'),
  stream_format: z.enum(['audio', 'sse']).default('audio'),
  rhapsode: extension.default({}).describe('What OpenAI’s request has not.'),
});

const api: ApiRoute = {
  summary: 'Text in, audio out, streamed while it is made',
  description:
    'OpenAI’s request and answers. The status is sent with the first audio; what fails later cuts the connection, behind an ' +
    '`error` event where the answer is of events.',
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
    const { model, input, voice, speed, response_format, stream_format, instructions, rhapsode } =
      parseRequest(speechBody, request.body);
    findModel(model);
    const format = parseAudioFormat(response_format, 'response_format');
    const { timestamps = false, metrics: figures = false, input: inputType, ...more } = rhapsode;
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
    const warnings = (): Warning[] => [...ignored(instructions), ...accepted.warnings];

    async function begin(): Promise<StreamedAnswer> {
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
        onFirstByte: () =>
          metrics.timeToFirstAudioSeconds.observe(reply.elapsedTime / 1000, {
            class: utterance.class,
          }),
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

const ignored = (instructions: string | undefined): Warning[] =>
  instructions
    ? [{ code: 'instructions_ignored', message: 'instructions are not honoured by this voice' }]
    : [];

function refuseEvents(wanted: Readonly<Record<'timestamps' | 'metrics', boolean>>): void {
  const asked = (['timestamps', 'metrics'] as const).find((name) => wanted[name]);
  if (asked)
    throw new RhapsodeError('unsupported_setting', {
      message: `'rhapsode.${asked}' come as events between the audio: ask with "stream_format": "sse"`,
      param: `rhapsode.${asked}`,
    });
}

/** Others call our fields by their bare names; the client wrote them within an object. */
function nameOurField(error: unknown): never {
  if (!(error instanceof RhapsodeError)) throw error;
  const { code, message, param, retryAfterSeconds, segment } = error;
  if (param === undefined || param === 'input') throw error;
  const isSetting = !Object.hasOwn(extension.shape, param) && Object.hasOwn(speechSettings.shape, param);
  if (!isSetting && !Object.hasOwn(extension.shape, param)) throw error;
  throw new RhapsodeError(code, {
    message,
    param: isSetting ? `rhapsode.settings.${param}` : `rhapsode.${param}`,
    cause: error,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(segment === undefined ? {} : { segment }),
  });
}

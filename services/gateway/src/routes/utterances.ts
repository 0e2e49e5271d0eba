import { audioFormatNames, formatFacts, parseAudioFormat, parseSampleRate } from '@rhapsode/audio';
import {
  positionText,
  RhapsodeError,
  speechSettings,
  type Utterance,
  utteranceClass,
  utteranceId,
} from '@rhapsode/contracts';
import { hearWhole } from '@rhapsode/pipeline';
import {
  type ApiRoute,
  checkLength,
  checkText,
  disconnectSignal,
  parseRequest,
  rangeIfSame,
  sendBody,
} from '@rhapsode/service';
import type { UtteranceState } from '@rhapsode/store';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { accept, mostCharacters, type SpokenRequest } from '../accept.ts';
import type { GatewayDeps } from '../deps.ts';
import { ownUtterance } from '../own-utterance.ts';
import { inline, inputType, lexicon, normalise } from '../text-options.ts';
import type { TextSessions } from '../text-sessions.ts';
import type { Warning } from '../warnings.ts';

const creation = z.strictObject({
  input: z.string().optional().describe('Needed unless `open`; then it may be the first piece.'),
  open: z.boolean().default(false).describe('More text will come: to `text_url`, at last to `finish_url`.'),
  voice: z.string().min(1).default('default'),
  id: utteranceId.optional().describe('Chosen by you, it makes a repeated request harmless.'),
  class: utteranceClass
    .default('interactive')
    .describe('`interactive`: somebody listens. `bulk`: an audiobook, a download.'),
  speaker: z.string().min(1).max(200).optional(),
  speed: z.number().min(0.25).max(4).default(1),
  seed: z.int().min(0).max(0xffff_ffff).default(0),
  input_type: inputType.optional(),
  normalise: normalise.optional(),
  inline: inline.optional(),
  lexicon: lexicon.optional(),
  settings: speechSettings.optional().describe('What the voice’s `capabilities.settings` list.'),
});

const query = z.strictObject({
  format: z
    .string()
    .default('wav')
    .meta({ description: `One of ${audioFormatNames.join(', ')}.`, enum: [...audioFormatNames] }),
  sample_rate: z.coerce.number().optional().describe('In Hz; by default that of the voice.'),
  stream: z
    .enum(['true', 'false'])
    .default('true')
    .describe('`false`: the answer begins when all is made, and tells its length.'),
  from: positionText.optional().describe('Begins a sequence of its own at `segment:sample`.'),
});

const created = z.object({
  id: utteranceId,
  object: z.literal('utterance'),
  audio_url: z.string(),
  text_url: z.string().optional().describe('Where the next pieces of an open text go.'),
  finish_url: z.string().optional(),
  voice: z.string(),
  class: utteranceClass,
  sample_rate_hz: z.int(),
  segments: z.int().min(0),
  warnings: z.array(z.object({ code: z.string(), message: z.string() })).optional(),
});
const creationApi: ApiRoute = {
  summary: 'Accepts a text to be spoken',
  description: 'Answered when every sentence is stored: from then on it is kept.',
  body: creation,
  examples: {
    whole: { input: 'Hello there.', voice: 'default', id: 'greeting01', seed: 7 },
    book: { input: 'Call me Ishmael.', class: 'bulk', speaker: 'rms', speed: 1.1 },
    arriving: { open: true },
    ssml: { input: '<speak>One.<break time="1s"/>Two.</speak>', input_type: 'ssml' },
  },
  answers: { 201: { description: 'It is stored.', schema: created } },
};

const stateSchema = z.object({
  id: utteranceId,
  object: z.literal('utterance'),
  state: z.enum(['queued', 'running', 'succeeded', 'failed', 'cancelled']),
  class: utteranceClass,
  voice: z.string(),
  speed: z.number(),
  seed: z.int(),
  sample_rate_hz: z.int(),
  segments: z.int(),
  segments_finished: z.int(),
  segments_failed: z.int(),
  segments_consumed: z.int(),
  text_complete: z.boolean(),
  created_at: z.string(),
  audio_url: z.string(),
});
const stateApi: ApiRoute = {
  summary: 'How far an utterance is',
  answers: { 200: { description: 'Sentences by what has become of them.', schema: stateSchema } },
};
const cancelApi: ApiRoute = {
  summary: 'Cancels an utterance',
  description: 'Nothing waiting is started, what runs stops, its audio is forgotten.',
  answers: { 204: { description: 'It is cancelled.' } },
};
const types = audioFormatNames.map((name) => formatFacts(name).contentType);
const audioApi: ApiRoute = {
  summary: 'Its audio, from any offset, for any number of listeners',
  description: '`Range` works for every format, at every time, also while the audio is still made.',
  query,
  answers: {
    200: { description: 'The whole.', types },
    206: { description: 'What `Range` asked for.', types, headers: { 'content-range': 'Which bytes.' } },
  },
};
const headApi: ApiRoute = {
  summary: 'What is known of its audio without making any',
  query,
  answers: { 200: { description: 'Headers; `content-length` where the length is known.' } },
};

/** Utterances that outlive a connection: create, look at, listen to from anywhere, cancel. */
export function utteranceRoutes(app: FastifyInstance, deps: GatewayDeps, texts: TextSessions): void {
  const { store, dispatcher, audio, describeAudio, drain, hear, log } = deps;

  app.post('/v1/utterances', { config: { api: creationApi } }, async (request, reply) => {
    const { input, open, input_type, ...fields } = parseRequest(creation, request.body);
    const rest = { ...fields, inputType: input_type };
    const { utterance, segments, warnings } = open
      ? await createOpen(input, rest)
      : await createWhole(needInput(input), rest);
    const path = `/v1/utterances/${utterance.id}`;
    return reply
      .code(201)
      .header('location', path)
      .send({
        id: utterance.id,
        object: 'utterance',
        audio_url: `${path}/audio`,
        ...(open ? { text_url: `${path}/text`, finish_url: `${path}/finish` } : {}),
        voice: utterance.voice,
        class: utterance.class,
        sample_rate_hz: utterance.sampleRateHz,
        segments,
        ...(warnings.length > 0 ? { warnings } : {}),
      });
  });

  async function createWhole(input: string, rest: SpokenRequest): Promise<Created> {
    const accepted = await accept({ input, ...rest }, deps);
    const segments = await accepted.stored;
    return { utterance: accepted.utterance, segments, warnings: accepted.warnings };
  }

  async function createOpen(input = '', rest: SpokenRequest): Promise<Created> {
    checkLength(input, mostCharacters(rest, deps), 'input');
    checkText(input, 'input');
    const text = await texts.open(rest);
    if (input !== '') await text.add({ at: 0, text: input });
    return text;
  }

  app.get('/v1/utterances/:id', { config: { api: stateApi } }, async (request) =>
    describe(await ownUtterance(request.params, deps)),
  );

  app.delete('/v1/utterances/:id', { config: { api: cancelApi } }, async (request, reply) => {
    const { utterance } = await ownUtterance(request.params, deps);
    await dispatcher.cancel(utterance.id);
    return reply.code(204).send();
  });

  app.get(
    '/v1/utterances/:id/audio',
    { exposeHeadRoute: false, config: { api: audioApi } },
    async (request, reply) => {
      const signal = disconnectSignal(request, reply);
      const { isWhole, ...asked } = await wantedOf(request);
      const wanted = { ...asked, signal };
      if (isWhole)
        await hearWhole(wanted.id, { store, hear: (id) => hear(id, { guest: true, signal }), signal });
      const range = await rangeIfSame(request.headers, () => describeAudio(wanted));
      const answer = await audio({ ...wanted, range }).catch(async (error: unknown) => {
        if (error instanceof RhapsodeError && error.code === 'range_not_satisfiable') {
          const { 'content-length': length } = await describeAudio(wanted);
          if (length !== undefined) void reply.header('content-range', `bytes */${length}`);
        }
        throw error;
      });
      await sendBody(request, reply, answer, signal, { drain, log });
      return reply;
    },
  );

  app.head('/v1/utterances/:id/audio', { config: { api: headApi } }, async (request, reply) => {
    const signal = disconnectSignal(request, reply);
    const { isWhole: _, ...wanted } = await wantedOf(request);
    return reply.headers(await describeAudio({ ...wanted, signal })).send();
  });

  async function wantedOf({ params, query: asked }: FastifyRequest) {
    const { format: name, sample_rate: rate, from, stream } = parseRequest(query, asked);
    const format = parseAudioFormat(name, 'format');
    const sampleRateHz = rate === undefined ? undefined : parseSampleRate(rate, format, 'sample_rate');
    const { utterance } = await ownUtterance(params, deps);
    return { id: utterance.id, format, sampleRateHz, from, isWhole: stream === 'false' };
  }
}

interface Created {
  readonly utterance: Utterance;
  readonly segments: number;
  readonly warnings: readonly Warning[];
}

function needInput(input: string | undefined): string {
  if (input === undefined)
    throw new RhapsodeError('invalid_request', {
      message: '\'input\' is missing; or say "open": true and send the text later',
      param: 'input',
    });
  return input;
}

function describe(state: UtteranceState) {
  const { utterance, segments, sealed, finished, failed, consumed, cancelled } = state;
  const done = sealed && finished + failed >= segments;
  return {
    id: utterance.id,
    object: 'utterance',
    state: cancelled
      ? 'cancelled'
      : failed > 0
        ? 'failed'
        : done
          ? 'succeeded'
          : finished > 0
            ? 'running'
            : 'queued',
    class: utterance.class,
    voice: utterance.voice,
    speed: utterance.speed,
    seed: utterance.seed,
    sample_rate_hz: utterance.sampleRateHz,
    segments,
    segments_finished: finished,
    segments_failed: failed,
    segments_consumed: consumed,
    text_complete: sealed,
    created_at: new Date(utterance.createdAtMs).toISOString(),
    audio_url: `/v1/utterances/${utterance.id}/audio`,
  };
}

import { audioFormatNames, parseAudioFormat, parseSampleRate } from '@rhapsode/audio';
import {
  positionText,
  RhapsodeError,
  speechSettings,
  type Utterance,
  utteranceClass,
  utteranceId,
} from '@rhapsode/contracts';
import { checkText, disconnectSignal, parseRequest, sendBody } from '@rhapsode/service';
import type { UtteranceState } from '@rhapsode/store';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { accept, type SpokenRequest } from '../accept.ts';
import type { GatewayDeps } from '../deps.ts';
import { ownUtterance } from '../own-utterance.ts';
import { inline, inputType, lexicon, normalise } from '../text-options.ts';
import type { TextSessions } from '../text-sessions.ts';
import type { Warning } from '../warnings.ts';

const creation = z.strictObject({
  /** Needed unless `open`; then it may be the first piece. */
  input: z.string().optional(),
  /** More text will come: POST {id}/text, at last {id}/finish. */
  open: z.boolean().default(false),
  voice: z.string().min(1).default('default'),
  /** Chosen by the client to make a repeated request harmless. */
  id: utteranceId.optional(),
  class: utteranceClass.default('interactive'),
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
    .describe(`one of ${audioFormatNames.join(', ')}`),
  sample_rate: z.coerce.number().optional().describe('in Hz; by default that of the voice'),
  from: positionText.optional(),
});

/** Utterances that outlive a connection: create, look at, listen to from anywhere, cancel. */
export function utteranceRoutes(app: FastifyInstance, deps: GatewayDeps, texts: TextSessions): void {
  const { dispatcher, audio, drain, log } = deps;

  app.post('/v1/utterances', async (request, reply) => {
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
    checkText(input, 'input');
    const text = await texts.open(rest);
    if (input !== '') await text.add({ at: 0, text: input });
    return text;
  }

  app.get('/v1/utterances/:id', async (request) => describe(await ownUtterance(request.params, deps)));

  app.delete('/v1/utterances/:id', async (request, reply) => {
    const { utterance } = await ownUtterance(request.params, deps);
    await dispatcher.cancel(utterance.id);
    return reply.code(204).send();
  });

  app.get('/v1/utterances/:id/audio', { exposeHeadRoute: false }, async (request, reply) => {
    const { format: name, sample_rate: rate, from } = parseRequest(query, request.query);
    const format = parseAudioFormat(name, 'format');
    const sampleRateHz = rate === undefined ? undefined : parseSampleRate(rate, format, 'sample_rate');
    const { utterance } = await ownUtterance(request.params, deps);
    const signal = disconnectSignal(request, reply);
    const answer = await audio({
      id: utterance.id,
      format,
      sampleRateHz,
      from,
      range: request.headers.range,
      signal,
    });
    await sendBody(request, reply, answer, signal, { drain, log });
    return reply;
  });
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

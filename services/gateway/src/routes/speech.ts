import { audioFormatNames, formatFacts, parseAudioFormat } from '@rhapsode/audio';
import { RhapsodeError } from '@rhapsode/contracts';
import { disconnectSignal, parseRequest, sendBody } from '@rhapsode/service';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { accept } from '../accept.ts';
import type { GatewayDeps } from '../deps.ts';
import { findModel } from './models.ts';

/** OpenAI's fields, and one object of our own. */
const body = z.strictObject({
  model: z.string().min(1).max(200),
  input: z.string(),
  voice: z.union([z.string().min(1), z.strictObject({ id: z.string().min(1) })]),
  instructions: z.string().max(4096).optional(),
  response_format: z
    .string()
    .default('mp3')
    .describe(`one of ${audioFormatNames.join(', ')}`),
  speed: z.number().min(0.25).max(4).default(1),
  stream_format: z.enum(['audio', 'sse']).default('audio'),
  rhapsode: z
    .strictObject({
      seed: z.int().min(0).max(0xffff_ffff).optional(),
      speaker: z.string().min(1).max(200).optional(),
    })
    .default({}),
});

/** `POST /v1/audio/speech`: text in, audio out, streamed while it is made. */
export function speechRoute(app: FastifyInstance, deps: GatewayDeps): void {
  const { audio, dispatcher, drain, log, metrics } = deps;

  app.post('/v1/audio/speech', async (request, reply) => {
    const { model, input, voice, speed, response_format, stream_format, instructions, rhapsode } =
      parseRequest(body, request.body);
    findModel(model);
    const format = parseAudioFormat(response_format, 'response_format');
    if (stream_format === 'sse')
      throw new RhapsodeError('unsupported_format', {
        message: "stream_format 'sse' is not supported; use 'audio'",
        param: 'stream_format',
      });
    const { utterance, stored } = await accept(
      {
        input,
        voice: typeof voice === 'string' ? voice : voice.id,
        class: 'interactive',
        speed,
        ...rhapsode,
      },
      deps,
    );
    const { id } = utterance;
    const gone = disconnectSignal(request, reply);
    const lost = new AbortController();
    stored.catch((error: unknown) => lost.abort(error));
    const signal = AbortSignal.any([gone, lost.signal]);

    try {
      const answer = await audio({ id, format, signal });
      const warnings = instructions
        ? { 'x-rhapsode-warning': 'instructions are not honoured by this voice' }
        : {};
      const headers = { ...answer.headers, 'content-type': formatFacts(format).contentType, ...warnings };
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
      // Nobody else knows of it: whatever is not made is not needed, and nothing of it is kept.
      dispatcher.cancel(id).catch((error: unknown) => log.warn({ utterance: id, error }, 'not forgotten'));
    }
    return reply;
  });
}

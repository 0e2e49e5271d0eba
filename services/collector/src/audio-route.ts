import { audioFormatNames, parseAudioFormat } from '@rhapsode/audio';
import { positionText, RhapsodeError, utteranceId } from '@rhapsode/contracts';
import type { ListenDeps } from '@rhapsode/pipeline';
import { createSocketDrain, disconnectSignal, parseRequest, sendBody } from '@rhapsode/service';
import type { Lifecycle, Log, Metrics } from '@rhapsode/telemetry';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { answerAudio, describeAudio } from './audio-answer.ts';

const params = z.object({ id: utteranceId });
const query = z.strictObject({
  format: z
    .string()
    .default('wav')
    .describe(`one of ${audioFormatNames.join(', ')}`),
  from: positionText.optional(),
});

export interface AudioRouteDeps extends ListenDeps {
  readonly log: ListenDeps['log'];
  readonly logger: Log;
  readonly metrics: Metrics;
  readonly lifecycle: Lifecycle;
}

/** `GET /v1/utterances/{id}/audio?format=&from=`: an utterance's audio, from any offset, to any number of listeners. */
export function audioRoute(app: FastifyInstance, deps: AudioRouteDeps): void {
  const { logger, metrics } = deps;
  const drain = createSocketDrain();

  app.get('/v1/utterances/:id/audio', { exposeHeadRoute: false }, async (request, reply) => {
    const { id } = idOf(request.params);
    const { format, from } = parseRequest(query, request.query);
    const signal = disconnectSignal(request, reply);
    const wanted = { id, format: parseAudioFormat(format, 'format'), from, range: request.headers.range };
    const answer = await answerAudio({ ...wanted, signal }, deps).catch(async (error: unknown) => {
      if (error instanceof RhapsodeError && error.code === 'range_not_satisfiable') {
        const { 'content-length': length } = await describeAudio(wanted, deps);
        if (length !== undefined) void reply.header('content-range', `bytes */${length}`);
      }
      throw error;
    });
    metrics.streamsOpen.add(1);
    try {
      await sendBody(request, reply, answer, signal, {
        drain,
        log: logger,
        onGap: (seconds) => metrics.interchunkGapSeconds.observe(seconds),
      });
    } finally {
      metrics.streamsOpen.add(-1);
    }
    return reply;
  });

  app.head('/v1/utterances/:id/audio', async (request, reply) => {
    const { id } = idOf(request.params);
    const { format, from } = parseRequest(query, request.query);
    const headers = await describeAudio({ id, format: parseAudioFormat(format, 'format'), from }, deps);
    return reply.headers(headers).send();
  });
}

/** An id that can't be one is of no utterance. */
function idOf(value: unknown): { id: string } {
  const parsed = params.safeParse(value);
  if (!parsed.success) throw new RhapsodeError('utterance_not_found');
  return parsed.data;
}

import { audioFormatNames, parseAudioFormat, parseSampleRate } from '@rhapsode/audio';
import { positionText, RhapsodeError, utteranceId } from '@rhapsode/contracts';
import { hearWhole, type ListenDeps, listen } from '@rhapsode/pipeline';
import {
  createSocketDrain,
  disconnectSignal,
  ownerHeader,
  parseRequest,
  rangeIfSame,
  sendBody,
} from '@rhapsode/service';
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
  sample_rate: z.coerce.number().optional().describe('in Hz; by default that of the voice'),
  stream: z.enum(['true', 'false']).default('true').describe('false: begins when all is made'),
  from: positionText.optional(),
});

/** What a request asks for; a format or rate that can't be is refused by name. */
function wantedOf(value: unknown) {
  const { format: name, sample_rate: rate, from, stream } = parseRequest(query, value);
  const format = parseAudioFormat(name, 'format');
  const sampleRateHz = rate === undefined ? undefined : parseSampleRate(rate, format, 'sample_rate');
  return { format, sampleRateHz, from, isWhole: stream === 'false' };
}

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
    const owner = request.headers[ownerHeader] !== undefined;
    const { isWhole, ...asked } = wantedOf(request.query);
    const range = await rangeIfSame(request.headers, () => describeAudio({ id, ...asked }, deps));
    const wanted = { id, ...asked, range, owner };
    const signal = disconnectSignal(request, reply);
    const hear = () => listen(id, { guest: !owner, signal }, deps);
    if (isWhole) await hearWhole(id, { store: deps.store, hear, signal });
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
    const { isWhole: _, ...asked } = wantedOf(request.query);
    const headers = await describeAudio({ id, ...asked }, deps);
    return reply.headers(headers).send();
  });
}

/** An id that can't be one is of no utterance. */
function idOf(value: unknown): { id: string } {
  const parsed = params.safeParse(value);
  if (!parsed.success) throw new RhapsodeError('utterance_not_found');
  return parsed.data;
}

import type { Socket } from 'node:net';
import type { WebSocket } from '@fastify/websocket';
import { asRhapsodeError, RhapsodeError } from '@rhapsode/contracts';
import {
  type ApiRoute,
  anyQuery,
  disconnectSignal,
  parseRequest,
  prepend,
  sendBody,
} from '@rhapsode/service';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { GatewayDeps } from '../deps.ts';
import { speakWhole } from '../live-speech.ts';
import { closedSignal, keepAlive, readMessages, sendFrame } from '../web-sockets.ts';
import { createAudioOut } from './audio-out.ts';
import { failureBody } from './failure.ts';
import { flag, formatFields, parseFormat } from './formats.ts';
import { told } from './messages.ts';
import { createLmntSession } from './session.ts';
import { lmntVoice } from './voices.ts';
import { type Word, wordsOf } from './words.ts';

const speech = z.looseObject({
  text: z.string(),
  voice: z.string().min(1),
  ...formatFields,
  speed: z.coerce.number().min(0.25).max(4).nullish(),
  seed: z.coerce.number().int().min(0).max(0xffff_ffff).nullish(),
  length: z.undefined("it is not supported, for a voice speaks as long as it takes; use 'speed'").optional(),
  return_timestamps: flag.nullish(),
  return_durations: flag.nullish(),
});

/** LMNT's own documents tell more; here is what is read. */
const lmntApi = (summary: string, description: string, more: Partial<ApiRoute> = {}): ApiRoute => ({
  summary,
  query: anyQuery,
  answers: { 200: { description } },
  ...more,
});
const speechApi = (summary: string, description: string): ApiRoute =>
  lmntApi(summary, description, {
    body: speech,
    examples: { short: { text: 'Hello there.', voice: 'default', format: 'wav' } },
  });

/** Of a text whose audio is answered as a whole; LMNT's own limit. */
const mostCharacters = 5_000;
const bodyLimit = 4 << 20;
const firstMessageMs = 10_000;
const streamPath = '/v1/ai/speech/stream';

/** The API of LMNT, so that its clients work with a changed base URL. */
export function lmntRoutes(app: FastifyInstance, deps: GatewayDeps): void {
  void app.register(async (scope) => {
    tellFailures(scope, deps);
    takeForms(scope);
    streamRoute(scope, deps);
    speechRoutes(scope, deps);
    voiceRoutes(scope, deps);
  });
}

function tellFailures(scope: FastifyInstance, { log, metrics }: GatewayDeps): void {
  scope.addHook('onRequest', async (request, reply) => void reply.header('request-id', request.id));
  scope.setErrorHandler((thrown, request, reply) => {
    const error = translate(thrown);
    // Nobody is there to hear of it.
    if (reply.raw.destroyed) return reply;
    metrics.rejectedTotal.add(1, { reason: error.code });
    const severe = error.status >= 500 && error.status !== 503;
    log[severe ? 'error' : 'debug'](
      { requestId: request.id, error: thrown, code: error.code },
      'LMNT request failed',
    );
    const retryAfter = error.retryAfterSeconds ?? (error.status === 503 ? 1 : undefined);
    if (retryAfter !== undefined) void reply.header('retry-after', String(retryAfter));
    const version = request.headers['lmnt-version'] === undefined ? 'old' : '1.1';
    return reply
      .code(error.status)
      .type('application/json')
      .send(failureBody(error, version, request.id));
  });
}

function translate(thrown: unknown): RhapsodeError {
  const { code } = thrown as { code?: unknown };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new RhapsodeError('payload_too_large', { cause: thrown });
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return new RhapsodeError('unsupported_media_type', {
      message: 'The content type is not supported; send application/json or a form.',
      cause: thrown,
    });
  return asRhapsodeError(thrown);
}

/** The first clients send a form, those in Python without the parts of a multipart one. */
function takeForms(scope: FastifyInstance): void {
  scope.addContentTypeParser(
    ['multipart/form-data', 'application/x-www-form-urlencoded'],
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      const headers = { 'content-type': request.headers['content-type']! };
      try {
        return Object.fromEntries(await new Response(new Uint8Array(body), { headers }).formData());
      } catch (cause) {
        throw new RhapsodeError('invalid_request', { message: 'The form cannot be read.', cause });
      }
    },
  );
}

function streamRoute(scope: FastifyInstance, deps: GatewayDeps): void {
  scope.route({
    method: 'GET',
    url: streamPath,
    exposeHeadRoute: false,
    config: {
      api: lmntApi('LMNT’s streaming session, a WebSocket', 'Never: it is upgraded.', {
        answers: { 101: { description: 'The session begins.' } },
      }),
    },
    handler: () => {
      throw new RhapsodeError('invalid_request', {
        message: `${streamPath} is a WebSocket; connect to it with ws:// or wss://`,
      });
    },
    wsHandler: (ws, request) => serve(ws, request.raw.socket, deps, request.id),
  });
}

function serve(ws: WebSocket, socket: Socket, deps: GatewayDeps, requestId: string): void {
  const { drain, log } = deps;
  const closed = closedSignal(ws, socket);
  const startedAtMs = performance.now();
  const session = createLmntSession(
    deps,
    {
      closed,
      text: (message) => sendFrame(ws, socket, JSON.stringify(message), { drain, closed }),
      audio: (bytes) => sendFrame(ws, socket, bytes, { drain, closed }),
      close: (code, reason) => ws.close(code, reason),
    },
    requestId,
  );
  keepAlive(ws, socket);
  const silent = setTimeout(() => ws.close(1008, 'no first message came'), firstMessageMs).unref();
  ws.once('message', () => clearTimeout(silent));
  readMessages(ws, session.take);
  ws.once('close', (code) => {
    clearTimeout(silent);
    log.info({ requestId, code, ms: Math.round(performance.now() - startedAtMs) }, 'LMNT session');
  });
}

function speechRoutes(scope: FastifyInstance, deps: GatewayDeps): void {
  const { drain, log } = deps;

  async function begin(request: FastifyRequest, reply: FastifyReply, limit?: number) {
    const fields = parseRequest(speech, request.body);
    const { text, voice, speed, seed } = fields;
    if (limit !== undefined && [...text.slice(0, 2 * limit + 1)].length > limit)
      throw new RhapsodeError('text_too_long', {
        message: `'text' is longer than ${limit} characters; use /v1/ai/speech/bytes`,
        param: 'text',
      });
    const wanted = parseFormat(fields);
    const signal = disconnectSignal(request, reply);
    const spoken = {
      input: text,
      voice,
      class: 'interactive',
      speed: speed ?? undefined,
      seed: seed ?? undefined,
    } as const;
    const live = await speakWhole(spoken, deps, signal);
    const ignored = told(fields);
    if (ignored.length > 0)
      void reply.header('x-rhapsode-warning', `not honoured by this voice: ${ignored.join(', ')}`);
    return { live, wanted, signal, fields };
  }

  async function* encoded(
    { live, wanted }: Awaited<ReturnType<typeof begin>>,
    tell: (words: readonly Word[]) => void = () => {},
    tellHeader: (header: Uint8Array) => void = () => {},
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const { sampleRateHz } = live.utterance;
    const out = createAudioOut(wanted, sampleRateHz);
    let given = 0;
    let begun = 0;
    try {
      for await (const piece of live.pieces)
        if (piece.type === 'audio' || piece.type === 'pause') {
          given += piece.pcm.length / 2;
          const bytes = await out.push(piece.pcm);
          if (bytes.length > 0) yield bytes;
        } else if (piece.type === 'segment') {
          const bytes = await out.endSentence();
          if (bytes.length > 0) yield bytes;
          tell(wordsOf(piece, begun, sampleRateHz));
          begun = given;
        }
      tellHeader(out.header());
      const rest = await out.flush();
      if (rest.length > 0) yield rest;
    } finally {
      await out.close();
    }
  }

  scope.post(
    '/v1/ai/speech/bytes',
    { bodyLimit, config: { api: speechApi('LMNT’s speech, streamed', 'Audio.') } },
    async (request, reply) => {
      const begun = await begin(request, reply);
      const { wanted, signal } = begun;
      const body = encoded(begun);
      // What fails before the first audio still has a status of its own.
      const first = await body.next();
      const headers = { 'content-type': wanted.contentType };
      await sendBody(request, reply, { status: 200, headers, body: prepend(first, body) }, signal, {
        drain,
        log,
      });
      return reply;
    },
  );

  scope.post(
    '/v1/ai/speech',
    { bodyLimit, config: { api: speechApi('LMNT’s speech, whole', 'Audio in base64, and times.') } },
    async (request, reply) => {
      const begun = await begin(request, reply, mostCharacters);
      const { fields } = begun;
      const parts: Uint8Array[] = [];
      const words: Word[] = [];
      let header: Uint8Array | undefined;
      const tellHeader = (told: Uint8Array) => {
        header = told;
      };
      const bytes = encoded(begun, (some) => words.push(...some), tellHeader);
      for await (const part of bytes) parts.push(part.slice());
      const audio = Buffer.concat(parts);
      // Now its length is known.
      if (header) audio.set(header);
      return {
        audio: audio.toString('base64'),
        ...(request.headers['lmnt-version'] === undefined ? { seed: begun.live.utterance.seed } : {}),
        ...(fields.return_durations ? { durations: words } : {}),
        ...(fields.return_timestamps ? { timestamps: words } : {}),
      };
    },
  );
}

function voiceRoutes(scope: FastifyInstance, { voices }: GatewayDeps): void {
  const query = z.looseObject({
    owner: z.enum(['system', 'me', 'all']).default('all'),
    starred: flag.default(false),
  });

  scope.get(
    '/v1/ai/voice/list',
    { config: { api: lmntApi('LMNT’s list of voices', 'All.', { query }) } },
    async (request) => {
      const { owner, starred } = parseRequest(query, request.query);
      if (owner === 'me' || starred) return [];
      return (await voices.list()).map(lmntVoice);
    },
  );

  scope.get<{ Params: { id: string } }>(
    '/v1/ai/voice/:id',
    { config: { api: lmntApi('One voice, as LMNT tells it', 'The voice.') } },
    async (request) => lmntVoice(await voices.find(request.params.id, 'id')),
  );
}

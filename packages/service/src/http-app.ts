import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type ErrorCode, errorBody, RhapsodeError } from '@rhapsode/contracts';
import type { Lifecycle } from '@rhapsode/telemetry';
import fastify, { type FastifyInstance } from 'fastify';
import { checkQueries, watchRoutes } from './api-routes.ts';
import { allowOrigins, guardWebSockets, isWebSocket } from './cors.ts';
import { answerErrors, type ErrorDeps, sendError } from './http-errors.ts';
import { acceptJson } from './strict-json.ts';

export interface HttpAppOptions extends ErrorDeps {
  readonly lifecycle: Lifecycle;
  readonly bodyLimitBytes?: number;
  /** Pages that may call from a browser. */
  readonly corsOrigins?: readonly string[];
  /** A request whose head, or whose whole, takes longer to arrive is refused: a slow sender holds a socket for nothing. */
  readonly headersTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
}

const requestIdPattern = /^[\w.-]{1,64}$/;

/** An HTTP application with our envelope, limits, request ids and log lines, and no routes yet. */
export function createHttpApp(options: HttpAppOptions): FastifyInstance {
  const {
    log,
    lifecycle,
    bodyLimitBytes = 1 << 20,
    corsOrigins = [],
    headersTimeoutMs = 10_000,
    requestTimeoutMs = 60_000,
  } = options;
  const app = fastify({
    logger: false,
    bodyLimit: bodyLimitBytes,
    requestTimeout: requestTimeoutMs,
    http: {
      headersTimeout: headersTimeoutMs,
      // A listener whose machine went away without a word is noticed.
      keepAlive: true,
      keepAliveInitialDelay: 30_000,
      connectionsCheckingInterval: Math.min(2_000, headersTimeoutMs),
      shouldUpgradeCallback: isAcceptedUpgrade,
    },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    genReqId: ({ headers: { 'x-request-id': given } }) =>
      typeof given === 'string' && requestIdPattern.test(given) ? given : randomUUID(),
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (_, __, reply) => void sendError(reply, new RhapsodeError('invalid_request')),
  }) as unknown as FastifyInstance;

  if (corsOrigins.length > 0) allowOrigins(app, corsOrigins);
  guardWebSockets(app, corsOrigins);
  acceptJson(app);
  watchRoutes(app);
  answerErrors(app, options);
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('x-request-id', request.id);
    if (lifecycle.draining.aborted) {
      void reply.header('connection', 'close');
      if (!isProbe(request.url)) throw new RhapsodeError('draining');
    }
  });
  checkQueries(app);
  app.addHook('onResponse', async (request, reply) => {
    const fields = {
      requestId: request.id,
      method: request.method,
      route: request.routeOptions.url,
      status: reply.raw.statusCode,
      complete: reply.raw.writableFinished,
      ms: Math.round(reply.elapsedTime),
    };
    log[isProbe(request.url) ? 'debug' : 'info'](fields, 'request');
  });
  return app;
}

/**
 * Who offers another protocol than WebSocket is answered in HTTP/1.1: Java's clients offer `h2c` with every request, body and
 * all, and Node would take such a request for one without a body.
 */
function isAcceptedUpgrade(this: unknown, { headers }: IncomingMessage): boolean {
  return isWebSocket(headers.upgrade) && (this as Server).listenerCount('upgrade') > 0;
}

const isProbe = (url: string) => /^\/(healthz|readyz|metrics)\b/.test(url);

/** What Node's parser refused never became a request: the answer is written by hand. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  const { _httpMessage: answering } = socket as Socket & { _httpMessage?: { headersSent: boolean } | null };
  // Behind an answer that has begun, another would be taken for a part of it.
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable || answering?.headersSent) {
    socket.destroy(error);
    return;
  }
  const [status, code]: [number, ErrorCode] =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? [408, 'request_timeout']
      : [error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400, 'invalid_request'];
  const body = JSON.stringify(errorBody(new RhapsodeError(code)));
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

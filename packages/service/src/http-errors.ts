import { asRhapsodeError, errorBody, RhapsodeError } from '@rhapsode/contracts';
import type { Log, Metrics } from '@rhapsode/telemetry';
import type { FastifyInstance, FastifyReply } from 'fastify';

export interface ErrorDeps {
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Everything that goes wrong is answered in one envelope, with a code of the catalogue. */
export function answerErrors(app: FastifyInstance, { log, metrics }: ErrorDeps): void {
  const routes = createRouteTable(app);

  app.setErrorHandler((thrown, request, reply) => {
    const error = translate(thrown, request.routeOptions.bodyLimit);
    const fields = { requestId: request.id, route: request.routeOptions.url, code: error.code };
    // Nobody is there to hear of it.
    if (reply.raw.destroyed) log.debug({ ...fields, error: thrown }, 'request abandoned');
    else if (error.status >= 500 && error.status !== 503)
      log.error({ ...fields, error: thrown }, 'request failed');
    else log.debug({ ...fields, error: thrown }, 'request refused');
    metrics.rejectedTotal.add(1, { reason: error.code });
    // Who is still sending would lose the answer with the connection: the rest is read and dropped, until the time for it is over.
    if (error.code === 'payload_too_large') void reply.removeHeader('connection');
    return sendError(reply, error);
  });

  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0]!;
    const allowed = routes.methodsOf(path);
    if (allowed.length === 0) throw new RhapsodeError('route_not_found');
    void reply.header('allow', allowed.join(', '));
    throw new RhapsodeError('method_not_allowed', {
      message: `${request.method} is not allowed here; use ${allowed.join(' or ')}.`,
    });
  });
}

export function sendError(reply: FastifyReply, error: RhapsodeError): FastifyReply {
  const retryAfterSeconds = error.retryAfterSeconds ?? (error.status === 503 ? 1 : undefined);
  if (retryAfterSeconds !== undefined) void reply.header('retry-after', String(retryAfterSeconds));
  // OpenAI's clients try again by status alone, unless they are told.
  void reply.header('x-should-retry', String(error.retryable));
  return reply.code(error.status).type('application/json; charset=utf-8').send(errorBody(error));
}

/** Fastify's own errors in our words; whatever is not known says nothing. */
function translate(thrown: unknown, bodyLimitBytes: number): RhapsodeError {
  const { code, statusCode } = thrown as { code?: unknown; statusCode?: unknown };
  if (thrown instanceof RhapsodeError || typeof code !== 'string' || !code.startsWith('FST_'))
    return asRhapsodeError(thrown);
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new RhapsodeError('payload_too_large', {
      message: `The request body is larger than ${bodyLimitBytes} bytes, the most that this route takes.`,
      cause: thrown,
    });
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return new RhapsodeError('unsupported_media_type', {
      message: 'The content type is not supported; send application/json.',
      cause: thrown,
    });
  if (typeof statusCode === 'number' && statusCode < 500)
    return new RhapsodeError('invalid_request', { cause: thrown });
  return asRhapsodeError(thrown);
}

/** Which methods a path has: the router only says that it has no route for this one. */
function createRouteTable(app: FastifyInstance) {
  const routes = new Map<string, { pattern: RegExp; methods: Set<string> }>();
  app.addHook('onRoute', ({ url, method }) => {
    // Preflights of any path: it makes none of them a route.
    if (url === '*') return;
    const pattern = new RegExp(
      `^${url
        .replaceAll('.', '\\.')
        .replace('*', '.*')
        .replace(/:[^/]+/g, '[^/]+')}$`,
    );
    const route = routes.get(url) ?? { pattern, methods: new Set() };
    for (const one of [method].flat()) route.methods.add(one);
    routes.set(url, route);
  });
  return {
    methodsOf: (path: string): string[] =>
      [...routes.values()].flatMap(({ pattern, methods }) => (pattern.test(path) ? [...methods] : [])).sort(),
  };
}

import cors from '@fastify/cors';
import { RhapsodeError } from '@rhapsode/contracts';
import type { FastifyInstance } from 'fastify';

/** What a page may read of an answer, besides its body. */
const exposed = [
  'content-range',
  'retry-after',
  'server-timing',
  'x-request-id',
  'x-rhapsode-warning',
].concat(['utterance', 'sample-rate', 'voice-digest'].map((name) => `x-rhapsode-${name}`));

/** Lets pages of these origins call from a browser; `*` is any. */
export function allowOrigins(app: FastifyInstance, origins: readonly string[]): void {
  void app.register(cors, {
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: exposed,
    // What asks without an origin is no page, and is answered all the same.
    strictPreflight: false,
    maxAge: 600,
  });
}

/**
 * A browser lets any page open a WebSocket to anywhere and leaves it to the server to look at where the page is from. Clients
 * that are no browsers do not say.
 */
export function guardWebSockets(app: FastifyInstance, origins: readonly string[]): void {
  app.addHook('onRequest', async ({ headers: { upgrade, origin, host } }) => {
    if (!isWebSocket(upgrade) || origin === undefined) return;
    const ownPage = URL.canParse(origin) && new URL(origin).host === host;
    if (!ownPage && !origins.includes('*') && !origins.includes(origin))
      throw new RhapsodeError('origin_refused', {
        message: `pages of ${origin.slice(0, 200)} may not call; RHAPSODE_CORS_ORIGINS names those that may`,
      });
  });
  // Node's HTTP server has let go of the socket of such a request: when it was answered otherwise, nobody else closes it.
  app.addHook('onSend', async ({ headers: { upgrade }, raw: { socket } }, reply) => {
    if (!isWebSocket(upgrade)) return;
    void reply.header('connection', 'close');
    reply.raw.once('finish', () => socket.destroySoon());
  });
}

export const isWebSocket = (upgrade: string | undefined) => upgrade?.toLowerCase() === 'websocket';

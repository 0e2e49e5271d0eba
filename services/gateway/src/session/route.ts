import type { Socket } from 'node:net';
import type { WebSocket } from '@fastify/websocket';
import { RhapsodeError } from '@rhapsode/contracts';
import { sessionPath } from '@rhapsode/contracts/session';
import { type ApiRoute, anyQuery } from '@rhapsode/service';
import type { FastifyInstance } from 'fastify';
import type { GatewayDeps } from '../deps.ts';
import { keepAlive, readMessages } from '../web-sockets.ts';
import { createLink } from './link.ts';
import { readMessage } from './read-message.ts';
import { createSession } from './session.ts';
import { type SessionLimits, sessionLimits } from './session-limits.ts';

const api: ApiRoute = {
  summary: 'A speech session, a WebSocket',
  description: 'Its messages are told by `/asyncapi.json`.',
  query: anyQuery,
  answers: { 101: { description: 'The session begins.' } },
};

/** `GET /v1/speech/session`: docs/session-protocol.md. */
export function sessionRoute(app: FastifyInstance, deps: GatewayDeps): void {
  void app.register(async (scope) => {
    scope.route({
      method: 'GET',
      url: sessionPath,
      config: { api },
      exposeHeadRoute: false,
      handler: () => {
        throw new RhapsodeError('invalid_request', {
          message: `${sessionPath} is a WebSocket; connect to it with ws:// or wss://`,
        });
      },
      wsHandler: (ws, request) => serveSession(ws, request.raw.socket, deps),
    });
  });
}

function serveSession(ws: WebSocket, socket: Socket, deps: GatewayDeps): void {
  const limits = sessionLimits(deps.limits);
  const startedAtMs = performance.now();
  const link = createLink(ws, socket, deps.drain);
  const session = createSession(deps, link, limits);
  keepAlive(ws, socket);
  const ready = greet(link.send, limits, deps);

  async function take(data: Uint8Array, isBinary: boolean): Promise<void> {
    let context: string | undefined;
    await ready;
    try {
      await session.take(
        readMessage(data, isBinary, limits.textBytes, (name) => {
          context = name;
        }),
      );
    } catch (error) {
      session.refuse(error, context);
      await link.settled();
    }
  }

  readMessages(ws, take);
  ws.once('close', (code) => {
    session.leave();
    deps.log.info({ code, ms: Math.round(performance.now() - startedAtMs) }, 'session');
  });
}

async function greet(
  send: ReturnType<typeof createLink>['send'],
  { textBytes, textCharacters, contexts, idleSeconds }: SessionLimits,
  { voices }: GatewayDeps,
): Promise<void> {
  const voice = await voices.find('default', 'voice').then(
    (found) => found.voice.id,
    () => 'default',
  );
  send({
    type: 'ready',
    limits: {
      text_bytes: textBytes,
      text_characters: textCharacters,
      contexts,
      window_sentences: 6,
      idle_seconds: idleSeconds,
    },
    voices_default: voice,
  });
}

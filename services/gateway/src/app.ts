import type { FastifyInstance } from 'fastify';
import type { GatewayDeps } from './deps.ts';
import { lmntRoutes } from './lmnt/routes.ts';
import { apiDocumentRoutes } from './routes/api-document.ts';
import { bookRoutes } from './routes/books.ts';
import { lexiconRoutes } from './routes/lexicons.ts';
import { modelRoutes } from './routes/models.ts';
import { speechRoute } from './routes/speech.ts';
import { textRoutes } from './routes/text.ts';
import { utteranceRoutes } from './routes/utterances.ts';
import { voiceRoutes } from './routes/voices.ts';
import { sessionRoute } from './session/route.ts';
import { createTextSessions } from './text-sessions.ts';
import { acceptWebSockets } from './web-sockets.ts';

/** JSON's escapes make a text up to six times longer. */
export const bodyLimitBytes = 64 * 1024 * 1024;

export function gatewayRoutes(app: FastifyInstance, deps: GatewayDeps): void {
  const texts = createTextSessions(deps);
  acceptWebSockets(app, deps);
  speechRoute(app, deps);
  utteranceRoutes(app, deps, texts);
  textRoutes(app, deps, texts);
  sessionRoute(app, deps);
  bookRoutes(app, deps);
  lexiconRoutes(app, deps);
  voiceRoutes(app, deps);
  modelRoutes(app);
  lmntRoutes(app, deps);
  apiDocumentRoutes(app);
}

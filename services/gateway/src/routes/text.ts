import { checkLength, checkText, parseRequest } from '@rhapsode/service';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { GatewayDeps } from '../deps.ts';
import { ownUtterance } from '../own-utterance.ts';
import type { TextSessions } from '../text-sessions.ts';

const piece = z.strictObject({
  input: z.string(),
  offset: z.int().min(0).optional(),
  flush: z.boolean().optional(),
});

/** Text that is still arriving, for an utterance that was created with `"open": true`. */
export function textRoutes(app: FastifyInstance, deps: GatewayDeps, texts: TextSessions): void {
  const { limits } = deps;

  app.post('/v1/utterances/:id/text', async (request) => {
    const given = parseRequest(piece, request.body);
    checkLength(given.input, limits.maxBulkCharacters, 'input');
    checkText(given.input, 'input');
    return texts.write(await ownUtterance(request.params, deps), given);
  });

  app.post('/v1/utterances/:id/finish', async (request) => {
    parseRequest(z.strictObject({}).optional(), request.body ?? undefined);
    return texts.finish(await ownUtterance(request.params, deps));
  });
}

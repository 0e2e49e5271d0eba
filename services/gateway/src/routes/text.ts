import { checkLength, checkText, parseRequest } from '@rhapsode/service';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { GatewayDeps } from '../deps.ts';
import { ownUtterance } from '../own-utterance.ts';

const piece = z.strictObject({
  input: z.string(),
  offset: z.int().min(0).optional(),
  flush: z.boolean().optional(),
});

/** Text that is still arriving, for an utterance that was created with `"open": true`. */
export function textRoutes(app: FastifyInstance, deps: GatewayDeps): void {
  const { texts, limits } = deps;

  app.post('/v1/utterances/:id/text', async (request) => {
    const given = parseRequest(piece, request.body);
    checkLength(given.input, limits.maxBulkCharacters, 'input');
    checkText(given.input, 'input');
    const { utterance } = await ownUtterance(request.params, deps);
    return texts.write(utterance.id, given);
  });

  app.post('/v1/utterances/:id/finish', async (request) => {
    parseRequest(z.strictObject({}).optional(), request.body ?? undefined);
    const { utterance } = await ownUtterance(request.params, deps);
    return texts.finish(utterance.id);
  });
}

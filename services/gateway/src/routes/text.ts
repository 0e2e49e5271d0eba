import { type ApiRoute, checkText, parseRequest } from '@rhapsode/service';
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
const end = z.strictObject({}).optional();

const state = z.looseObject({ id: z.string(), received: z.int(), segments: z.int() });
const pieceApi: ApiRoute = {
  summary: 'The next piece of a text that is still arriving',
  description: '`offset` is its place in the whole text in UTF-16 code units, which makes a repeat harmless.',
  body: piece,
  examples: { piece: { input: 'and so it goes on. ', offset: 120 }, last: { input: 'Good', flush: true } },
  answers: { 200: { description: 'How far the text is.', schema: state } },
};
const endApi: ApiRoute = {
  summary: 'No more text will come',
  body: end,
  answers: { 200: { description: 'How far the text is.', schema: state } },
};

/** Text that is still arriving, for an utterance that was created with `"open": true`. */
export function textRoutes(app: FastifyInstance, deps: GatewayDeps, texts: TextSessions): void {
  app.post('/v1/utterances/:id/text', { config: { api: pieceApi } }, async (request) => {
    const given = parseRequest(piece, request.body);
    checkText(given.input, 'input');
    return texts.write(await ownUtterance(request.params, deps), given);
  });

  app.post('/v1/utterances/:id/finish', { config: { api: endApi } }, async (request) => {
    parseRequest(end, request.body ?? undefined);
    return texts.finish(await ownUtterance(request.params, deps));
  });
}

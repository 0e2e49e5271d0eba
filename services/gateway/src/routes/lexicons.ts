import { lexiconName, lexiconRules, RhapsodeError } from '@rhapsode/contracts';
import { type ApiRoute, decodeText, parseRequest } from '@rhapsode/service';
import { fieldsOfPls } from '@rhapsode/text';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { GatewayDeps } from '../deps.ts';
import { findLexicon, keepLexicon } from '../kept-lexicons.ts';

/** JSON's escapes make a text longer. */
const bodyLimit = 1024 * 1024;

const creation = z.strictObject({ rules: lexiconRules });
const entry = z.object({ name: lexiconName, object: z.literal('lexicon') });
const lexicon = entry.extend({
  version: z.string().describe('The same rules have the same.'),
  rules: lexiconRules,
});
const putApi: ApiRoute = {
  summary: 'Keep a lexicon under a name',
  description: 'As JSON, or as a W3C Pronunciation Lexicon (`application/pls+xml`).',
  body: creation,
  examples: { words: { rules: [{ grapheme: 'GIF', alias: 'jif' }] } },
  answers: {
    200: { description: 'It takes the place of the one before.', schema: lexicon },
    201: { description: 'It is kept.', schema: lexicon },
  },
};
const getApi: ApiRoute = {
  summary: 'A lexicon that is kept',
  answers: { 200: { description: 'With its rules.', schema: lexicon } },
};
const listApi: ApiRoute = {
  summary: 'The names of the tenant’s lexicons',
  answers: {
    200: {
      description: 'In order.',
      schema: z.object({ object: z.literal('list'), data: z.array(entry) }),
    },
  },
};
const deleteApi: ApiRoute = {
  summary: 'Forget a lexicon',
  description: 'What was asked for with it keeps its rules.',
  answers: { 204: { description: 'It is gone.' } },
};

/** Words that are said otherwise, kept under names that requests have instead of rules. */
export function lexiconRoutes(app: FastifyInstance, deps: GatewayDeps): void {
  const { store, tenant } = deps;
  const nameOf = ({ params }: FastifyRequest) => (params as { name: string }).name;

  void app.register(async (scope) => {
    scope.addContentTypeParser(
      ['application/pls+xml', 'application/xml', 'text/xml'],
      { parseAs: 'buffer' },
      async (_: unknown, body: Buffer) => ({ rules: fieldsOfPls(decodeText(body)) }),
    );
    scope.put('/v1/lexicons/:name', { bodyLimit, config: { api: putApi } }, async (request, reply) => {
      const { name } = parseRequest(z.object({ name: lexiconName }), request.params);
      const { rules } = parseRequest(creation, request.body);
      const { lexicon, created } = await keepLexicon(name, rules, deps);
      return reply.code(created ? 201 : 200).send(lexicon);
    });
  });

  app.get('/v1/lexicons', { config: { api: listApi } }, async () => ({
    object: 'list',
    data: (await store.lexicons(tenant)).map((name) => ({ name, object: 'lexicon' })),
  }));
  app.get('/v1/lexicons/:name', { config: { api: getApi } }, (request) => findLexicon(nameOf(request), deps));
  app.delete('/v1/lexicons/:name', { config: { api: deleteApi } }, async (request, reply) => {
    const name = nameOf(request);
    if (!lexiconName.safeParse(name).success || !(await store.deleteLexicon(tenant, name)))
      throw new RhapsodeError('lexicon_not_found');
    return reply.code(204).send();
  });
}

import { type ApiRoute, anyQuery, knownRoutes, openApiDocument } from '@rhapsode/service';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { asyncApiDocument } from '../session/async-api.ts';
import { version } from '../version.ts';

const api: ApiRoute = {
  summary: 'This document',
  query: anyQuery,
  answers: { 200: { description: 'OpenAPI 3.1.', schema: z.looseObject({ openapi: z.string() }) } },
};

const asyncApi: ApiRoute = {
  summary: 'The messages of a speech session',
  query: anyQuery,
  answers: { 200: { description: 'AsyncAPI 3.0.', schema: z.looseObject({ asyncapi: z.string() }) } },
};

/** `/openapi.json` and `/asyncapi.json`: made from the routes themselves, and from the schemas that they parse with. */
export function apiDocumentRoutes(app: FastifyInstance): void {
  let document: object | undefined;
  app.get('/openapi.json', { config: { api } }, async () => {
    document ??= openApiDocument(
      {
        title: 'Rhapsode',
        version,
        description:
          'Speech that cannot be broken. One-shot speech is OpenAI’s; utterances are our own, and outlive a connection.',
      },
      knownRoutes(app),
    );
    return document;
  });

  let sessions: object | undefined;
  app.get('/asyncapi.json', { config: { api: asyncApi } }, async () => {
    sessions ??= asyncApiDocument();
    return sessions;
  });
}

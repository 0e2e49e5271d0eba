import { errorCatalogue } from '@rhapsode/contracts';
import { z } from 'zod';
import type { ApiAnswer, KnownRoute } from './api-routes.ts';

/** OpenAPI 3.1, whose schemas are JSON Schema's: those that the routes parse with, written by zod. */
export function openApiDocument(
  info: { readonly title: string; readonly version: string; readonly description: string },
  routes: readonly KnownRoute[],
) {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.1',
    info: { ...info, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths,
    components: {
      schemas: { Error: jsonSchema(errorEnvelope, 'output') },
      responses: {
        Error: {
          description: 'OpenAI’s envelope, with a code of the catalogue.',
          headers: {
            'x-request-id': { schema: { type: 'string' } },
            'retry-after': {
              schema: { type: 'string' },
              description: 'Seconds; with 429 and 503.',
            },
          },
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
        },
      },
    },
  };
}

export const errorEnvelope = z.object({
  error: z.object({
    message: z.string(),
    type: z.enum(['invalid_request_error', 'rate_limit_error', 'server_error']),
    param: z.string().nullable(),
    code: z.enum(Object.keys(errorCatalogue) as [string, ...string[]]),
    segment: z.int().min(0).optional(),
  }),
});

function operation({ method, path, api }: KnownRoute) {
  const { summary, description, body, query, examples, answers } = api ?? {
    summary: `${method} ${path}`,
    answers: { 200: { description: 'Done.' } },
  };
  const parameters = [
    ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
      name,
      in: 'path',
      required: true,
      schema: { type: 'string' },
    })),
    ...(query ? queryParameters(query) : []),
  ];
  return {
    operationId: `${method.toLowerCase()}${path.replace(/[^a-zA-Z0-9]+(\w?)/g, (_, next: string) => next.toUpperCase())}`,
    summary,
    ...(description === undefined ? {} : { description }),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: !body.safeParse(undefined).success,
            content: {
              'application/json': {
                schema: jsonSchema(body, 'input'),
                ...(examples === undefined
                  ? {}
                  : {
                      examples: Object.fromEntries(
                        Object.entries(examples).map(([name, value]) => [name, { value }]),
                      ),
                    }),
              },
            },
          },
        }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, { description, headers, ...content }]) => [
          status,
          response({
            description,
            ...(headers === undefined ? {} : { headers }),
            ...(method === 'HEAD' ? {} : content),
          }),
        ]),
      ),
      default: { $ref: '#/components/responses/Error' },
    },
  };
}

function queryParameters(query: z.ZodObject) {
  const { properties = {}, required = [] } = jsonSchema(query, 'input') as {
    properties?: Record<string, { description?: string }>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema,
  }));
}

function response({ description, schema, types = [], itemsOf = {}, headers = {} }: ApiAnswer) {
  const content = {
    ...(schema === undefined ? {} : { 'application/json': { schema: jsonSchema(schema, 'output') } }),
    ...Object.fromEntries(types.map((type) => [type, {}])),
    ...Object.fromEntries(
      Object.entries(itemsOf).map(([type, item]) => [type, { schema: jsonSchema(item, 'output') }]),
    ),
  };
  return {
    description,
    ...(Object.keys(headers).length === 0
      ? {}
      : {
          headers: Object.fromEntries(
            Object.entries(headers).map(([name, text]) => [
              name,
              { description: text, schema: { type: 'string' } },
            ]),
          ),
        }),
    ...(Object.keys(content).length === 0 ? {} : { content }),
  };
}

/** What has no counterpart in JSON Schema (a transformation) is told as what goes into it. */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}

import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Served, serve } from './serve.ts';

interface Operation {
  summary: string;
  operationId: string;
  requestBody?: {
    content: Record<string, { schema: object; examples?: Record<string, { value: unknown }> }>;
  };
  responses: Record<string, { content?: Record<string, { schema?: object }> }>;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object> };
}

describe('/openapi.json', () => {
  let served: Served;
  let document: Document;
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  beforeAll(async () => {
    served = await serve();
    document = (await (await served.get('/openapi.json')).json()) as Document;
  });
  afterAll(() => served.close());

  const operations = () =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
    );
  const answerOf = (path: string, method: string, status: number) =>
    document.paths[path]![method]!.responses[status]!.content!['application/json']!.schema!;

  it('is OpenAPI 3.1', async () => {
    const result = await new Validator().validate(
      structuredClone(document) as object as Record<string, unknown>,
    );
    expect(result.errors).toBeUndefined();
    expect(document.openapi).toMatch(/^3\.1\./);
  });

  it('tells of every route, and each route tells what it is', async () => {
    const { routes } = served;
    expect(
      operations()
        .map(({ method, path }) => `${method.toUpperCase()} ${path}`)
        .sort(),
    ).toEqual([...routes].sort());
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    // A route without `config: { api }` is listed by its path only.
    const silent = operations().filter(
      ({ method, path, operation }) => operation.summary === `${method.toUpperCase()} ${path}`,
    );
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  it('has examples of requests that its own schemas take', () => {
    const tried: string[] = [];
    for (const { path, operation } of operations())
      for (const { schema, examples = {} } of Object.values(operation.requestBody?.content ?? {}))
        for (const [name, { value }] of Object.entries(examples)) {
          const validate = ajv.compile(schema);
          expect([path, name, validate(value), validate.errors]).toEqual([path, name, true, null]);
          // The schema is worth nothing if it takes everything.
          const [field] = Object.keys(value as object);
          expect(validate({ ...(value as object), [field!]: { of: 'another kind' } })).toBe(false);
          tried.push(name);
        }
    expect(tried.length).toBeGreaterThan(8);
  });

  it('has examples of requests that the server takes', async () => {
    const post = (path: string, body: unknown) => served.post(path, body);
    for (const [name, { value }] of Object.entries(
      document.paths['/v1/audio/speech']!.post!.requestBody!.content['application/json']!.examples!,
    )) {
      const response = await post('/v1/audio/speech', { ...(value as object), voice: 'tone' });
      expect([name, response.status]).toEqual([name, 200]);
      await response.arrayBuffer();
    }
    for (const [name, { value }] of Object.entries(
      document.paths['/v1/utterances']!.post!.requestBody!.content['application/json']!.examples!,
    )) {
      const response = await post('/v1/utterances', { ...(value as object), speaker: undefined });
      expect([name, response.status]).toEqual([name, 201]);
      const validate = ajv.compile(answerOf('/v1/utterances', 'post', 201));
      expect([name, validate(await response.json()), validate.errors]).toEqual([name, true, null]);
    }
  });

  it('tells what the answers look like', async () => {
    const created = (await (await served.post('/v1/utterances', { input: 'One.' })).json()) as { id: string };
    for (const [path, url] of [
      ['/v1/audio/voices', '/v1/audio/voices'],
      ['/v1/voices', '/v1/voices?legacy=true'],
      ['/v1/models', '/v1/models'],
      ['/v1/audio/models', '/v1/audio/models'],
      ['/v1/models/{id}', '/v1/models/tts-1'],
      ['/v1/utterances/{id}', `/v1/utterances/${created.id}`],
      ['/openapi.json', '/openapi.json'],
    ] as const) {
      const validate = ajv.compile(answerOf(path, 'get', 200));
      expect([url, validate(await (await served.get(url)).json()), validate.errors]).toEqual([
        url,
        true,
        null,
      ]);
    }
    const validate = ajv.compile(document.components.schemas.Error!);
    const refused = (await (await served.get('/v1/models/nothing')).json()) as unknown;
    expect([validate(refused), validate.errors]).toEqual([true, null]);
  });
});

import type { ClientMessage } from '@rhapsode/contracts/session';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSession } from '../../../test/support/session-client.ts';
import { type Served, serve } from './serve.ts';

type Schema = {
  type?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  anyOf?: Schema[];
  default?: unknown;
};
type Operation = {
  requestBody?: {
    content: Record<string, { schema: Schema; examples?: Record<string, { value: unknown }> }>;
  };
};

const takesNull = (schema: Schema): boolean => schema.type === 'null' || (schema.anyOf ?? []).some(takesNull);

/** The body with null in every field that it leaves out and may leave out. */
function withNulls(schema: Schema, body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body) || !schema.properties) return body;
  const given = body as Record<string, unknown>;
  const fields = Object.entries(schema.properties).map(([name, field]) => {
    if (name in given) return [name, withNulls(field, given[name])];
    return schema.required?.includes(name) || takesNull(field) ? undefined : [name, null];
  });
  return Object.fromEntries(fields.filter((field) => field !== undefined));
}

/** Clients made from typed languages write null for what they leave out. */
describe('null in a JSON body', () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve();
  });
  afterAll(() => served.close());

  it('is as good as nothing in every optional field of every route', async () => {
    const { paths } = (await (await served.get('/openapi.json')).json()) as {
      paths: Record<string, Record<string, Operation>>;
    };
    const tried: string[] = [];
    for (const [path, methods] of Object.entries(paths))
      for (const [method, { requestBody }] of Object.entries(methods)) {
        const { schema, examples = {} } = requestBody?.content['application/json'] ?? {};
        if (!schema?.properties) continue;
        for (const [name, { value }] of Object.entries(examples)) {
          const body = withNulls(schema, value);
          if (JSON.stringify(body) === JSON.stringify(value)) continue;
          const response = await served.post(path.replace('{id}', 'nobody00').replace('{n}', '0'), body, {
            method: method.toUpperCase(),
          });
          const answer = await response.text();
          const told = `${method} ${path} ${name}: ${answer.slice(0, 200)}`;
          // The test voices have no speakers, which some examples ask for.
          if (answer.includes('unsupported_setting')) continue;
          expect(response.status, told).not.toBe(400);
          expect(response.status, told).toBeLessThan(500);
          tried.push(`${method} ${path}`);
        }
      }
    expect(tried).toEqual(
      expect.arrayContaining([
        'post /v1/audio/speech',
        'post /v1/utterances',
        'post /v1/utterances/{id}/text',
        'put /v1/books/{id}',
        'post /v1/books',
        'patch /v1/books/{id}/sentences/{n}',
        'post /v1/ai/speech',
      ]),
    );
  });

  it('is as good as nothing on the socket of a session', async () => {
    const client = await openSession(served.url);
    const left = { speaker: null, seed: null, lexicon: null, sample_rate: null, settings: { noise_w: null } };
    client.say({ type: 'open', ...left } as unknown as ClientMessage);
    client.say({ type: 'text', text: 'Hello.', offset: null } as unknown as ClientMessage);
    client.say({ type: 'finish', context: null } as unknown as ClientMessage);
    expect(await client.get('end')).toMatchObject({ context: 'main', segments: 1 });
    client.drop();
  });
});

import { createRequire } from 'node:module';
import { clientMessage, serverMessage } from '@rhapsode/contracts/session';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientExamples } from '../src/session/async-api.ts';
import { type Served, serve } from './serve.ts';

interface Document {
  asyncapi: string;
  channels: { session: { address: string; messages: Record<string, { payload: object }> } };
}

describe('/asyncapi.json', () => {
  let served: Served;
  let document: Document;
  const ajv = new Ajv({ strict: false, validateFormats: false });
  beforeAll(async () => {
    served = await serve();
    document = (await (await served.get('/asyncapi.json')).json()) as Document;
  });
  afterAll(() => served.close());

  it('is AsyncAPI 3.0', () => {
    const official = createRequire(import.meta.url)('@asyncapi/specs/schemas/3.0.0.json') as object;
    // The official schema brings draft 07 along, under its own name.
    const strict = new Ajv({ strict: false, validateFormats: false, meta: false, validateSchema: false });
    const validate = strict.compile(official);
    expect(validate({ ...document, channels: [] })).toBe(false);
    expect([validate(document), validate.errors]).toEqual([true, null]);
    expect(document.asyncapi).toBe('3.0.0');
  });

  it('tells of every message of both sides, and of the route that takes them', async () => {
    const names = (side: string, options: readonly { shape: { type: { value: string } } }[]) =>
      options.map(({ shape }) => `${side}_${shape.type.value}`);
    expect(Object.keys(document.channels.session.messages).sort()).toEqual(
      [
        ...names('client', clientMessage.options),
        ...names('server', serverMessage.options),
        'server_audio_frame',
      ].sort(),
    );
    expect(served.routes).toContain(`GET ${document.channels.session.address}`);
  });

  it('has an example of each message of a client that its own schemas take, and so does the server', () => {
    expect(clientExamples.map(({ type }) => type).sort()).toEqual(
      clientMessage.options.map(({ shape }) => shape.type.value).sort(),
    );
    for (const example of clientExamples) {
      const validate = ajv.compile(document.channels.session.messages[`client_${example.type}`]!.payload);
      expect([example.type, validate(example), validate.errors]).toEqual([example.type, true, null]);
      expect(validate({ ...example, unheard_of: 1 })).toBe(false);
      expect(clientMessage.safeParse(example).error).toBeUndefined();
    }
  });
});

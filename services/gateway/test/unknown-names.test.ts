import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Served, serve } from './serve.ts';

let served: Served;
beforeAll(async () => {
  served = await serve();
});
afterAll(() => served.close());

interface Refusal {
  readonly error: { readonly code: string; readonly param: string };
}

/** Where clients of others and probes may add to the path what they are used to add. */
const tolerant = /^\/(healthz|readyz|metrics|v1\/(models|audio\/(speech|models)|ai\/)|openapi|asyncapi)/;

describe('what a request holds and nobody knows', () => {
  it('is refused behind the path, by each of our own routes and before the body is read', async () => {
    const ours = [...served.routes].filter(
      (route) => !tolerant.test(route.split(' ')[1]!) && !route.includes('/speech/session'),
    );
    expect(ours.length).toBeGreaterThan(20);
    for (const route of ours) {
      const [method, path] = route.split(' ');
      const url = `${served.url}${path!.replace(/\{\w+\}/g, '1')}?nonsense=1`;
      const answer = await fetch(url, { method: method! });
      expect([route, answer.status]).toEqual([route, 400]);
      if (method === 'HEAD') continue;
      const { error } = (await answer.json()) as Refusal;
      expect([route, error.code, error.param]).toEqual([route, 'unknown_field', 'nonsense']);
    }
  });

  it('is tolerated behind the paths of others and of probes', async () => {
    for (const path of ['/v1/models', '/v1/models/tts-1', '/openapi.json', '/v1/ai/voice/list'])
      expect([path, (await served.get(`${path}?nonsense=1`)).status]).toEqual([path, 200]);
  });

  it('is told where speech is made all the same', async () => {
    const body = { model: 'tts-1', voice: 'tone', input: 'Hello there.', response_format: 'pcm' };
    const answer = await served.post('/v1/audio/speech?api-version=1&voice=other', body);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-rhapsode-warning')).toBe(
      "unknown_field: 'api-version' in the query has no effect | unknown_field: 'voice' in the query has no effect",
    );
    await answer.arrayBuffer();
  });

  it.each([
    ['/v1/utterances', '{"voice":"tone","input":"Hello there.","__proto__":{"speed":3}}', '__proto__'],
    ['/v1/utterances', '{"voice":"tone","input":"Hello.","settings":{"__proto__":1}}', 'settings.__proto__'],
    ['/v1/books', '{"voice":"tone","text":"Hello there.","__proto__":{"speed":3}}', '__proto__'],
    ['/v1/books', '{"voice":"tone","text":"Hello there.","\\u005f_proto_\\u005F":null}', '__proto__'],
    ['/v1/books', '{"text":"Hello.","speakers":{"__proto__":{"voice":"tone"}}}', 'speakers.__proto__'],
  ])('is refused in a body although JavaScript hides it: %s %s', async (path, body, param) => {
    const answer = await served.post(path, body);
    expect(answer.status).toBe(400);
    expect((await answer.json()) as Refusal).toMatchObject({ error: { code: 'unknown_field', param } });
  });

  it('is no field when it stands in a text', async () => {
    const answer = await served.post('/v1/utterances', {
      voice: 'tone',
      input: 'The field "__proto__": it is said.',
    });
    expect(answer.status).toBe(201);
  });
});

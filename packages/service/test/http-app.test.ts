import { request as httpRequest } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { RhapsodeError } from '@rhapsode/contracts';
import { createHealth, createLifecycle, createLog, createMetrics } from '@rhapsode/telemetry';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createHttpApp, listen, opsRoutes, parseRequest } from '../src/index.ts';

const started: { drain(reason: string): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((lifecycle) => lifecycle.drain('test')));
});

const schema = z.strictObject({ input: z.string(), voice: z.strictObject({ id: z.string() }).optional() });

async function start(
  options: {
    headersTimeoutMs?: number;
    requestTimeoutMs?: number;
    bodyLimitBytes?: number;
    corsOrigins?: string[];
  } = {},
) {
  const log = createLog({ service: 'test', level: 'silent' });
  const lifecycle = createLifecycle({ log, graceMs: 1000 });
  const metrics = createMetrics();
  const app = createHttpApp({ log, metrics, lifecycle, bodyLimitBytes: 2000, ...options });
  opsRoutes(app, { metrics, health: createHealth({ lifecycle, checks: {}, cacheMs: 0 }) });
  app.post('/v1/echo', async (request) => parseRequest(schema, request.body));
  app.get('/v1/things/:id', async (request) => request.params);
  app.get('/v1/broken', async () => {
    throw new Error('the password is 1234');
  });
  app.get('/v1/busy', async () => {
    throw new RhapsodeError('rate_limited', { retryAfterSeconds: 7 });
  });
  const { port } = await listen(app, { host: '127.0.0.1', port: 0, lifecycle });
  started.push(lifecycle);
  lifecycle.ready();
  const url = `http://127.0.0.1:${port}`;
  const post = (body: string | Uint8Array<ArrayBuffer>, type = 'application/json') =>
    fetch(`${url}/v1/echo`, { method: 'POST', body, headers: { 'content-type': type } });
  return { url, port, post, lifecycle, metrics, app };
}

async function problem(response: Response) {
  const { error } = (await response.json()) as { error: Record<string, unknown> };
  return { status: response.status, ...error };
}

describe('http application', () => {
  it('answers errors of the catalogue in one envelope', async () => {
    const { url } = await start();
    const response = await fetch(`${url}/v1/busy`);
    expect(response.headers.get('retry-after')).toBe('7');
    expect(await problem(response)).toEqual({
      status: 429,
      message: 'Too many requests; try again later.',
      type: 'rate_limit_error',
      param: null,
      code: 'rate_limited',
    });
  });

  it.each([
    ['nested', (n: number) => '['.repeat(n)],
    ['many', (n: number) => `[${'{},'.repeat(n / 3)}{}]`],
    ['many named', (n: number) => `{${'"":0,'.repeat(n / 5)}"":0}`],
  ])('refuses a body of very many %s values before it is parsed', async (_, body) => {
    const { post } = await start({ bodyLimitBytes: 1_000_000 });
    expect(await problem(await post(body(500_000)))).toMatchObject({
      status: 400,
      message: 'The request body holds too many values.',
    });
  });

  it('takes a long text whatever is in it', async () => {
    const { post } = await start({ bodyLimitBytes: 1_000_000 });
    const input = '[{,"\\'.repeat(20_000);
    expect(await (await post(JSON.stringify({ input }))).json()).toEqual({ input });
  });

  it('says nothing of an unexpected error', async () => {
    const { url } = await start();
    expect(await problem(await fetch(`${url}/v1/broken`))).toMatchObject({
      status: 500,
      code: 'internal_error',
      message: 'Something went wrong on our side.',
    });
  });

  it('names an unknown field, also a nested one', async () => {
    const { post } = await start();
    const first = await problem(await post('{"input":"x","colour":1}'));
    expect(first).toMatchObject({ status: 400, code: 'unknown_field', param: 'colour' });
    const nested = await problem(await post('{"input":"x","voice":{"id":"a","pitch":1}}'));
    expect(nested).toMatchObject({ code: 'unknown_field', param: 'voice.pitch' });
  });

  it('names a field that is missing or of a wrong type', async () => {
    const { post } = await start();
    expect(await problem(await post('{}'))).toMatchObject({
      status: 400,
      code: 'invalid_request',
      param: 'input',
    });
    expect(await problem(await post('{"input":7}'))).toMatchObject({
      code: 'invalid_request',
      param: 'input',
    });
  });

  it.each([
    ['bytes that are not UTF-8', Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d), 400, 'invalid_encoding'],
    ['what is not JSON', '{"input": secret', 400, 'invalid_request'],
    ['an empty body', '', 400, 'invalid_request'],
    ['a body that is too large', `{"input":"${'x'.repeat(3000)}"}`, 413, 'payload_too_large'],
  ])('refuses %s', async (_, body, status, code) => {
    const { post } = await start();
    const refused = await problem(await post(body));
    expect(refused).toMatchObject({ status, code });
    expect(refused).not.toMatchObject({ message: expect.stringContaining('secret') });
  });

  it('refuses another content type', async () => {
    const { post } = await start();
    expect(await problem(await post('hello', 'text/plain'))).toMatchObject({
      status: 415,
      code: 'unsupported_media_type',
    });
  });

  it('refuses a body that was compressed, and says so', async () => {
    const { url } = await start();
    const response = await fetch(`${url}/v1/echo`, {
      method: 'POST',
      body: gzipSync('{"input":"x"}'),
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    });
    expect(response.headers.get('accept-encoding')).toBe('identity');
    expect(await problem(response)).toMatchObject({
      status: 415,
      code: 'unsupported_media_type',
      message: expect.stringContaining("'gzip'"),
    });
    const plain = { 'content-type': 'application/json', 'content-encoding': 'identity' };
    const taken = await fetch(`${url}/v1/echo`, { method: 'POST', body: '{"input":"x"}', headers: plain });
    expect(taken.status).toBe(200);
  });

  it('tells a wrong path from a wrong method', async () => {
    const { url } = await start();
    expect(await problem(await fetch(`${url}/v1/nothing`))).toMatchObject({
      status: 404,
      code: 'route_not_found',
    });
    const wrong = await fetch(`${url}/v1/things/7`, { method: 'DELETE' });
    expect(wrong.headers.get('allow')).toBe('GET, HEAD');
    expect(await problem(wrong)).toMatchObject({ status: 405, code: 'method_not_allowed' });
  });

  it('keeps a request id that is sane and makes one otherwise', async () => {
    const { url } = await start();
    const ids = await Promise.all(
      ['abc-1', 'x y', undefined].map(async (id) => {
        const response = await fetch(
          `${url}/healthz`,
          id === undefined ? {} : { headers: { 'x-request-id': id } },
        );
        return response.headers.get('x-request-id');
      }),
    );
    expect(ids[0]).toBe('abc-1');
    expect(ids[1]).toMatch(/^[0-9a-f-]{36}$/);
    expect(ids[2]).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('answers probes and renders metrics with the readiness', async () => {
    const { url } = await start();
    expect(await (await fetch(`${url}/readyz`)).json()).toMatchObject({ ok: true, state: 'ready' });
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('rhapsode_ready 1');
  });

  it('counts what it refused', async () => {
    const { url, metrics } = await start();
    await fetch(`${url}/v1/busy`);
    expect((await metrics.render()).body).toContain('rhapsode_rejected_total{reason="rate_limited"} 1');
  });

  it('answers a request that never ends, in the envelope', async () => {
    const { port } = await start({ headersTimeoutMs: 100, requestTimeoutMs: 200 });
    const socket = connect(port, '127.0.0.1');
    socket.write(
      'POST /v1/echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
    );
    const answer = (await socket.toArray()).join('');
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
    expect(answer).toContain('"code":"request_timeout"');
  });

  it('answers what is no HTTP in the envelope', async () => {
    const { port } = await start();
    const socket = connect(port, '127.0.0.1');
    socket.write('nonsense\r\n\r\n');
    expect((await socket.toArray()).join('')).toContain('"code":"invalid_request"');
  });

  it('refuses new work while it drains, but still answers probes', async () => {
    const { port, lifecycle } = await start();
    const held = Promise.withResolvers<void>();
    lifecycle.onClose('slow', () => held.promise);
    void lifecycle.drain('test');
    const ask = (path: string) =>
      new Promise<number>((resolve, reject) => {
        httpRequest({ port, path, agent: false }, (response) => {
          response.resume();
          resolve(response.statusCode!);
        })
          .on('error', reject)
          .end();
      });
    expect(await ask('/v1/things/1')).toBe(503);
    expect(await ask('/healthz')).toBe(200);
    expect(await ask('/readyz')).toBe(503);
    held.resolve();
  });

  it('says in one sentence that the port is in use', async () => {
    const { app } = await start();
    const other = await start();
    const { port } = app.server.address() as AddressInfo;
    const fresh = createHttpApp({
      log: createLog({ service: 'test', level: 'silent' }),
      metrics: createMetrics(),
      lifecycle: other.lifecycle,
    });
    await expect(
      listen(fresh, { host: '127.0.0.1', port, lifecycle: other.lifecycle }),
    ).rejects.toMatchObject({
      code: 'port_in_use',
      message: expect.stringContaining(String(port)),
    });
  });

  it('lets pages of the given origins in, and no others', async () => {
    const { url } = await start({ corsOrigins: ['https://reader.example', 'http://localhost:3000'] });
    const preflight = (origin: string) =>
      fetch(`${url}/v1/echo`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'content-type',
        },
      });
    const allowed = await preflight('http://localhost:3000');
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe('http://localhost:3000');
    expect(allowed.headers.get('access-control-allow-headers')).toBe('content-type');
    expect((await preflight('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
    // No page asks this way; people do.
    expect((await fetch(`${url}/v1/echo`, { method: 'OPTIONS' })).status).toBe(204);
    const failed = await fetch(`${url}/v1/busy`, { headers: { origin: 'https://reader.example' } });
    expect(failed.headers.get('access-control-allow-origin')).toBe('https://reader.example');
    expect(failed.headers.get('access-control-expose-headers')).toContain('retry-after');
  });

  it('tells browsers of no origin that it was not told of', async () => {
    const { url } = await start();
    const answer = await fetch(`${url}/v1/busy`, { headers: { origin: 'https://reader.example' } });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    const preflight = await fetch(`${url}/v1/echo`, {
      method: 'OPTIONS',
      headers: { origin: 'https://reader.example', 'access-control-request-method': 'POST' },
    });
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
  });
});

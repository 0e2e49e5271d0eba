import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { appendFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Fleet, startFleet } from '../support/fleet.ts';
import { type Leftovers, leftoversIn } from '../support/leftovers.ts';
import { freePort } from '../support/ports.ts';
import { launchService } from '../support/service.ts';
import { until } from '../support/wait.ts';

/** What came back: the status, the catalogue's code, and the field if one was to blame. */
interface Answer {
  readonly status: number;
  readonly code: string | undefined;
  readonly param: string | null | undefined;
}

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet({ workers: 1 });
}, 120_000);
afterAll(() => fleet.stop());

const leftovers = () => leftoversIn({ redisUrl: fleet.redis.url, natsUrl: fleet.nats.url });

async function send(path: string, body: unknown, contentType = 'application/json'): Promise<Answer> {
  const raw = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(`${fleet.gateway.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': contentType },
    body: raw ? (body as string | Uint8Array<ArrayBuffer>) : JSON.stringify(body),
  });
  const text = await response.text();
  const error = text.startsWith('{')
    ? (JSON.parse(text) as { error?: { code: string; param: string | null; message: string } }).error
    : undefined;
  // No stack, no path of the machine, nothing of the insides.
  expect(error?.message ?? '').not.toMatch(/node_modules|\.ts\b|at \w+ \(/);
  return { status: response.status, code: error?.code, param: error?.param };
}

/** Says how long the body is, and sends none of it. */
async function announce(path: string, length: number): Promise<Pick<Answer, 'status' | 'code'>> {
  const sent = request(`${fleet.gateway.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': String(length) },
  });
  sent.on('error', () => {});
  sent.flushHeaders();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const { error } = (await json(response)) as { error: { code: string } };
  sent.destroy();
  return { status: response.statusCode ?? 0, code: error.code };
}

const sha256Of = async (path: string) =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');

const speech = { model: 'tts-1', voice: 'tone', input: 'Hello there.', response_format: 'pcm' };
const utterance = { voice: 'tone', input: 'Hello there.' };
const megabyte = 'The wind blows over the hills. '.repeat(2 ** 15);

/** Fields that are wrong wherever text is taken. */
const wrongEverywhere: [what: string, fields: object, status: number, code: string, param: string][] = [
  ['an empty text', { input: '' }, 400, 'text_empty', 'input'],
  ['a text of white space', { input: ' \n\t ' }, 400, 'text_empty', 'input'],
  ['a text of nothing but punctuation', { input: '... -- !' }, 400, 'text_empty', 'input'],
  ['a text of 1 MB', { input: megabyte }, 413, 'text_too_long', 'input'],
  ['a text that is a number', { input: 7 }, 400, 'invalid_request', 'input'],
  ['no text', { input: undefined }, 400, 'invalid_request', 'input'],
  ['NUL in the text', { input: 'Hello\0there.' }, 400, 'invalid_request', 'input'],
  ['a bell in the text', { input: 'Hello\x07there.' }, 400, 'invalid_request', 'input'],
  ['an escape sequence in the text', { input: '\x1b[2Jthere.' }, 400, 'invalid_request', 'input'],
  ['half a surrogate pair', { input: 'Hello \ud800 there.' }, 400, 'invalid_encoding', 'input'],
  ['an unknown voice', { voice: 'nobody' }, 404, 'voice_not_found', 'voice'],
  ['a voice that is a path', { voice: '../../etc/passwd' }, 404, 'voice_not_found', 'voice'],
  ['an unknown field', { colour: 'blue' }, 400, 'unknown_field', 'colour'],
  ['a speed of 0', { speed: 0 }, 400, 'invalid_request', 'speed'],
  ['a speed of 100', { speed: 100 }, 400, 'invalid_request', 'speed'],
  ['a negative speed', { speed: -1 }, 400, 'invalid_request', 'speed'],
  ['a speed in words', { speed: 'fast' }, 400, 'invalid_request', 'speed'],
];

const badUtf8 = (body: object) => {
  const bytes = Buffer.from(JSON.stringify(body));
  bytes[bytes.indexOf('Hello')] = 0xff;
  return new Uint8Array(bytes);
};

describe('a bad request has its code and leaves nothing behind', () => {
  let before: Leftovers;
  beforeAll(async () => {
    before = await leftovers();
  });
  const expectNothingLeft = async () => expect(await leftovers()).toEqual(before);

  for (const [path, good] of [
    ['/v1/audio/speech', speech],
    ['/v1/utterances', utterance],
  ] as const) {
    test.for(wrongEverywhere)(`${path}: %s`, async ([, fields, status, code, param]) => {
      expect(await send(path, { ...good, ...fields })).toEqual({ status, code, param });
      await expectNothingLeft();
    });

    test(`${path}: bytes that are not UTF-8`, async () => {
      expect(await send(path, badUtf8(good))).toMatchObject({ status: 400, code: 'invalid_encoding' });
      await expectNothingLeft();
    });

    test.for([
      ['no JSON', '{"input": ', 400, 'invalid_request'],
      ['an empty body', '', 400, 'invalid_request'],
      ['a list', '[]', 400, 'invalid_request'],
    ] as const)(`${path}: %s`, async ([, body, status, code]) => {
      expect(await send(path, body)).toMatchObject({ status, code });
      await expectNothingLeft();
    });

    test(`${path}: a body of 80 MB is refused before it is sent`, async () => {
      expect(await announce(path, 80 * 2 ** 20)).toEqual({ status: 413, code: 'payload_too_large' });
      await expectNothingLeft();
    });

    test(`${path}: a form instead of JSON`, async () => {
      expect(await send(path, 'input=Hello', 'application/x-www-form-urlencoded')).toMatchObject({
        status: 415,
        code: 'unsupported_media_type',
      });
      await expectNothingLeft();
    });
  }

  test('an audio format that nobody makes', async () => {
    expect(await send('/v1/audio/speech', { ...speech, response_format: 'mp5' })).toEqual({
      status: 400,
      code: 'unsupported_format',
      param: 'response_format',
    });
    await expectNothingLeft();
  });

  test.for([
    ['an id that is none', '/v1/utterances/../audio', 404],
    ['an id with a wildcard', '/v1/utterances/%2a/audio', 404],
    ['an unknown id', '/v1/utterances/00000000000000000000000000/audio', 404],
    ['a position that is none', '/v1/utterances/00000000000000000000000000/audio?from=a:b', 400],
    ['a format that is none', '/v1/utterances/00000000000000000000000000/audio?format=mp5', 400],
    ['an unknown question', '/v1/utterances/00000000000000000000000000/audio?colour=blue', 400],
  ] as const)('the collector: %s', async ([, path, status]) => {
    const response = await fetch(`${fleet.collectorUrls[0]}${path}`);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code: expect.stringMatching(/^[a-z_]+$/) } });
    await expectNothingLeft();
  });
});

describe('a missing server has its code and leaves nothing behind', () => {
  test('no Redis', { timeout: 120_000 }, async () => {
    const before = await leftovers();
    await fleet.redis.written();
    await fleet.redis.kill();
    for (const [path, body] of [
      ['/v1/audio/speech', speech],
      ['/v1/utterances', utterance],
    ] as const)
      expect(await send(path, body)).toMatchObject({
        status: 503,
        code: expect.stringMatching(/^(store|queue)_unavailable$/),
      });
    expect((await fetch(`${fleet.gateway.url}/readyz`)).status).toBe(503);
    await fleet.redis.restart();
    await Promise.all([fleet.gateway, ...fleet.workers].map((one) => one.untilReady()));
    await expect.poll(leftovers, { timeout: 20_000 }).toEqual(before);
  });

  test('no NATS', { timeout: 120_000 }, async () => {
    const { keys } = await leftovers();
    await fleet.nats.kill();
    await until(async () => (await fetch(`${fleet.gateway.url}/readyz`)).status === 503, {
      what: 'the gateway to miss NATS',
    });
    for (const [path, body] of [
      ['/v1/audio/speech', speech],
      ['/v1/utterances', utterance],
    ] as const)
      expect(await send(path, body)).toMatchObject({ status: 503, code: 'log_unavailable' });
    await fleet.nats.restart();
    await Promise.all([fleet.gateway, ...fleet.workers].map((one) => one.untilReady()));
    await expect.poll(leftovers, { timeout: 20_000 }).toEqual({ keys, messages: 0 });
  });
});

describe('a service that can’t start says why, with the code', () => {
  const fixtures = fileURLToPath(new URL('../../models/fixtures', import.meta.url));
  const servers = () => ({ RHAPSODE_REDIS_URL: fleet.redis.url, RHAPSODE_NATS_URL: fleet.nats.url });

  async function endOf(service: 'gateway' | 'worker', env: Record<string, string>, port?: number) {
    const started = launchService({
      service,
      env: { ...servers(), ...env },
      port: port ?? (await freePort()),
    });
    try {
      await until(() => !started.running, { what: 'the service to give up', timeoutMs: 30_000 });
      return { exit: await started.exited, output: started.output() };
    } finally {
      await started.kill();
    }
  }

  async function brokenVoice(breakIt: (folder: string) => Promise<void>) {
    const modelsDir = await mkdtemp(join(tmpdir(), 'rhapsode-models-'));
    const folder = join(modelsDir, 'broken');
    await cp(join(fixtures, 'fixture-tiny.onnx'), join(folder, 'voice.onnx'));
    await cp(join(fixtures, 'fixture-tiny.onnx.json'), join(folder, 'voice.onnx.json'));
    const files = await Promise.all(
      ['voice.onnx', 'voice.onnx.json'].map(async (path) => ({
        path,
        sha256: await sha256Of(join(folder, path)),
      })),
    );
    await writeFile(join(folder, 'voice.json'), JSON.stringify({ engine: 'piper', files }));
    await breakIt(folder);
    try {
      return await endOf('worker', { RHAPSODE_MODELS_DIR: modelsDir, RHAPSODE_DEFAULT_VOICE: 'broken' });
    } finally {
      await rm(modelsDir, { recursive: true, force: true });
    }
  }

  test.for([
    ['a model file that is missing', 'model_missing', (folder: string) => rm(join(folder, 'voice.onnx'))],
    [
      'a model file with a wrong checksum',
      'model_checksum',
      (folder: string) => appendFile(join(folder, 'voice.onnx'), '!'),
    ],
    [
      'a manifest that is none',
      'model_invalid',
      (folder: string) => writeFile(join(folder, 'voice.json'), '{"engine": 3}'),
    ],
  ] as const)('%s', { timeout: 120_000 }, async ([, code, breakIt]) => {
    const before = await leftovers();
    const { exit, output } = await brokenVoice(breakIt);
    expect(exit).toBe(1);
    expect(output).toContain(code);
    expect(await leftovers()).toEqual(before);
  });

  test('a port in use', { timeout: 120_000 }, async () => {
    const { exit, output } = await endOf('gateway', {}, Number(new URL(fleet.gateway.url).port));
    expect(exit).toBe(1);
    expect(output).toMatch(/RHAPSODE_PORT.*port_in_use/);
  });

  test('a setting that is wrong', { timeout: 120_000 }, async () => {
    const { exit, output } = await endOf('gateway', { RHAPSODE_NATS_URL: 'http://x', RHAPSODE_POOLS: 'A B' });
    expect(exit).toBe(1);
    expect(output).toMatch(/RHAPSODE_NATS_URL.*RHAPSODE_POOLS.*config_invalid/s);
  });
});

import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { type Fleet, startFleet } from '../support/fleet.ts';

interface Bad {
  readonly what: string;
  readonly fields?: object;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly path?: string;
  readonly status: number;
  readonly code: string;
}

const bad: Bad[] = [
  { what: 'empty text', fields: { input: '' }, status: 400, code: 'text_empty' },
  { what: 'nothing to speak', fields: { input: '… – …' }, status: 400, code: 'text_empty' },
  {
    what: 'a megabyte of text',
    fields: { input: 'word '.repeat(209_716) },
    status: 413,
    code: 'text_too_long',
  },
  { what: 'an unknown voice', fields: { voice: 'nobody' }, status: 404, code: 'voice_not_found' },
  { what: 'an unknown model', fields: { model: 'nothing' }, status: 404, code: 'model_not_found' },
  { what: 'an unknown field', fields: { volume: 11 }, status: 400, code: 'unknown_field' },
  { what: 'too slow a speed', fields: { speed: 0.1 }, status: 400, code: 'invalid_request' },
  { what: 'a speed in words', fields: { speed: 'fast' }, status: 400, code: 'invalid_request' },
  { what: 'a NUL character', fields: { input: 'a\0b' }, status: 400, code: 'invalid_request' },
  { what: 'a control character', fields: { input: 'a\u001bb' }, status: 400, code: 'invalid_request' },
  { what: 'half a surrogate pair', fields: { input: 'a\udc00' }, status: 400, code: 'invalid_encoding' },
  {
    what: 'an unsupported format',
    fields: { response_format: 'vorbis' },
    status: 400,
    code: 'unsupported_format',
  },
  { what: 'bad UTF-8', body: Uint8Array.of(0x22, 0xc3, 0x28, 0x22), status: 400, code: 'invalid_encoding' },
  { what: 'bad JSON', body: '{', status: 400, code: 'invalid_request' },
  { what: 'a bad id', path: '/v1/utterances', fields: { id: 'A B' }, status: 400, code: 'invalid_request' },
  {
    what: 'a bad class',
    path: '/v1/utterances',
    fields: { class: 'now' },
    status: 400,
    code: 'invalid_request',
  },
];

async function refused({ gateway }: Fleet, { path = '/v1/audio/speech', fields, body }: Bad) {
  const spoken = path === '/v1/audio/speech' ? { model: 'tts-1' } : {};
  const response = await fetch(gateway.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: body ?? JSON.stringify({ voice: 'tone', input: 'Hello.', ...spoken, ...fields }),
  });
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  return { status: response.status, code: error.code, message: error.message };
}

/** All keys in Redis, and the number of messages in NATS. */
async function contents({ redis, nats }: Fleet) {
  const client = new Redis(redis.url);
  const connection = await connect({ servers: nats.url });
  try {
    let messages = 0;
    for await (const { state } of (await jetstreamManager(connection)).streams.list())
      messages += state.messages;
    return { keys: (await client.keys('*')).sort(), messages };
  } finally {
    client.disconnect();
    await connection.close();
  }
}

test('each bad request has its own error, and leaves nothing in Redis or NATS', {
  timeout: 120_000,
}, async (context) => {
  const fleet = await startFleet({ workers: 1 });
  context.onTestFinished(() => fleet.stop());
  const before = await contents(fleet);
  for (const one of bad) {
    const answer = await refused(fleet, one);
    expect(answer, one.what).toMatchObject({ status: one.status, code: one.code });
    expect(answer.message.length, one.what).toBeGreaterThan(10);
  }
  expect(await contents(fleet)).toEqual(before);
});

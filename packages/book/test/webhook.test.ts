import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createOutbox, type OutboxDeps } from '@rhapsode/book/webhook/outbox';
import { isPublicAddress } from '@rhapsode/book/webhook/public-address';
import { parseWebhookUrl, sendWebhook } from '@rhapsode/book/webhook/send';
import type { ArtefactStore } from '@rhapsode/store';
import { createMemoryArtefacts } from '@rhapsode/store/artefacts/memory';
import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../../../test/support/wait.ts';

const secret = `whsec_${Buffer.from('a secret of 24 bytes at least').toString('base64')}`;
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A receiver that answers with these statuses, the last one for ever; 0: not at all. */
async function receiver(...statuses: number[]) {
  const got: { headers: IncomingHttpHeaders; body: string; url: string }[] = [];
  const server = createServer(async (request, answer) => {
    let body = '';
    for await (const piece of request.setEncoding('utf8')) body += piece;
    got.push({ headers: request.headers, body, url: request.url! });
    const status = statuses.length > 1 ? statuses.shift()! : statuses[0]!;
    if (status > 0) answer.writeHead(status, { location: '/elsewhere' }).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  return { got, url: `http://127.0.0.1:${port}/hook`, port };
}

const message = (url: string) => ({
  url,
  id: 'msg_1',
  timestampSeconds: Math.floor(Date.now() / 1000),
  body: '{"a":"ä"}',
});
const open = { secret, allowPrivate: true };
const strict = { secret, allowPrivate: false };

describe('a webhook', () => {
  it('is signed so that Standard Webhooks’ own library takes it, and no other body', async () => {
    const { got, url } = await receiver(200);
    expect(await sendWebhook(message(url), open)).toEqual({ ok: true });
    const [{ headers, body }] = got as [(typeof got)[0]];
    const sent = headers as Record<string, string>;
    expect(new Webhook(secret).verify(body, sent)).toEqual({ a: 'ä' });
    expect(() => new Webhook(secret).verify(body.replace('ä', 'b'), sent)).toThrow();
    const later = { ...sent, 'webhook-timestamp': String(Number(sent['webhook-timestamp']) + 1) };
    expect(() => new Webhook(secret).verify(body, later)).toThrow();
  });

  it('goes to the address that was looked at, whatever its name means a moment later', async () => {
    const { got, port } = await receiver(200);
    let asked = 0;
    const resolve = async () => {
      asked += 1;
      return [{ address: asked === 1 ? '127.0.0.1' : '192.0.2.1', family: 4 }];
    };
    // There is no such name: only the given address can be where it arrives.
    expect(await sendWebhook(message(`http://hook.invalid:${port}/x`), { ...open, resolve })).toEqual({
      ok: true,
    });
    expect(asked).toBe(1);
    expect(got[0]!.headers.host).toBe(`hook.invalid:${port}`);
  });

  it('is not sent where any address of the name is private', async () => {
    const { got, port } = await receiver(200);
    for (const addresses of [
      ['127.0.0.1'],
      ['93.184.216.34', '10.0.0.1'],
      ['::ffff:127.0.0.1'],
      ['fd00:ec2::254'],
    ]) {
      const resolve = async () =>
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      const sent = await sendWebhook(message(`https://hook.example:${port}/`), { ...strict, resolve });
      expect(sent).toMatchObject({ ok: false, reason: expect.stringMatching(/not public/) });
    }
    expect(got).toEqual([]);
  });

  it.each([
    'http://hook.example/',
    'ftp://hook.example/',
    'https://user:password@hook.example/',
    'https://127.0.0.1/',
    'https://127.1/',
    'https://0x7f000001/',
    'https://2130706433/',
    'https://0/',
    'https://10.1.2.3/',
    'https://172.16.0.1/',
    'https://192.168.1.1/',
    'https://169.254.169.254/latest/meta-data/',
    'https://100.100.100.200/',
    'https://[::1]/',
    'https://[::]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:a9fe:a9fe]/',
    'https://[64:ff9b::7f00:1]/',
    'https://[2002:7f00:1::]/',
    'https://[fe80::1]/',
    'https://[fd00:ec2::254]/',
    'https://127.0.0.1./',
    'https://0177.0.0.1/',
    'https://0x7f.1/',
    'https://017700000001/',
    'https://%31%32%37.0.0.1/',
    'https://１２７.０.０.１/',
    'https://[::ffff:0:127.0.0.1]/',
    'https://[::127.0.0.1]/',
    'https://[fe80::1%25eth0]/',
    'https://localhost/',
    'https://localhost./',
    'https://LOCALHOST:8443/hook',
    'https://hook.localhost/',
    'https://printer.local/',
    'https://metadata.google.internal/computeMetadata/v1/',
    'https://router.home.arpa/',
    'https://redis:6379/',
    'https://metadata/',
    'https://user@hook.example/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'gopher://hook.example/',
    '//hook.example/',
    'not a url',
  ])('is never sent to %s', async (url) => {
    expect(() => parseWebhookUrl(url, strict, 'webhook')).toThrow(/can't be called/);
    expect(await sendWebhook(message(url), strict)).toMatchObject({ ok: false, again: false });
  });

  it('may be sent to a name of the open internet, and beside us where that is allowed', () => {
    for (const url of [
      'https://hook.example/',
      'https://hook.example.:8443/x?y=1',
      'https://xn--bcher-kva.example/',
    ])
      expect(parseWebhookUrl(url, strict, 'webhook').href).toBe(url);
    for (const url of ['http://localhost:1/', 'http://redis/', 'https://10.0.0.1/', 'http://printer.local/'])
      expect(parseWebhookUrl(url, open, 'webhook').href).toBe(url);
  });

  it('knows addresses of the open internet', () => {
    for (const address of ['93.184.216.34', '8.8.8.8', '172.32.0.1', '2606:4700::1111', '2a00:1450::1'])
      expect([address, isPublicAddress(address)]).toEqual([address, true]);
    for (const address of ['fe80::1%eth0', '2001:db8::1', '2001::1', '3fff::1', '4000::1', 'name'])
      expect([address, isPublicAddress(address)]).toEqual([address, false]);
  });

  it('follows no redirect, and says what came of it', async () => {
    for (const [status, again] of [
      [302, true],
      [500, true],
      [404, true],
      [410, false],
    ] as const) {
      const { got, url } = await receiver(status);
      expect(await sendWebhook(message(url), open)).toEqual({
        ok: false,
        again,
        reason: `it answered ${status}`,
      });
      expect(got.length).toBe(1);
    }
    const { url } = await receiver(0);
    expect(await sendWebhook(message(url), { ...open, timeoutMs: 100 })).toMatchObject({
      ok: false,
      again: true,
      reason: 'no answer within 100 ms',
    });
  });
});

describe('the outbox', () => {
  const event = { type: 'book.succeeded', timestamp: '2026-01-01T00:00:00.000Z', data: { id: 'b' } };
  const box = (artefacts: ArtefactStore, more: Partial<OutboxDeps> = {}) => {
    const outbox = createOutbox({
      artefacts,
      settings: open,
      eventOf: async () => event,
      lookEveryMs: 5,
      retryAfterMs: [1, 1, 1],
      ...more,
    });
    ends.push(() => outbox.close());
    return outbox;
  };
  const to = (url: string, book = 'b') =>
    ({ event: 'ended', tenant: 't', book, home: 'h', edition: 1, url }) as const;
  const keys = async (artefacts: ArtefactStore) => {
    const found: string[] = [];
    for await (const { key } of artefacts.list('webhooks/')) found.push(key);
    return found;
  };

  it('tells once, under one id, when the book has ended and not before', async () => {
    const { got, url } = await receiver(204);
    const artefacts = createMemoryArtefacts();
    let ended = false;
    let asked = 0;
    const outbox = box(artefacts, {
      eventOf: async () => {
        asked += 1;
        return ended ? event : undefined;
      },
    });
    await outbox.note(to(url));
    await until(() => asked > 2, { what: 'the note to be looked at' });
    expect(got).toEqual([]);
    ended = true;
    await until(async () => (await keys(artefacts)).length === 0, { what: 'the note to be done' });
    expect(got.map(({ body }) => JSON.parse(body))).toEqual([event]);
  });

  it('tries again under the same id until it is taken', async () => {
    const { got, url } = await receiver(500, 503, 200);
    const artefacts = createMemoryArtefacts();
    let at = 0;
    await box(artefacts, { now: () => (at += 60_000) }).note(to(url));
    await until(async () => (await keys(artefacts)).length === 0, { what: 'the note to be done' });
    expect(got.length).toBe(3);
    expect(new Set(got.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });

  it('outlives who wrote the note and who began to send it', async () => {
    const { got, url } = await receiver(0, 200);
    const artefacts = createMemoryArtefacts();
    const first = box(artefacts);
    await first.note(to(url));
    first.kick();
    await until(() => got.length === 1, { what: 'the first try' });
    await first.close();
    // A minute later another process finds it.
    box(artefacts, { now: () => Date.now() + 60_000 });
    await until(async () => (await keys(artefacts)).length === 0, { what: 'the note to be done' });
    expect(got.length).toBe(2);
    expect(got[1]!.headers['webhook-id']).toBe(got[0]!.headers['webhook-id']);
  });

  it('tells others while receivers do not answer, and none of these is called more than a few times at once', async () => {
    const artefacts = createMemoryArtefacts();
    const [hole, other, good] = await Promise.all([receiver(0), receiver(0), receiver(200)]);
    const outbox = box(artefacts, { settings: { ...open, timeoutMs: 600_000 } });
    for (let n = 0; n < 12; n++) await outbox.note(to(hole.url, `a${n}`));
    for (let n = 0; n < 12; n++) await outbox.note(to(other.url, `b${n}`));
    for (let n = 0; n < 12; n++) await outbox.note(to(good.url, `c${n}`));
    await until(() => good.got.length === 12, { what: 'everything for who answers' });
    expect(new Set(good.got.map(({ headers }) => headers['webhook-id'])).size).toBe(12);
    await until(() => hole.got.length === 4 && other.got.length === 4, { what: 'the others to be called' });
    await until(async () => (await keys(artefacts)).length === 24, { what: 'what was taken to be done' });
    expect([hole.got.length, other.got.length]).toEqual([4, 4]);
  });

  it('gives up in the end, says so, and never asks a receiver that is gone', async () => {
    const lost: string[] = [];
    const artefacts = createMemoryArtefacts();
    const [{ got, url }, gone] = await Promise.all([receiver(500), receiver(410)]);
    let at = 0;
    const outbox = box(artefacts, { now: () => (at += 60_000), onGivenUp: (_, reason) => lost.push(reason) });
    await outbox.note(to(url));
    await outbox.note({ ...to(gone.url), edition: 2 });
    await until(async () => (await keys(artefacts)).length === 0, { what: 'the notes to be done' });
    expect([got.length, gone.got.length]).toEqual([4, 1]);
    expect(lost.sort()).toEqual(['it answered 410', 'it answered 500']);
  });
});

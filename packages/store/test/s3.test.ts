import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../../test/support/ports.ts';
import { type S3Server, startS3 } from '../../../test/support/s3.ts';
import { artefactConformance } from '../src/artefacts/conformance.ts';
import { createS3Artefacts } from '../src/artefacts/s3.ts';

let server: S3Server;
beforeAll(async () => {
  server = await startS3();
});
afterAll(() => server.stop());

let stores = 0;
artefactConformance('S3', () => createS3Artefacts({ url: `${server.url}/${stores++}` }));

test('keeps its folder to itself', async () => {
  const [one, other] = ['one', 'other'].map((name) => createS3Artefacts({ url: `${server.url}/${name}` }));
  await one!.put('x', Buffer.from('one'));
  await other!.put('x', Buffer.from('other'));
  await other!.deleteAll('y/');
  const listed: string[] = [];
  for await (const { key, bytes } of one!.list('')) listed.push(`${key} ${bytes}`);
  expect(listed).toEqual(['x 3']);
});

test('goes on behind the last name of an answer that does not hold all', async () => {
  // The server above fails with such answers, so this one gives just them.
  const names = ['some/a', 'some/b c', 'some/d', 'some/é&'];
  const pages = createServer(({ url = '' }, answer) => {
    const after = new URL(url, 'http://localhost').searchParams.get('start-after') ?? '';
    const [name, ...more] = names.slice(names.indexOf(after) + 1);
    const xml = name!.replace('&', '&amp;');
    answer
      .setHeader('content-type', 'application/xml')
      .end(
        `<?xml version="1.0"?><ListBucketResult><IsTruncated>${more.length > 0}</IsTruncated><Contents><Key>${xml}</Key>` +
          '<Size>3</Size><LastModified>2026-11-21T00:00:00.000Z</LastModified></Contents></ListBucketResult>',
      );
  }).listen(0, '127.0.0.1');
  await once(pages, 'listening');
  const { port } = pages.address() as AddressInfo;
  const store = createS3Artefacts({ url: `http://a:b@127.0.0.1:${port}/books/some` });
  try {
    const listed: string[] = [];
    for await (const { key } of store.list('')) listed.push(key);
    expect(listed).toEqual(['a', 'b c', 'd', 'é&']);
  } finally {
    await store.close();
    pages.closeAllConnections();
    pages.close();
  }
});

test('says that it is not there: without a server, without the bucket, with an unknown key', async () => {
  const unavailable = expect.objectContaining({ code: 'artefacts_unavailable' });
  const nobody = createS3Artefacts({ url: `http://a:b@127.0.0.1:${await freePort()}/books` });
  await expect(nobody.put('x', Buffer.from('x'))).rejects.toEqual(unavailable);
  await expect(nobody.ping()).rejects.toEqual(unavailable);
  const at = new URL(server.url);
  const noBucket = createS3Artefacts({ url: `http://S3RVER:S3RVER@${at.host}/nothing` });
  await expect(noBucket.ping()).rejects.toEqual(unavailable);
  const stranger = createS3Artefacts({ url: `http://nobody:wrong@${at.host}/books` });
  await expect(stranger.put('x', Buffer.from('x'))).rejects.toEqual(unavailable);
});

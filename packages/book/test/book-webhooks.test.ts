import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bookSettings, createBookWebhooks } from '@rhapsode/book';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../../../test/support/wait.ts';
import { type Bench, bench } from './support/book-bench.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function receiver() {
  const got: { message: unknown; type: string; data: { id: string; state: string; result: unknown } }[] = [];
  const server = createServer(async (request, answer) => {
    let body = '';
    for await (const piece of request.setEncoding('utf8')) body += piece;
    got.push({ message: request.headers['webhook-id'], ...JSON.parse(body) });
    answer.writeHead(204).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return { got, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

function webhooksOf({ artefacts, store }: Bench) {
  const settings = { secret: 'a secret', allowPrivate: true };
  const webhooks = createBookWebhooks({ artefacts, books: store, settings, lookEveryMs: 10 });
  ends.push(() => webhooks.close());
  return webhooks;
}

describe('the webhook of a book', () => {
  it('tells that it has ended, with what became of it', async () => {
    const { got, url } = await receiver();
    const made = await bench({ webhooks: { allowPrivate: true } });
    ends.push(() => made.close());
    made.run(webhooksOf(made));
    await made.create('told', 'One sentence. Another one.', { webhook: url });
    await made.create('untold', 'Nobody wants to know.');
    await Promise.all([made.ended('told'), made.ended('untold')]);
    await until(() => got.length > 0, { what: 'the webhook' });
    expect(got).toMatchObject([
      { type: 'book.succeeded', data: { id: 'told', state: 'succeeded', result: { sentences_spoken: 2 } } },
    ]);
  });

  it('is sent by another process when the one that ended the book died before it could', async () => {
    const { got, url } = await receiver();
    const made = await bench({ webhooks: { allowPrivate: true } });
    ends.push(() => made.close());
    const first = webhooksOf(made);
    // It notes, and dies before it looks at its notes: nothing is sent while the book has not ended.
    made.run({
      beforeEnd: async (book) => {
        await first.beforeEnd(book);
        await first.close();
      },
    });
    await made.create('orphan', 'One sentence.', { webhook: url });
    await made.ended('orphan');
    expect(got).toEqual([]);
    webhooksOf(made);
    await until(() => got.length > 0, { what: 'the webhook' });
    expect(got).toMatchObject([{ type: 'book.succeeded', data: { id: 'orphan' } }]);
  });

  it('tells that it was cancelled, each time, and that it was deleted', async () => {
    const { got, url } = await receiver();
    const made = await bench({ webhooks: { allowPrivate: true } });
    ends.push(() => made.close());
    webhooksOf(made);
    const heard = (count: number) => until(() => got.length >= count, { what: `${count} webhooks` });
    await made.create('a', 'One sentence.', { webhook: url });
    await made.books.cancel('acme', 'a');
    await heard(1);
    await made.books.cancel('acme', 'a');
    await made.books.resume('acme', 'a');
    await made.books.cancel('acme', 'a');
    await heard(2);
    await made.books.delete('acme', 'a');
    await heard(3);
    // Another one of that name is another book: its end is told, too, and under another id.
    await made.create('a', 'One sentence.', { webhook: url });
    await made.books.delete('acme', 'a');
    await heard(4);
    expect(got).toMatchObject([
      { type: 'book.cancelled', data: { id: 'a', state: 'cancelled' } },
      { type: 'book.cancelled', data: { id: 'a', state: 'cancelled' } },
      { type: 'book.deleted', data: { id: 'a', deleted: true } },
      { type: 'book.deleted', data: { id: 'a', deleted: true } },
    ]);
    expect(new Set(got.map(({ message }) => message)).size).toBe(4);
  });

  it('is refused where webhooks are off, and where its address is not public', async () => {
    const off = await bench();
    ends.push(() => off.close());
    await expect(off.create('a', 'Text.', { webhook: 'https://hook.example/' })).rejects.toThrow(
      'webhooks are off',
    );
    const strict = await bench({ webhooks: { allowPrivate: false } });
    ends.push(() => strict.close());
    for (const webhook of ['https://127.0.0.1/', 'https://localhost/', 'https://169.254.169.254/latest/'])
      await expect(strict.create('a', 'Text.', { webhook })).rejects.toMatchObject({
        ...{ code: 'invalid_request', status: 400, param: 'webhook' },
        message: expect.stringContaining('not public'),
      });
    await expect(strict.books.get('acme', 'a')).rejects.toMatchObject({ code: 'book_not_found' });
    const manuscript = await strict.manuscript('Text.');
    const settings = bookSettings.parse({ webhook: 'https://0x7f.1/' });
    await expect(strict.books.estimate({ tenant: 'acme', settings, manuscript })).rejects.toThrow(
      'not public',
    );
  });
});

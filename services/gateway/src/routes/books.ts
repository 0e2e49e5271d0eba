import { type Books, type BookView, bookId, bookSettings, sentenceEdit } from '@rhapsode/book';
import { newUtteranceId, RhapsodeError } from '@rhapsode/contracts';
import { checkText, disconnectSignal, parseRequest } from '@rhapsode/service';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { receiveBook } from '../books/receive-book.ts';
import { createUpload } from '../books/upload.ts';
import type { GatewayDeps } from '../deps.ts';
import { withRules } from '../kept-lexicons.ts';
import type { TextRequest } from '../text-options.ts';
import { bookApi, creation, page, sentencePage } from './book-api.ts';
import { bookEvents } from './book-events.ts';
import { bookFiles } from './book-files.ts';

const nothing = z.strictObject({}).optional();

/** Manuscripts in, audiobooks out: accepted when the plan is stored, made by collectors, whatever dies. */
export function bookRoutes(app: FastifyInstance, deps: GatewayDeps): void {
  const { books, tenant, limits } = deps;

  // A manuscript is not read into memory: the body of these two comes as it is.
  void app.register(async (uploads) => {
    uploads.removeAllContentTypeParsers();
    uploads.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    const options = { bodyLimit: 2 * limits.maxBookBytes, config: { api: bookApi.create } };
    uploads.put('/v1/books/:id', options, async (request, reply) => create(true, request, reply));
    uploads.post('/v1/books', options, async (request, reply) => create(false, request, reply));
  });

  async function create(isNamed: boolean, request: FastifyRequest, reply: FastifyReply) {
    const gone = disconnectSignal(request, reply);
    const upload = await createUpload();
    try {
      const named = isNamed ? idOf(request) : undefined;
      const { dry_run: dry } = parseRequest(creation, request.query);
      const {
        settings: sent,
        cover,
        ...manuscript
      } = await receiveBook(request, upload, limits.maxBookBytes, gone);
      const { id: asked, ...rest } = sent;
      const settings = parseRequest(bookSettings, await withRules(rest as TextRequest, deps));
      const { id: given } = parseRequest(z.object({ id: bookId.optional() }), { id: asked });
      const id = named ?? given ?? newUtteranceId();
      if (named !== undefined && given !== undefined && given !== named)
        throw new RhapsodeError('invalid_request', {
          message: "'id' is not the one in the path",
          param: 'id',
        });
      const wanted = { tenant, settings, manuscript: { ...manuscript, cover }, signal: gone };
      if (dry !== undefined && dry !== 'false' && dry !== '0')
        return reply.send(await books.estimate(wanted));
      const { book, created } = await books.create({ ...wanted, id, replaces: editionOf(request) });
      return sendBook(reply.code(created ? 202 : 200).header('location', `/v1/books/${id}`), book);
    } finally {
      // What was refused before it was read would stand before the next request of the connection.
      if (!request.raw.readableEnded) {
        void reply.header('connection', 'close');
        request.raw.resume();
      }
      await upload.remove();
    }
  }

  app.get('/v1/books', { config: { api: bookApi.list } }, async (request) => {
    const { after, limit } = parseRequest(page, request.query);
    const found = await books.list(tenant, { limit, ...(after === undefined ? {} : { after }) });
    return {
      object: 'list',
      data: found.books.map(shown),
      has_more: found.more,
      last_id: found.books.at(-1)?.id ?? null,
    };
  });
  app.get('/v1/books/:id', { config: { api: bookApi.get } }, async (request, reply) =>
    sendBook(reply, await books.get(tenant, idOf(request))),
  );
  app.delete('/v1/books/:id', { config: { api: bookApi.delete } }, async (request, reply) => {
    await books.delete(tenant, idOf(request));
    return reply.code(204).send();
  });
  for (const action of ['pause', 'resume', 'cancel', 'retry'] as const satisfies (keyof Books)[])
    app.post(`/v1/books/:id/${action}`, { config: { api: bookApi[action] } }, async (request, reply) => {
      parseRequest(nothing, request.body ?? undefined);
      return sendBook(reply, await books[action](tenant, idOf(request)));
    });

  app.get('/v1/books/:id/sentences', { config: { api: bookApi.sentences } }, async (request) => {
    const { after, limit, state } = parseRequest(sentencePage, request.query);
    const found = await books.sentences(tenant, idOf(request), {
      // One more than is given tells whether there are more.
      limit: limit + 1,
      ...(after === undefined ? {} : { after }),
      ...(state === undefined ? {} : { state }),
    });
    return { object: 'list', data: found.slice(0, limit), has_more: found.length > limit };
  });
  app.patch('/v1/books/:id/sentences/:n', { config: { api: bookApi.edit } }, async (request, reply) => {
    const { n } = request.params as { n: string };
    if (!/^\d{1,9}$/.test(n)) throw new RhapsodeError('sentence_not_found');
    const edit = parseRequest(sentenceEdit, request.body);
    for (const field of ['text', 'phonemes'] as const)
      if (edit[field] !== undefined) checkText(edit[field], field);
    return sendBook(
      reply.code(202),
      await books.edit(tenant, idOf(request), Number(n), edit, editionOf(request)),
    );
  });

  bookFiles(app, deps);
  bookEvents(app, deps);
}

/** A name that can't be one is of no book. */
export function idOf(request: FastifyRequest): string {
  const id = bookId.safeParse((request.params as { id?: unknown }).id);
  if (id.success) return id.data;
  if (request.method === 'PUT') parseRequest(z.object({ id: bookId }), request.params);
  throw new RhapsodeError('book_not_found');
}

/** `If-Match: "3"`: only if that is the edition. */
function editionOf({ headers }: FastifyRequest): number | undefined {
  const given = headers['if-match'];
  if (given === undefined) return undefined;
  const match = /^(?:W\/)?"?(\d{1,9})"?$/.exec(given);
  if (!match)
    throw new RhapsodeError('invalid_request', {
      message: '\'If-Match\' must be an edition, as "3"',
      param: 'if-match',
    });
  return Number(match[1]);
}

const sendBook = (reply: FastifyReply, book: BookView) =>
  reply.header('etag', `"${book.edition}"`).send(shown(book));

export function shown(book: BookView) {
  const path = `/v1/books/${book.id}`;
  return {
    ...book,
    files_url: `${path}/files`,
    sentences_url: `${path}/sentences`,
    events_url: `${path}/events`,
  };
}

import type { OutputFile } from '@rhapsode/book';
import { RhapsodeError } from '@rhapsode/contracts';
import { disconnectSignal, parseByteRange, rangeUnlessChanged, sendBody } from '@rhapsode/service';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { GatewayDeps } from '../deps.ts';
import { bookApi } from './book-api.ts';
import { idOf } from './books.ts';

/** Nothing is made as it is taken, so nobody has to know what was. */
const drain = { settle: async () => {} };

/** What was made of a book, whole or in parts. */
export function bookFiles(app: FastifyInstance, { books, tenant, log }: GatewayDeps): void {
  app.get('/v1/books/:id/files', { config: { api: bookApi.files } }, async (request) => {
    const id = idOf(request);
    return { object: 'list', data: (await books.files(tenant, id)).map((file) => shownFile(id, file)) };
  });

  app.get(
    '/v1/books/:id/files/*',
    { exposeHeadRoute: false, config: { api: bookApi.file } },
    async (request, reply) => {
      const [id, name] = [idOf(request), nameOf(request)];
      const listed = (await books.files(tenant, id)).find((file) => file.name === name);
      const range =
        listed &&
        rangeOf(request, listed, (length) => void reply.header('content-range', `bytes */${length}`));
      const signal = disconnectSignal(request, reply);
      const options = { signal, ...(range ? { range: { first: range.first, last: range.last! } } : {}) };
      const file = await books.file(tenant, id, name, options);
      if (file.artefact.bytes !== file.bytes)
        throw new RhapsodeError('book_damaged', {
          message: `the file '${name}' is damaged; it is made again by a retry`,
        });
      const length = range ? range.last! - range.first + 1 : file.bytes;
      const headers: Record<string, string> = {
        'content-type': file.contentType,
        'content-length': String(length),
        'accept-ranges': 'bytes',
        etag: etagOf(file),
        'content-disposition': `attachment; filename*=UTF-8''${encodeName(name.split('/').at(-1)!)}`,
        ...(range ? { 'content-range': `bytes ${range.first}-${range.last}/${file.bytes}` } : {}),
      };
      await sendBody(
        request,
        reply,
        { status: range ? 206 : 200, headers, body: file.artefact.body },
        signal,
        {
          drain,
          log,
        },
      );
      return reply;
    },
  );

  app.head('/v1/books/:id/files/*', { config: { api: bookApi.file } }, async (request, reply) => {
    const name = nameOf(request);
    const file = (await books.files(tenant, idOf(request))).find((one) => one.name === name);
    if (!file) throw new RhapsodeError('file_not_found');
    return reply
      .type(file.contentType)
      .headers({ 'content-length': String(file.bytes), 'accept-ranges': 'bytes', etag: etagOf(file) })
      .send();
  });
}

const nameOf = (request: FastifyRequest): string => (request.params as { '*': string })['*'];

const etagOf = ({ sha256 }: Pick<OutputFile, 'sha256'>) => `"${sha256}"`;

function rangeOf(request: FastifyRequest, file: OutputFile, onBehind: (length: number) => void) {
  const { bytes } = file;
  try {
    return parseByteRange(rangeUnlessChanged(request.headers, etagOf(file)), bytes);
  } catch (error) {
    onBehind(bytes);
    throw error;
  }
}

const shownFile = (id: string, { contentType, sampleRateHz, chapter, ...file }: OutputFile) => ({
  ...file,
  content_type: contentType,
  ...(sampleRateHz === undefined ? {} : { sample_rate: sampleRateHz }),
  // Counted from 1, as everywhere in this interface.
  ...(chapter === undefined ? {} : { chapter: chapter + 1 }),
  url: `/v1/books/${id}/files/${file.name.split('/').map(encodeURIComponent).join('/')}`,
});

/** RFC 8187: what is no attribute character is written in percent. */
const encodeName = (name: string) =>
  encodeURIComponent(name).replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

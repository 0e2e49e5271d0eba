import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { RhapsodeError } from '@rhapsode/contracts';
import type { FastifyRequest } from 'fastify';
import { receiveMultipart } from './receive-multipart.ts';
import { unpackElsewhere } from './unpack-elsewhere.ts';
import { unpackJson } from './unpack-json.ts';
import type { ReceivedBook, Upload } from './upload.ts';

/** A request of this length is taken apart here; a longer one in a process of its own. */
const mostBytesHere = 128 * 1024;
/** JSON's escapes, and base64, make a text longer. */
const jsonGrowth = 2;

/** Reads a request for a book from its connection to files; this process does not grow with it. */
export async function receiveBook(
  request: FastifyRequest,
  upload: Upload,
  mostBytes: number,
  signal: AbortSignal,
): Promise<ReceivedBook> {
  const body = request.body as Readable | undefined;
  if (!body) throw new RhapsodeError('invalid_request', { message: 'The request body is empty.' });
  const type = request.headers['content-type'] ?? '';
  if (/^multipart\/form-data\b/iu.test(type))
    return receiveMultipart(request.headers, body, upload, mostBytes);
  if (!/^application\/json\b/iu.test(type))
    throw new RhapsodeError('unsupported_media_type', {
      message: 'The content type is not supported; send application/json or multipart/form-data.',
    });
  const { path, bytes } = await upload.keep(body, 'request.json', jsonGrowth * mostBytes);
  if (bytes === 0) throw new RhapsodeError('invalid_request', { message: 'The request body is empty.' });
  const unpacked =
    bytes <= mostBytesHere
      ? await unpackJson(path, upload.dir)
      : await unpackElsewhere(path, upload.dir, signal);
  const { settings, path: manuscript, name, cover } = unpacked;
  return {
    settings,
    path: manuscript,
    name,
    cover: cover && { mediaType: cover.mediaType, bytes: await readFile(cover.path) },
  };
}

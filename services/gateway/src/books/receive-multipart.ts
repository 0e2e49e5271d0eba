import { readFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { Busboy, type BusboyHeaders } from '@fastify/busboy';
import { bookSettings, type Cover, coverTooLarge, coverTypes, mostCoverBytes } from '@rhapsode/book';
import { RhapsodeError } from '@rhapsode/contracts';
import { checkText, parseJson, refuseHidden } from '@rhapsode/service';
import { endingOf, type ReceivedBook, titleOfName, type Upload } from './upload.ts';

const limits = { fields: 100, files: 3, fieldSize: 8 * 1024 * 1024, headerPairs: 100 };

/**
 * A form: the manuscript as a file (of any field but `cover`), the cover as another, settings in fields of their names or
 * all in the field `settings` as JSON.
 */
export async function receiveMultipart(
  headers: IncomingHttpHeaders,
  body: Readable,
  upload: Upload,
  mostBytes: number,
): Promise<ReceivedBook> {
  // Without a prototype: a field may have any name.
  const settings: Record<string, unknown> = Object.create(null);
  const files: Promise<void>[] = [];
  const streams: Readable[] = [];
  let manuscript: string | undefined;
  let title: string | undefined;
  let cover: Cover | undefined;
  let hasCover = false;
  async function takeCover(file: Readable, given: string): Promise<void> {
    if (hasCover) throw refused('a book has one cover; this is another', 'cover');
    hasCover = true;
    const mediaType = coverTypes.find((one) => one === given);
    if (!mediaType) throw refused(`the cover must be one of ${coverTypes.join(', ')}`, 'cover');
    const { path } = await upload.keep(file, 'cover', mostCoverBytes, coverTooLarge);
    cover = { mediaType, bytes: await readFile(path) };
  }
  async function takeManuscript(file: Readable, given: string | undefined, field: string): Promise<void> {
    if (manuscript !== undefined) throw refused('a book has one manuscript; this is another file', field);
    const name = given ?? '';
    manuscript = `manuscript${endingOf(name)}`;
    title = titleOfName(name);
    manuscript = (await upload.keep(file, manuscript, mostBytes)).path;
  }
  function takeField(name: string, value: string, isCut: boolean): void {
    if (isCut) throw refused(`'${name}' is longer than ${limits.fieldSize} bytes`, name);
    const said =
      name === 'settings'
        ? Object.entries(asObject(parseJson(value)))
        : [[name, isText(name, value) ? value : parseValue(name, value)] as const];
    for (const [field, one] of said) {
      if (field in settings) throw refused(`'${field}' is there twice`, field);
      settings[field] = one;
    }
  }

  const form = newForm(headers);
  const parsed = Promise.withResolvers<void>();
  parsed.promise.catch(() => {});
  let isRefused = false;
  const fail = (error: unknown) => {
    isRefused = true;
    parsed.reject(error);
    body.unpipe(form);
    body.resume();
    form.destroy();
    // A part that does not end keeps whoever reads it waiting, with its file open.
    for (const stream of streams) if (!stream.readableEnded) stream.destroy(asError(error));
  };
  form.on('file', (field, file, name, _encoding, type) => {
    // Told to whoever reads it; nobody does any more when the form was refused.
    file.on('error', () => {});
    if (isRefused) {
      file.destroy();
      return;
    }
    const taken = field === 'cover' ? takeCover(file, type) : takeManuscript(file, name, field);
    // What is refused must be read all the same, or the form never ends.
    taken.catch((error: unknown) => {
      file.resume();
      fail(error);
    });
    files.push(taken);
    streams.push(file);
  });
  form.on('field', (name, value, _nameCut, isCut) => {
    try {
      takeField(name, value, isCut);
    } catch (error) {
      fail(error);
    }
  });
  const tooMany = () => fail(refused('the form has too many parts', 'form'));
  for (const event of ['partsLimit', 'filesLimit', 'fieldsLimit'] as const) form.on(event, tooMany);
  form.on('finish', () => parsed.resolve());
  form.on('error', (cause: unknown) =>
    fail(new RhapsodeError('invalid_request', { message: 'the form cannot be read', cause })),
  );
  body.on('error', fail);
  body.on('aborted', () => fail(new Error('the client has gone')));
  body.pipe(form);
  try {
    await parsed.promise;
    await Promise.all(files);
  } finally {
    await Promise.allSettled(files);
  }
  if (manuscript !== undefined && settings.text !== undefined)
    throw refused("a book has one manuscript: send a file, or 'text'", 'text');
  if (typeof settings.text === 'string') {
    checkText(settings.text, 'text');
    manuscript = (await upload.keep(Readable.from([Buffer.from(settings.text)]), 'manuscript.txt', mostBytes))
      .path;
  }
  delete settings.text;
  if (manuscript === undefined) throw refused('the form has no file: send the manuscript as one', 'document');
  return { settings, path: manuscript, name: title, cover };
}

const asError = (error: unknown) => (error instanceof Error ? error : new Error(String(error)));

const refused = (message: string, param: string) => new RhapsodeError('invalid_request', { message, param });

function newForm(headers: IncomingHttpHeaders) {
  try {
    return new Busboy({
      headers: headers as BusboyHeaders,
      limits,
      isPartAFile: (_field, type, name) => name !== undefined || type === 'application/octet-stream',
    });
  } catch {
    throw refused("the content type of a form must say its 'boundary'", 'content-type');
  }
}

const texts = new Set([
  'text',
  'id',
  'voice',
  'speaker',
  'type',
  'language',
  'normalise',
  'on_error',
  'webhook',
]);
const isText = (name: string, value: string) =>
  texts.has(name) ||
  !Object.hasOwn(bookSettings.shape, name) ||
  // Rules are a list.
  (name === 'lexicon' && !/^\s*\[/.test(value));

function parseValue(name: string, text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RhapsodeError('invalid_request', { message: `'${name}' must be written as JSON`, param: name });
  }
  refuseHidden(value, [name]);
  return value;
}

function asObject(value: unknown): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new RhapsodeError('invalid_request', {
    message: "'settings' must be a JSON object",
    param: 'settings',
  });
}

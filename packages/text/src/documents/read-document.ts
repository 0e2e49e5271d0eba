import { createReadStream } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { RhapsodeError } from '@rhapsode/contracts';
import { type DocumentPart, documentLimits, type ReadOptions } from './document.ts';
import { decodeText } from './encoding.ts';
import { readPlainText } from './plain-text.ts';

export type DocumentType = 'text' | 'markdown' | 'html' | 'epub' | 'docx' | 'pdf';

export type DocumentSource =
  | { readonly path: string; readonly type?: DocumentType }
  | { readonly bytes: Uint8Array; readonly name?: string; readonly type?: DocumentType }
  | { readonly stream: AsyncIterable<Uint8Array>; readonly name?: string; readonly type?: DocumentType };

/** The parts of a document in reading order. Its type is what its first bytes and its name say, if it is not given. */
export async function* readDocument(
  source: DocumentSource,
  options: ReadOptions = {},
): AsyncGenerator<DocumentPart> {
  const limits = { ...documentLimits, ...options.limits };
  const name = 'path' in source ? source.path : (source.name ?? '');
  if ('path' in source && (await stat(source.path)).size > limits.bytes) throw tooLarge(limits.bytes);
  if ('bytes' in source && source.bytes.length > limits.bytes) throw tooLarge(limits.bytes);

  let stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  let head: Uint8Array;
  if ('path' in source) {
    head = await firstBytes(source.path);
    stream = createReadStream(source.path);
  } else if ('bytes' in source) {
    head = source.bytes.subarray(0, 4096);
    stream = slices(source.bytes);
  } else ({ head, stream } = await peek(source.stream));
  const bounded = limited(stream, limits.bytes, options.signal);
  const type = source.type ?? typeOf(name, head);
  const whole = async (): Promise<Uint8Array> => {
    if ('bytes' in source) return source.bytes;
    if ('path' in source) return readFile(source.path);
    const parts: Uint8Array[] = [];
    for await (const part of bounded) parts.push(part);
    return Buffer.concat(parts);
  };

  // Readers are loaded when they are needed: a gateway that speaks plain text starts without them.
  if (type === 'text') yield* readPlainText(decodeText(bounded));
  else if (type === 'html') yield* (await import('./web-page.ts')).readHtml(decodeText(bounded), options);
  else if (type === 'markdown') {
    let text = '';
    for await (const piece of decodeText(bounded)) text += piece;
    yield* (await import('./markdown.ts')).readMarkdown(text, options);
  } else if (type === 'epub')
    yield* (await import('./epub.ts')).readEpub('path' in source ? source.path : await whole(), options);
  else if (type === 'docx') yield* (await import('./office.ts')).readDocx(await whole(), options);
  else yield* (await import('./office.ts')).readPdf(await whole(), options);
}

/** By the content where it is plain what it is, else by the name. */
export function typeOf(name: string, head: Uint8Array): DocumentType {
  const start = Buffer.from(head).toString('latin1');
  const ending = /\.([a-z0-9]+)$/iu.exec(name)?.[1]?.toLowerCase() ?? '';
  if (start.startsWith('%PDF-')) return 'pdf';
  if (start.startsWith('PK')) {
    if (ending === 'docx' || (start.includes('[Content_Types].xml') && ending !== 'epub')) return 'docx';
    if (
      ending === 'epub' ||
      start.includes('application/epub+zip') ||
      start.includes('META-INF/') ||
      ending === ''
    )
      return 'epub';
    throw new RhapsodeError('unsupported_media_type', {
      message: 'the archive is neither an EPUB nor a Word document',
    });
  }
  if (ending === 'epub' || ending === 'docx' || ending === 'pdf')
    throw new RhapsodeError('document_invalid', {
      message: `the file is not what its name says (.${ending})`,
    });
  if (ending === 'md' || ending === 'markdown' || ending === 'mkd') return 'markdown';
  if (
    /^(?:html?|xhtml)$/u.test(ending) ||
    /^\s*(?:<\?xml[^>]*>\s*)?<(?:!doctype html|html)[\s>]/iu.test(start.replace(/^ï»¿/u, ''))
  )
    return 'html';
  if (/^(?:\u007fELF|MZ|\u0089PNG|ÿØÿ|GIF8|ID3|OggS|RIFF|fLaC|\u001f\u008b|Rar!|7z¼¯)/u.test(start))
    throw new RhapsodeError('unsupported_media_type', {
      message: 'the file is not a text, Markdown, HTML, EPUB, Word or PDF document',
    });
  return 'text';
}

const tooLarge = (bytes: number) =>
  new RhapsodeError('payload_too_large', { message: `the document is larger than ${bytes} bytes` });

async function firstBytes(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4096), 0, 4096, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

async function peek(stream: AsyncIterable<Uint8Array>) {
  const iterator = stream[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array();
  while (head.length < 64) {
    const { value, done } = await iterator.next();
    if (done) break;
    head = Buffer.concat([head, value]);
  }
  async function* again(): AsyncGenerator<Uint8Array> {
    try {
      if (head.length > 0) yield head;
      for (;;) {
        const { value, done } = await iterator.next();
        if (done) return;
        yield value;
      }
    } finally {
      await iterator.return?.();
    }
  }
  return { head: head.subarray(0, 4096), stream: again() };
}

async function* limited(
  stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  most: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const piece of stream) {
    signal?.throwIfAborted();
    length += piece.length;
    if (length > most) throw tooLarge(most);
    yield piece;
  }
}

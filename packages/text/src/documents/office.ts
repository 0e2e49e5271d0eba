import { RhapsodeError } from '@rhapsode/contracts';
import { openArchive } from './archive.ts';
import { type BookInfo, type DocumentPart, documentLimits, type ReadOptions } from './document.ts';
import { readPlainText } from './plain-text.ts';
import { readHtml } from './web-page.ts';
import { descendants, parseXml } from './xml.ts';

/** A Word document. The archive is checked and inflated once under our limits before the library sees it. */
export async function* readDocx(bytes: Uint8Array, options: ReadOptions = {}): AsyncGenerator<DocumentPart> {
  const limits = { ...documentLimits, ...options.limits };
  const archive = await openArchive(bytes, limits);
  let about: BookInfo = {};
  try {
    if (!archive.names.includes('word/document.xml'))
      throw new RhapsodeError('document_invalid', { message: 'the archive is not a Word document' });
    for (const name of archive.names) {
      const entry = await archive.read(name);
      if (
        entry &&
        name.endsWith('.xml') &&
        /<!(?:DOCTYPE|ENTITY)/u.test(Buffer.from(entry.subarray(0, 4096)).toString('latin1'))
      )
        throw new RhapsodeError('document_unsafe', { message: 'the document declares entities of its own' });
      if (entry && name === 'docProps/core.xml') about = readProperties(entry);
    }
  } finally {
    archive.close();
  }
  const { default: mammoth } = await import('mammoth');
  let html: string;
  try {
    ({ value: html } = await mammoth.convertToHtml({ buffer: Buffer.from(bytes) }, {
      convertImage: mammoth.images.imgElement(async () => ({ src: '' })),
      externalFileAccess: false,
      // A title is a heading above all others.
      styleMap: ["p[style-name='Title'] => h1.title:fresh", "p[style-name='Subtitle'] => p:fresh"],
    } as object));
  } catch (cause) {
    throw new RhapsodeError('document_invalid', { message: 'the Word document can’t be read', cause });
  }
  yield* readHtml([html], options, about);
}

/** What Word keeps about a document beside it. Its title is often of another document, so one that stands in the text has more weight. */
function readProperties(entry: Uint8Array): BookInfo {
  let said: (name: string) => string | undefined;
  try {
    const tree = parseXml(Buffer.from(entry).toString('utf8'), 64, 'docProps/core.xml');
    said = (name) => {
      for (const { text } of descendants(tree, name))
        return text.replace(/\s+/gu, ' ').trim().slice(0, 1_000);
      return undefined;
    };
  } catch {
    return {};
  }
  const [title, creator] = [said('title'), said('creator')];
  return { ...(title ? { title } : {}), ...(creator ? { authors: [creator] } : {}) };
}

/** The text of a PDF, page by page, as far as its maker left it in reading order. */
export async function* readPdf(bytes: Uint8Array, options: ReadOptions = {}): AsyncGenerator<DocumentPart> {
  const { getDocumentProxy, extractText } = await import('unpdf');
  let pages: string[];
  try {
    const pdf = await getDocumentProxy(new Uint8Array(bytes), {
      isEvalSupported: false,
      verbosity: 0,
      stopAtErrors: true,
    } as object);
    if (pdf.numPages > (options.limits?.entries ?? documentLimits.entries))
      throw new RhapsodeError('document_unsafe', { message: `the PDF has ${pdf.numPages} pages` });
    ({ text: pages } = await extractText(pdf, { mergePages: false }));
  } catch (cause) {
    if (cause instanceof RhapsodeError) throw cause;
    throw new RhapsodeError('document_invalid', { message: 'the PDF can’t be read', cause });
  }
  if (!pages.some((page) => /[\p{L}\p{N}]/u.test(page))) {
    yield {
      type: 'warning',
      warning: { code: 'pdf_without_text', message: 'the PDF holds no text; its pages may be pictures' },
    };
  }
  // A page's last line goes on at the top of the next one; a number alone there is the page's.
  const texts = pages.map((page) => page.replace(/^\s*\d{1,4}\s*\n|\n\s*\d{1,4}\s*$/gu, ''));
  yield* readPlainText(
    texts.map((page, n) =>
      n === texts.length - 1 ? page : /[.!?"”’]\s*$/u.test(page) ? `${page}\n\n` : `${page}\n`,
    ),
  );
}

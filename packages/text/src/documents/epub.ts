import { posix } from 'node:path';
import { RhapsodeError } from '@rhapsode/contracts';
import { type Archive, openArchive } from './archive.ts';
import { type BookInfo, type DocumentPart, documentLimits, type ReadOptions } from './document.ts';
import { detectEncoding } from './encoding.ts';
import { createHtmlReader, type HtmlBlock } from './html.ts';
import { childOf, descendants, parseXml, refuseEntities, type XmlElement } from './xml.ts';

interface Item {
  readonly path: string;
  readonly mediaType: string;
  readonly properties: string;
}

/** The chapters of an EPUB 2 or 3, in the order of its spine, with the titles of its table of contents. */
export async function* readEpub(
  source: string | Uint8Array,
  options: ReadOptions = {},
): AsyncGenerator<DocumentPart> {
  const limits = { ...documentLimits, ...options.limits };
  const archive = await openArchive(source, limits);
  try {
    const text = async (path: string) => {
      const bytes = await archive.read(path);
      return bytes === undefined ? undefined : decodeXml(bytes);
    };
    const find = createFinder(archive);
    const packagePath = await findPackage(text, archive, find);
    const opf = parseXml((await text(packagePath))!, limits.depth, 'the package file');
    const base = posix.dirname(packagePath);
    const manifest = readManifest(opf, base, find);
    const spine = childOf(opf, 'spine');
    const refs = [...descendants(opf, 'itemref')];
    const linear = refs.filter(({ attributes }) => attributes.linear !== 'no');
    // A book that has nothing in its flow has put all of it beside.
    const order = (linear.length > 0 ? linear : refs).map(({ attributes }) =>
      manifest.get(attributes.idref ?? ''),
    );
    if (order.length === 0 || order.every((item) => item === undefined))
      throw new RhapsodeError('document_invalid', { message: 'the book has no reading order (spine)' });
    // A page of the contents is for the eyes: who listens has chapters.
    const contents = new Set(
      [...descendants(opf, 'reference')].flatMap(({ attributes }) => {
        const path = /^toc$/iu.test(attributes.type ?? '') ? resolve(base, attributes.href ?? '') : undefined;
        return path === undefined ? [] : [find(path) ?? path];
      }),
    );
    const titles = await readTitles(text, manifest, spine, limits.depth);
    yield { type: 'info', info: await readInfo(opf, manifest, archive) };
    await refuseProtected(text, order);

    let started = false;
    const told = new Set<string>();
    for (const item of order) {
      options.signal?.throwIfAborted();
      if (!item) {
        yield warning('spine_item_missing', 'the reading order names a file that the book does not list');
        continue;
      }
      if (
        !(/html|xml/u.test(item.mediaType) || /\.x?html?$/iu.test(item.path)) ||
        item.properties.split(/\s+/u).includes('nav')
      )
        continue;
      // The standard has each file once; who hears a chapter twice takes it for a fault.
      if (told.has(item.path)) {
        yield warning(
          'spine_item_repeated',
          `the reading order names a file again: ${item.path.slice(0, 120)}`,
        );
        continue;
      }
      told.add(item.path);
      const markup = await text(item.path);
      if (markup === undefined) {
        yield warning(
          'spine_item_missing',
          `the book lists a file that it does not hold: ${item.path.slice(0, 120)}`,
        );
        continue;
      }
      refuseEntities(markup);
      const reader = createHtmlReader({ depth: limits.depth, notes: options.notes ?? false });
      const blocks = [...reader.write(markup), ...reader.end()];
      if (contents.has(item.path) && order.length > 1 && blocks.every((block) => block.text.length < 200))
        continue;
      const named = titles.get(item.path);
      let first = true;
      for (const block of blocks) {
        const title = titleAt(block, named, first);
        const inner =
          first && title === undefined
            ? fallbackTitle(blocks, reader.title, named !== undefined, started)
            : title;
        if (inner !== undefined || !started) {
          started = true;
          yield { type: 'chapter', title: inner ?? '' };
        }
        first = false;
        yield { type: 'block', block };
      }
    }
    if (!started) throw new RhapsodeError('document_invalid', { message: 'there is no text in the book' });
  } finally {
    archive.close();
  }
}

const warning = (code: string, message: string): DocumentPart => ({
  type: 'warning',
  warning: { code, message },
});

/** XML says its encoding itself; EPUB wants UTF-8 or UTF-16. */
export function decodeXml(bytes: Uint8Array): string {
  const head = Buffer.from(bytes.subarray(0, 200)).toString('latin1');
  const declared = /^<\?xml[^>]*encoding=["']([\w.-]+)["']/u.exec(head)?.[1];
  const detected = detectEncoding(bytes.subarray(0, 65_536), bytes.length <= 65_536);
  const name = detected.startsWith('utf-') || declared === undefined ? detected : declared;
  try {
    return new TextDecoder(name).decode(bytes);
  } catch (cause) {
    throw new RhapsodeError('invalid_encoding', { message: `the encoding ${name} is not known`, cause });
  }
}

async function findPackage(
  text: (path: string) => Promise<string | undefined>,
  archive: Archive,
  find: Finder,
): Promise<string> {
  const container = await text('META-INF/container.xml');
  if (container !== undefined) {
    const rootfile = descendants(parseXml(container, 64, 'container.xml'), 'rootfile').next().value as
      | XmlElement
      | undefined;
    const path = rootfile?.attributes['full-path'];
    const found = path === undefined ? undefined : find(resolve('', path) ?? path);
    if (found !== undefined) return found;
  }
  const opf = archive.names.find((name) => /\.opf$/iu.test(name));
  if (opf === undefined)
    throw new RhapsodeError('document_invalid', {
      message: 'the archive is not an EPUB: it has no package file',
    });
  return opf;
}

/** A path in the archive for a reference; nothing if it leads out of it. */
function resolve(base: string, href: string): string | undefined {
  let path = href.split(/[?#]/u)[0]!.replaceAll('\\', '/').trim();
  try {
    path = decodeURIComponent(path);
  } catch {
    // Not escaped after all.
  }
  if (/^[a-z][a-z+.-]*:/iu.test(path)) return undefined;
  const joined = posix.normalize(path.startsWith('/') ? path.slice(1) : posix.join(base, path));
  return joined.startsWith('..') ? undefined : joined;
}

type Finder = (path: string) => string | undefined;

/** Finds the entry that a path means. Some makers write a name's case as they like, or escape it twice or never. */
function createFinder({ names }: Archive): Finder {
  const plain = (name: string) => {
    try {
      return decodeURIComponent(name).normalize().toLowerCase();
    } catch {
      return name.normalize().toLowerCase();
    }
  };
  const exact = new Set(names);
  const alike = new Map(names.toReversed().map((name) => [plain(name), name] as const));
  return (path) => (exact.has(path) ? path : alike.get(plain(path)));
}

function readManifest(opf: XmlElement, base: string, find: Finder): Map<string, Item> {
  const items = new Map<string, Item>();
  for (const { attributes } of descendants(opf, 'item')) {
    const { id, href } = attributes;
    if (id === undefined || href === undefined) continue;
    const path = resolve(base, href);
    if (path === undefined) continue;
    items.set(id, {
      path: find(path) ?? path,
      mediaType: attributes['media-type'] ?? '',
      properties: attributes.properties ?? '',
    });
  }
  return items;
}

type Titles = Map<string, Map<string, string>>;

/** Titles by file and by the `id` they point at (`''`: the file's start), from the EPUB 3 nav or the EPUB 2 NCX. */
async function readTitles(
  text: (path: string) => Promise<string | undefined>,
  manifest: ReadonlyMap<string, Item>,
  spine: XmlElement | undefined,
  depth: number,
): Promise<Titles> {
  const titles: Titles = new Map();
  const add = (base: string, href: string | undefined, title: string) => {
    if (href === undefined || title === '') return;
    const path = resolve(base, href);
    if (path === undefined) return;
    let id = href.includes('#') ? href.slice(href.indexOf('#') + 1) : '';
    try {
      id = decodeURIComponent(id);
    } catch {
      // As it is.
    }
    const ids = titles.get(path) ?? new Map<string, string>();
    if (!ids.has(id)) ids.set(id, title);
    titles.set(path, ids);
  };
  const plain = (written: string) => written.replace(/\s+/gu, ' ').trim();

  const nav = [...manifest.values()].find(({ properties }) => properties.split(/\s+/u).includes('nav'));
  const navText = nav && (await text(nav.path));
  if (nav && navText !== undefined) {
    const tree = parseXml(navText, depth, 'the table of contents');
    const lists = [...descendants(tree, 'nav')];
    const toc =
      lists.find(({ attributes }) =>
        /(?:^|\s)(?:toc|doc-toc)(?:\s|$)/u.test(
          `${attributes['epub:type'] ?? attributes.type ?? ''} ${attributes.role ?? ''}`,
        ),
      ) ?? lists[0];
    if (toc)
      for (const link of descendants(toc, 'a'))
        add(posix.dirname(nav.path), link.attributes.href, plain(link.text));
  }
  if (titles.size > 0) return titles;
  const ncx =
    manifest.get(spine?.attributes.toc ?? '') ??
    [...manifest.values()].find(({ mediaType }) => mediaType === 'application/x-dtbncx+xml');
  const ncxText = ncx && (await text(ncx.path));
  if (ncx && ncxText !== undefined)
    for (const point of descendants(parseXml(ncxText, depth, 'the table of contents'), 'navPoint'))
      add(
        posix.dirname(ncx.path),
        childOf(point, 'content')?.attributes.src,
        plain(childOf(childOf(point, 'navLabel'), 'text')?.text ?? ''),
      );
  return titles;
}

function titleAt(
  block: HtmlBlock,
  named: ReadonlyMap<string, string> | undefined,
  first: boolean,
): string | undefined {
  if (!named) return undefined;
  for (const id of block.ids) {
    const title = named.get(id);
    if (title !== undefined) return title;
  }
  return first ? named.get('') : undefined;
}

/** A file that no table of contents names starts a chapter only if it has a heading of its own. */
function fallbackTitle(
  blocks: readonly HtmlBlock[],
  fileTitle: string,
  hasNames: boolean,
  started: boolean,
): string | undefined {
  if (hasNames) return started ? undefined : '';
  const heading = blocks.find(({ kind, level }) => kind === 'heading' && (level ?? 6) <= 2);
  if (heading && blocks.indexOf(heading) < 3) return heading.text.trim().replace(/\s+/gu, ' ');
  return started ? undefined : fileTitle;
}

async function readInfo(
  opf: XmlElement,
  manifest: ReadonlyMap<string, Item>,
  archive: Archive,
): Promise<BookInfo> {
  const metadata = childOf(opf, 'metadata');
  const texts = (name: string) =>
    metadata
      ? [...descendants(metadata, name)]
          .map(({ text }) => text.replace(/\s+/gu, ' ').trim())
          .filter((t) => t !== '')
      : [];
  const [title] = texts('title');
  const [language] = texts('language');
  const coverId =
    metadata &&
    [...descendants(metadata, 'meta')].find(({ attributes }) => attributes.name === 'cover')?.attributes
      .content;
  const cover =
    [...manifest.values()].find(({ properties }) => properties.split(/\s+/u).includes('cover-image')) ??
    (coverId === undefined ? undefined : manifest.get(coverId));
  const bytes =
    cover && /^image\/(?:jpeg|png|gif|webp)$/u.test(cover.mediaType)
      ? await archive.read(cover.path).catch(() => undefined)
      : undefined;
  return {
    ...(title === undefined ? {} : { title }),
    authors: texts('creator'),
    ...(language === undefined ? {} : { language }),
    ...(cover && bytes && bytes.length <= 8_000_000 ? { cover: { mediaType: cover.mediaType, bytes } } : {}),
  };
}

/** Fonts may be scrambled; text may not. */
async function refuseProtected(
  text: (path: string) => Promise<string | undefined>,
  order: readonly (Item | undefined)[],
): Promise<void> {
  const encryption = await text('META-INF/encryption.xml');
  if (encryption === undefined) return;
  const paths = new Set(
    [...descendants(parseXml(encryption, 64, 'encryption.xml'), 'CipherReference')].map(({ attributes }) =>
      resolve('', attributes.URI ?? ''),
    ),
  );
  if (order.some((item) => item && paths.has(item.path)))
    throw new RhapsodeError('document_invalid', { message: 'the book is protected: its text is encrypted' });
}

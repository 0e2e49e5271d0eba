import { type ZipEntry, zip } from './zip.ts';

const container = (path: string) =>
  `<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="${path}" media-type="application/oebps-package+xml"/></rootfiles></container>`;

export interface BookFile {
  readonly path: string;
  readonly body: string;
}

const mimetype: ZipEntry = { name: 'mimetype', data: 'application/epub+zip', store: true };
const xhtml = (body: string, head = '') =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html>\n<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><head><title>Book</title>${head}</head><body>${body}</body></html>`;

/** EPUB 3 as a hand-made toolchain writes it: a nav, semantics, footnotes, page breaks, a cover. */
export const modernBook = (): Buffer =>
  zip([
    mimetype,
    { name: 'META-INF/container.xml', data: container('EPUB/package.opf') },
    {
      name: 'EPUB/package.opf',
      data: `<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>The Ferry</dc:title><dc:creator>Ada Vane</dc:creator><dc:language>en-GB</dc:language></metadata><manifest><item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/><item id="cover" href="img/cover.png" media-type="image/png" properties="cover-image"/><item id="c1" href="text/chapter%201.xhtml" media-type="application/xhtml+xml"/><item id="c2" href="text/chapter%202.xhtml" media-type="application/xhtml+xml"/><item id="notes" href="text/notes.xhtml" media-type="application/xhtml+xml"/></manifest><spine><itemref idref="nav"/><itemref idref="c1"/><itemref idref="c2"/><itemref idref="notes" linear="no"/></spine></package>`,
    },
    {
      name: 'EPUB/nav.xhtml',
      data: xhtml(
        '<nav epub:type="toc"><h1>Contents</h1><ol><li><a href="text/chapter%201.xhtml">1. The&nbsp;Crossing</a></li><li><a href="text/chapter%202.xhtml">2. The Shore</a><ol><li><a href="text/chapter%202.xhtml#later">Later</a></li></ol></li></ol></nav><nav epub:type="landmarks"><ol><li><a href="text/chapter%201.xhtml">Start</a></li></ol></nav>',
      ),
    },
    { name: 'EPUB/img/cover.png', data: Buffer.from([0x89, 0x50, 0x4e, 0x47]) },
    {
      name: 'EPUB/text/chapter 1.xhtml',
      data: xhtml(
        '<section epub:type="chapter"><h1>1. The Crossing</h1><p>Dr. Hale<a epub:type="noteref" href="#n1">1</a> paid £3.50 for\n   the ferry.</p><p><span epub:type="pagebreak" title="12" id="p12">12</span>It was 5 p.m. <em>Nobody</em> spoke.</p><hr/><blockquote><p>Wide is the water.</p></blockquote><div class="verse"><p>The river runs,<br/>the ferry waits,<br/>and no one sings.</p></div><aside epub:type="footnote" id="n1"><p>A physician.</p></aside></section>',
      ),
    },
    {
      name: 'EPUB/text/chapter 2.xhtml',
      data: xhtml(
        '<h1>2. The Shore</h1><ul><li>One oar</li><li>Two coats</li></ul><p>They landed.</p><h2 id="later">Later</h2><p>It rained.</p>',
      ),
    },
    { name: 'EPUB/text/notes.xhtml', data: xhtml('<p>Not in the flow.</p>') },
  ]);

/** EPUB 2 as converters of the 2010s write it: NCX with a document type, chapters as anchors in few files, class names. */
export const convertedBook = (): Buffer =>
  zip([
    mimetype,
    { name: 'META-INF/container.xml', data: container('content.opf') },
    {
      name: 'content.opf',
      data: `<?xml version='1.0' encoding='utf-8'?><package xmlns="http://www.idpf.org/2007/opf" version="2.0" unique-identifier="uuid_id"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:opf="http://www.idpf.org/2007/opf"><dc:title>Der Turm</dc:title><dc:creator opf:role="aut">K. Brandt</dc:creator><dc:language>de</dc:language><meta name="cover" content="cover-img"/></metadata><manifest><item href="cover.jpg" id="cover-img" media-type="image/jpeg"/><item href="index_split_000.html" id="s0" media-type="application/xhtml+xml"/><item href="INDEX_split_001.html" id="s1" media-type="application/xhtml+xml"/><item href="toc.ncx" id="ncx" media-type="application/x-dtbncx+xml"/></manifest><spine toc="ncx"><itemref idref="s0"/><itemref idref="s1"/></spine></package>`,
    },
    {
      name: 'toc.ncx',
      data: `<?xml version='1.0' encoding='utf-8'?><!DOCTYPE ncx PUBLIC "-//NISO//DTD ncx 2005-1//EN" "http://www.daisy.org/z3986/2005/ncx-2005-1.dtd"><ncx xmlns="http://www.daisy.org/z3986/2005/ncx/" version="2005-1"><navMap><navPoint id="a" playOrder="1"><navLabel><text>Erstes Kapitel</text></navLabel><content src="index_split_000.html#k1"/></navPoint><navPoint id="b" playOrder="2"><navLabel><text>Zweites Kapitel</text></navLabel><content src="index_split_000.html#k2"/></navPoint><navPoint id="c" playOrder="3"><navLabel><text>Drittes Kapitel</text></navLabel><content src="index_split_001.html"/></navPoint></navMap></ncx>`,
    },
    { name: 'cover.jpg', data: Buffer.from([0xff, 0xd8, 0xff]) },
    {
      name: 'index_split_000.html',
      data: `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>Der Turm</title></head><body class="calibre"><p class="calibre1" id="k1"><b>Erstes Kapitel</b></p><p class="calibre2">Am 3. Oktober kam er.&nbsp;Es war kalt.</p><a id="k2"></a><p class="calibre1">Zweites Kapitel</p><p class="calibre2">Dann ging er.</p></body></html>`,
    },
    { name: 'index_split_001.html', data: '<html><body><p>Drittes Kapitel</p><p>Ende.</p></body></html>' },
  ]);

/** EPUB 2 as archives of public-domain texts write it: headings, page numbers in spans, no titles in the contents for some. */
export const archiveBook = (): Buffer =>
  zip([
    mimetype,
    { name: 'META-INF/container.xml', data: container('OEBPS/content.opf') },
    {
      name: 'OEBPS/content.opf',
      data: `<?xml version="1.0" encoding="UTF-8"?><opf:package xmlns:opf="http://www.idpf.org/2007/opf" version="2.0"><opf:metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>An Old Tale</dc:title><dc:creator>Anonymous</dc:creator><dc:language>en</dc:language></opf:metadata><opf:manifest><opf:item id="i1" href="wrap.xhtml" media-type="application/xhtml+xml"/><opf:item id="i2" href="tale-h-0.htm.xhtml" media-type="application/xhtml+xml"/><opf:item id="i3" href="tale-h-1.htm.xhtml" media-type="application/xhtml+xml"/><opf:item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/></opf:manifest><opf:spine toc="ncx"><opf:itemref idref="i1"/><opf:itemref idref="i2"/><opf:itemref idref="i3"/></opf:spine></opf:package>`,
    },
    {
      name: 'OEBPS/toc.ncx',
      data: `<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap><navPoint><navLabel><text>AN OLD TALE</text></navLabel><content src="tale-h-0.htm.xhtml#pgepubid00000"/></navPoint><navPoint><navLabel><text>CHAPTER I.</text></navLabel><content src="tale-h-0.htm.xhtml#pgepubid00001"/></navPoint></navMap></ncx>`,
    },
    {
      name: 'OEBPS/wrap.xhtml',
      data: '<html><body><div><img src="cover.jpg" alt="Cover"/></div></body></html>',
    },
    {
      name: 'OEBPS/tale-h-0.htm.xhtml',
      data: `<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd"><html xmlns="http://www.w3.org/1999/xhtml"><head><style>p { margin: 0 }</style></head><body><h1 id="pgepubid00000">AN OLD TALE</h1><p>By Anonymous</p><h2 id="pgepubid00001">CHAPTER I.</h2><p><span class="pagenum">[Pg 7]</span>“Run!” cried Tom. He ran.</p><p class="center">* * *</p><p>He stopped.</p></body></html>`,
    },
    {
      name: 'OEBPS/tale-h-1.htm.xhtml',
      data: '<html><body><h2>CHAPTER II.</h2><p>The end.</p></body></html>',
    },
  ]);

/** The smallest book, with what is asked changed or added. */
export const book = (chapter: string, more: readonly ZipEntry[] = []): Buffer =>
  zip([
    mimetype,
    { name: 'META-INF/container.xml', data: container('a.opf') },
    {
      name: 'a.opf',
      data: `<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata/><manifest><item id="c" href="c.xhtml" media-type="application/xhtml+xml"/></manifest><spine><itemref idref="c"/></spine></package>`,
    },
    { name: 'c.xhtml', data: chapter },
    ...more,
  ]);

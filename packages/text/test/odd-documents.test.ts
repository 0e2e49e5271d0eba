import { describe, expect, it } from 'vitest';
import { planDocument, planToJson, type ReadOptions } from '../src/index.ts';
import { book } from './support/epub.ts';
import { type ZipEntry, zip } from './support/zip.ts';

async function outline(bytes: Uint8Array, name = 'a.epub', options: ReadOptions = {}) {
  const { chapters } = await planToJson({ bytes, name }, options);
  return chapters.map(({ title, segments }) => [
    title,
    ...segments.map(({ spoken }) => spoken).filter((spoken) => spoken !== ''),
  ]);
}
const page = (body: string) => `<html xmlns="http://www.w3.org/1999/xhtml"><body>${body}</body></html>`;
const said = (body: string) => outline(book(page(body)));

const container = (path: string) =>
  `<container><rootfiles><rootfile full-path="${path}"/></rootfiles></container>`;
const packaged = (items: string, spine: string, metadata = '') =>
  `<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">${metadata}</metadata><manifest>${items}</manifest><spine>${spine}</spine></package>`;
const epub = (opf: string, files: readonly ZipEntry[], path = 'a.opf', named = path) =>
  zip([
    { name: 'mimetype', data: 'application/epub+zip', store: true },
    { name: 'META-INF/container.xml', data: container(named) },
    { name: path, data: opf },
    ...files,
  ]);

describe('a page of a book', () => {
  it('loses no text in CDATA', async () => {
    expect(await said('<p>One <![CDATA[two & three]]> four.</p>')).toEqual([['', 'One two and three four.']]);
  });

  it('says no mark of a note, however the link is written', async () => {
    expect(
      await said(
        '<p>One<sup><a href="#n1">1</a></sup> two<a href="notes.xhtml#n2"><sup>[2]</sup></a> three<a href="#n3" role="doc-noteref">*</a>.</p>',
      ),
    ).toEqual([['', 'One two three.']]);
    expect(await said('<p>See <a href="#c2">2</a> for <sup>more</sup>.</p>')).toEqual([
      ['', 'See two for more.'],
    ]);
  });

  it('keeps a power a power and an index an index', async () => {
    expect(await said('<p>10<sup>6</sup> m<sup>2</sup> and H<sub>2</sub>O.</p>')).toEqual([
      ['', 'ten to the power of six square meters and H two O.'],
    ]);
  });

  it('says its formulas', async () => {
    const math =
      '<math><semantics><mrow><mi>E</mi><mo>=</mo><mi>m</mi><msup><mi>c</mi><mn>2</mn></msup></mrow><annotation encoding="application/x-tex">E = mc^2</annotation></semantics></math>';
    expect(await said(`<p>So ${math} it is.</p>`)).toEqual([['', 'So E equals mc squared it is.']]);
  });

  it('may have its elements in a prefix', async () => {
    expect(
      await outline(book('<h:html xmlns:h="x"><h:body><h:p>One.</h:p><h:p>Two.</h:p></h:body></h:html>')),
    ).toEqual([['', 'One.', 'Two.']]);
  });
});

describe('a book is read', () => {
  const chapter = { name: 'c.xhtml', data: page('<p>One.</p>') };
  const item = '<item id="c" href="c.xhtml" media-type="application/xhtml+xml"/>';

  it('whose paths are not ASCII, though the archive does not say that they are UTF-8, or are escaped', async () => {
    const opf = packaged(
      '<item id="a" href="../text/%C3%A4%20one.xhtml" media-type="application/xhtml+xml"/><item id="b" href="..\\text\\two.xhtml" media-type="application/xhtml+xml"/>',
      '<itemref idref="a"/><itemref idref="b"/>',
    );
    const files = [
      { name: 'OEBPS/text/ä one.xhtml', data: page('<p>One.</p>') },
      { name: 'OEBPS/text/two.xhtml', data: page('<p>Two.</p>') },
    ];
    expect(await outline(epub(opf, files, 'OEBPS/my book/a.opf', 'OEBPS/my%20book/a.opf'))).toEqual([
      ['', 'One.', 'Two.'],
    ]);
  });

  it('that has all of its text beside the flow, or says a wrong type of it', async () => {
    expect(await outline(epub(packaged(item, '<itemref idref="c" linear="no"/>'), [chapter]))).toEqual([
      ['', 'One.'],
    ]);
    expect(
      await outline(
        epub(packaged(item.replace('application/xhtml+xml', 'text/plain'), '<itemref idref="c"/>'), [
          chapter,
        ]),
      ),
    ).toEqual([['', 'One.']]);
  });

  it('whose archive has Windows’ paths, and each of its files once', async () => {
    const opf = packaged(
      '<item id="c" href="text/c.xhtml" media-type="application/xhtml+xml"/>',
      '<itemref idref="c"/><itemref idref="c"/>',
    );
    const bytes = epub(opf, [{ name: 'text\\c.xhtml', data: page('<p>One.</p>') }]);
    expect(await outline(bytes)).toEqual([['', 'One.']]);
    const { warnings } = await planToJson({ bytes, name: 'a.epub' });
    expect(warnings.map(({ code }) => code)).toEqual(['spine_item_repeated']);
    const out = epub(opf, [{ name: '..\\ä\\c.xhtml', data: 'x' }]);
    await expect(outline(out)).rejects.toMatchObject({ code: 'document_unsafe' });
  });

  it('without the page of its contents', async () => {
    const toc = {
      name: 't.xhtml',
      data: page('<h1>Contents</h1><p><a href="c.xhtml">One</a></p>'),
    };
    const opf = packaged(
      `${item}<item id="t" href="t.xhtml" media-type="application/xhtml+xml"/>`,
      '<itemref idref="t"/><itemref idref="c"/>',
    ).replace('</package>', '<guide><reference type="toc" href="t.xhtml"/></guide></package>');
    expect(await outline(epub(opf, [toc, chapter]))).toEqual([['', 'One.']]);
  });

  it('whose directory is not quite XML', async () => {
    const nav =
      '<item id="n" href="n.xhtml" properties="nav" media-type="application/xhtml+xml"/><item id="x" href="x.ncx" media-type="application/x-dtbncx+xml"/>';
    const opf = packaged(nav + item, '<itemref idref="c"/>', '<dc:title>Salt & Pepper</dc:title>');
    const toc = {
      name: 'n.xhtml',
      data: '<html><nav epub:type="toc"><ol><li><a href="c.xhtml">Tom & Zo&euml;</a></li></ol></nav></html>',
    };
    const bytes = epub(opf, [toc, chapter]);
    expect(await outline(bytes)).toEqual([['Tom & Zoë', 'One.']]);
    const infos = [];
    for await (const event of planDocument({ bytes, name: 'a.epub' }))
      if (event.type === 'info') infos.push(event.info.title);
    expect(infos).toEqual(['Salt & Pepper']);
  });
});

describe('Markdown', () => {
  const markdown = (text: string, options?: ReadOptions) => outline(Buffer.from(text), 'a.md', options);

  it('says no definition of a link, and a note only if it is asked to', async () => {
    const text =
      'See [the page][1], [it][] and this.[^1]\n\n[1]: http://example.com/a\n[it]: http://example.com/b "B"\n[^1]: A note.\n\nEnd.\n';
    expect(await markdown(text)).toEqual([['', 'See the page, it and this.', 'End.']]);
    expect((await markdown(text, { notes: true }))[0]).toContain(': A note.');
    const code = '```\n[1]: kept\n```\n';
    expect(await markdown(code)).toEqual([['', '[one]: kept']]);
  });

  it('says neither escapes nor what a heading is called in links', async () => {
    expect(
      await markdown(
        '# One {#first .big}\n\nTerm\n: What it means.\n\nNot \\*this\\* at\\_all, H~2~O.\n\n- [x] done\n',
      ),
    ).toEqual([['One', 'One', 'Term', 'What it means.', 'Not this at all, H two O.', 'done']]);
  });
});

describe('a plain text', () => {
  const text = (written: string) => outline(Buffer.from(written), 'a.txt');
  const titles = async (written: string) => (await text(written)).map(([title]) => title);

  it('of Project Gutenberg is told without the licence around it, and no character is lost', async () => {
    const before =
      '\ufeffThe Project Gutenberg eBook of Rain\r\n\r\nTitle: Rain\r\n\r\nAuthor: Ann Author\r\n\r\n*** START OF THE PROJECT GUTENBERG EBOOK RAIN ***\r\n\r\n\r\n';
    const behind = '*** END OF THE PROJECT GUTENBERG EBOOK RAIN ***\r\n\r\nUpdated editions.\r\n';
    const written = `${before}CHAPTER I.\r\n\r\nIt rained.\r\n\r\n${behind}`;
    expect(await text(written)).toEqual([['CHAPTER I.', 'chapter one.', 'It rained.']]);
    const bytes = Buffer.from(written);
    const { chapters } = await planToJson({ bytes, name: 'a.txt' });
    expect(chapters.flatMap(({ segments }) => segments.map(({ source }) => source)).join('')).toBe(written);
    expect(await text('He read the Project Gutenberg licence.\n\n*** END OF IT ***\n')).toEqual([
      ['', 'He read the Project Gutenberg licence.', 'end of it'],
    ]);
  });

  it('has no chapters in the lines of its contents, with blank lines between them or none', async () => {
    const list = 'CHAPTER 1. One.\n\nCHAPTER 2. Two.\n\nEPILOGUE\n\n\n';
    const book = 'CHAPTER 1. One.\n\nRain.\n\nCHAPTER 2. Two.\n\nSun.\n\nEPILOGUE\n\nWind.\n';
    expect(await titles(`CONTENTS\n\n${list}${book}`)).toEqual([
      'CONTENTS',
      'CHAPTER 1. One.',
      'CHAPTER 2. Two.',
      'EPILOGUE',
    ]);
    expect(await titles(`PART ONE\n\n${book}`)).toEqual([
      'PART ONE',
      'CHAPTER 1. One.',
      'CHAPTER 2. Two.',
      'EPILOGUE',
    ]);
  });

  it('has chapters as other languages name them', async () => {
    for (const [first, second] of [
      ['Capitolo 1', 'Capitolo 2'],
      ['Hoofdstuk 1', 'Hoofdstuk 2'],
      ['Глава 1', 'Глава 2'],
      ['Zwölftes Kapitel', '13. Kapitel'],
      ['Erster Teil', 'Zweiter Teil'],
      ['第一章', '第二章'],
    ])
      expect(await titles(`${first}\n\nAa.\n\n${second}\n\nBb.\n`)).toEqual([first, second]);
  });
});

describe('a page of Project Gutenberg', () => {
  it('is told without its licence', async () => {
    const page =
      '<html><body><section class="pg-boilerplate pgheader" id="pg-header"><p>This ebook is for anyone.</p></section><p>It rained.</p><section id="pg-footer"><p>Licence.</p></section></body></html>';
    expect(await outline(Buffer.from(page), 'a.html')).toEqual([['', 'It rained.']]);
  });
});

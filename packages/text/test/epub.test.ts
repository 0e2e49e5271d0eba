import { describe, expect, it } from 'vitest';
import { type PlanEvent, planDocument, planToJson, type ReadOptions } from '../src/index.ts';
import { archiveBook, book, convertedBook, modernBook } from './support/epub.ts';

async function outline(bytes: Uint8Array, options: ReadOptions = {}) {
  const { chapters } = await planToJson({ bytes, name: 'a.epub' }, options);
  return chapters.map(({ title, segments }) => [title, ...segments.map(({ source }) => source.trim())]);
}

async function events(bytes: Uint8Array): Promise<PlanEvent[]> {
  const out: PlanEvent[] = [];
  for await (const event of planDocument({ bytes, name: 'a.epub' })) out.push(event);
  return out;
}

const refusal = (bytes: Uint8Array, options: ReadOptions = {}): Promise<string> =>
  planToJson({ bytes, name: 'a.epub' }, options).then(
    () => 'accepted',
    (error: { code?: string }) => error.code ?? String(error),
  );

describe('an EPUB', () => {
  it('of a hand-made toolchain gives every title and paragraph, without its notes and page numbers', async () => {
    expect(await outline(modernBook())).toEqual([
      [
        '1. The Crossing',
        '1. The Crossing',
        'Dr. Hale paid £3.50 for the ferry.',
        'It was 5 p.m. Nobody spoke.',
        '* * *',
        'Wide is the water.',
        'The river runs,',
        'the ferry waits,',
        'and no one sings.',
      ],
      ['2. The Shore', '2. The Shore', 'One oar', 'Two coats', 'They landed.'],
      ['Later', 'Later', 'It rained.'],
    ]);
    expect(JSON.stringify(await outline(modernBook(), { notes: true }))).toContain('A physician.');
  });

  it('of a converter gives chapters that are anchors within files', async () => {
    expect(await outline(convertedBook())).toEqual([
      ['Erstes Kapitel', 'Erstes Kapitel', 'Am 3. Oktober kam er.', 'Es war kalt.'],
      ['Zweites Kapitel', 'Zweites Kapitel', 'Dann ging er.'],
      ['Drittes Kapitel', 'Drittes Kapitel', 'Ende.'],
    ]);
  });

  it('of an archive gives chapters that only a heading names', async () => {
    expect(await outline(archiveBook())).toEqual([
      ['AN OLD TALE', 'AN OLD TALE', 'By Anonymous'],
      ['CHAPTER I.', 'CHAPTER I.', '“Run!” cried Tom.', 'He ran.', '* * *', 'He stopped.'],
      ['CHAPTER II.', 'CHAPTER II.', 'The end.'],
    ]);
  });

  it('tells its title, authors, language and cover, and is read in its language', async () => {
    const [first] = await events(modernBook());
    expect(first).toMatchObject({
      type: 'info',
      info: {
        title: 'The Ferry',
        authors: ['Ada Vane'],
        language: 'en-GB',
        cover: { mediaType: 'image/png' },
      },
    });
    const german = (await events(convertedBook())).flatMap((e) =>
      e.type === 'segment' ? [e.segment.spoken] : [],
    );
    expect(german).toContain('Am dritten Oktober kam er.');
  });

  it('gives spans that tile its text', async () => {
    for (const bytes of [modernBook(), convertedBook(), archiveBook()]) {
      let at = 0;
      for (const { segments } of (await planToJson({ bytes })).chapters)
        for (const { start, end, source } of segments) {
          expect(start).toBe(at);
          expect(source.length).toBe(end - start);
          at = end;
        }
    }
  });

  it('takes bad markup as browsers do', async () => {
    expect(await outline(book('<html><body><p>One<p>Two <b>three</p> &eacute; &unknown; <div>Four'))).toEqual(
      [['', 'One', 'Two three', 'é &unknown;', 'Four']],
    );
  });
});

describe('a hostile EPUB is refused:', () => {
  const page = '<html><body><p>Hi.</p></body></html>';

  it('a bomb, by what it declares', async () => {
    expect(await refusal(book(page, [{ name: 'bomb.xhtml', data: Buffer.alloc(40_000_000) }]))).toBe(
      'document_unsafe',
    );
  });

  it('a bomb that lies about its size', async () => {
    const lie = book('', []);
    expect(await refusal(lie)).not.toBe('accepted');
    expect(await refusal(book(page, [{ name: 'x', data: 'small' }]))).toBe('accepted');
    const { zip } = await import('./support/zip.ts');
    const entries = (declaredSize: number) =>
      zip([
        {
          name: 'META-INF/container.xml',
          data: '<container><rootfiles><rootfile full-path="a.opf"/></rootfiles></container>',
        },
        {
          name: 'a.opf',
          data: '<package><manifest><item id="c" href="c.xhtml" media-type="text/html"/></manifest><spine><itemref idref="c"/></spine></package>',
        },
        { name: 'c.xhtml', data: `<p>${'x '.repeat(5_000_000)}</p>`, declaredSize },
      ]);
    const before = process.memoryUsage().rss;
    expect(await refusal(entries(100))).toBe('document_unsafe');
    expect(await refusal(entries(900_000))).toBe('document_unsafe');
    expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
  });

  it('entries that lie over each other', async () => {
    expect(await refusal(book(page, [{ name: 'again.xhtml', data: page, sameAs: 3 }]))).toBe(
      'document_unsafe',
    );
  });

  it('two entries of one name', async () => {
    expect(await refusal(book(page, [{ name: 'c.xhtml', data: '<p>Other.</p>' }]))).toBe('document_unsafe');
  });

  it('a hundred thousand entries', async () => {
    const many = Array.from({ length: 100_000 }, (_, n) => ({ name: `f${n}`, data: '', store: true }));
    expect(await refusal(book(page, many))).toBe('document_unsafe');
  });

  it('paths that lead out', async () => {
    for (const name of ['../evil', '/etc/passwd', 'a/../../b', 'C:\\x', 'C:/x', '..\\x'])
      expect([name, await refusal(book(page, [{ name, data: 'x' }]))]).toEqual([name, 'document_unsafe']);
  });

  it('references that lead out', async () => {
    const { zip } = await import('./support/zip.ts');
    for (const href of ['../../../../etc/passwd', 'file:///etc/passwd', 'http://example.com/x']) {
      const bytes = zip([
        {
          name: 'a.opf',
          data: `<package><manifest><item id="c" href="${href}" media-type="text/html"/></manifest><spine><itemref idref="c"/></spine></package>`,
        },
      ]);
      expect(await refusal(bytes)).toBe('document_invalid');
    }
  });

  it('a link', async () => {
    expect(await refusal(book(page, [{ name: 'link', data: '/etc/passwd', mode: 0o120777 }]))).toBe(
      'document_unsafe',
    );
  });

  it('entities of its own, in any of its files', async () => {
    const entity = '<?xml version="1.0"?><!DOCTYPE html [<!ENTITY x SYSTEM "file:///etc/passwd">]>';
    expect(await refusal(book(`${entity}<html><body><p>&x;</p></body></html>`))).toBe('document_unsafe');
    const { zip } = await import('./support/zip.ts');
    expect(await refusal(zip([{ name: 'a.opf', data: `${entity}<package>&x;</package>` }]))).toBe(
      'document_unsafe',
    );
    expect(
      await refusal(
        zip([
          { name: 'META-INF/container.xml', data: `${entity}<container/>` },
          { name: 'a.opf', data: '<package/>' },
        ]),
      ),
    ).toBe('document_unsafe');
  });

  it('elements nested without end', async () => {
    expect(await refusal(book(`<html><body>${'<div>'.repeat(10_000)}x`))).toBe('document_unsafe');
  });

  it('encrypted text', async () => {
    expect(
      await refusal(
        book(page, [
          {
            name: 'META-INF/encryption.xml',
            data: '<encryption><EncryptedData><CipherData><CipherReference URI="c.xhtml"/></CipherData></EncryptedData></encryption>',
          },
        ]),
      ),
    ).toBe('document_invalid');
  });

  it('a broken archive, another archive, an empty one', async () => {
    expect(await refusal(book(page).subarray(0, 300))).toBe('document_invalid');
    const { zip } = await import('./support/zip.ts');
    expect(await refusal(zip([{ name: 'a.txt', data: 'x' }]))).toBe('document_invalid');
    expect(await refusal(zip([]))).toBe('document_invalid');
    expect(await refusal(Buffer.from('PK\u0003\u0004 nonsense'))).toBe('document_invalid');
  });
});

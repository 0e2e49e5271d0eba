import { describe, expect, it } from 'vitest';
import { type BookInfo, planDocument } from '../src/index.ts';
import { docx } from './support/office.ts';

/** What a document says of itself, and its chapters with the first words of each. */
async function read(text: string | Buffer, name: string) {
  let info: BookInfo = {};
  const chapters: string[][] = [];
  let source = '';
  let leadMs: number | undefined;
  for await (const event of planDocument({ bytes: Buffer.from(text as string), name })) {
    if (event.type === 'info') info = { ...info, ...event.info };
    else if (event.type === 'chapter') chapters.push([event.title]);
    else if (event.type === 'segment') {
      const { segment } = event;
      source += segment.source;
      if (segment.spoken !== '') chapters.at(-1)!.push(segment.spoken);
      leadMs ??= segment.spoken === '' ? segment.pauseMs : 0;
    }
  }
  return { info, chapters, source, leadMs };
}

describe('the title of a Markdown book', () => {
  it('is its only heading of the first level, with which the first chapter begins', async () => {
    const text = '# The *Whale*\n\n## Loomings\n\nCall me Ishmael.\n\n## The Bag\n\nI stuffed a shirt.\n';
    const { info, chapters, source } = await read(text, 'moby.md');
    expect(info).toEqual({ title: 'The Whale' });
    expect(chapters).toEqual([
      ['Loomings', 'The Whale', 'Loomings', 'Call me Ishmael.'],
      ['The Bag', 'The Bag', 'I stuffed a shirt.'],
    ]);
    expect(source).toBe(text);
  });

  it('is what the front matter says, which nobody hears, not even as silence', async () => {
    const text =
      '---\r\ntitle: "1984: a novel"\r\nauthor:\r\n  - George Orwell\r\n  - {name: A. N. Other}\r\nlang: en_GB\r\n---\r\n\r\n# One\r\n\r\nIt was cold.\r\n\r\n# Two\r\n\r\nThe end.\r\n';
    const { info, chapters, source, leadMs } = await read(text, 'a.md');
    expect(info).toEqual({
      title: '1984: a novel',
      authors: ['George Orwell', 'A. N. Other'],
      language: 'en-GB',
    });
    expect(chapters).toEqual([
      ['One', 'One', 'It was cold.'],
      ['Two', 'Two', 'The end.'],
    ]);
    expect(source).toBe(text);
    expect(leadMs).toBe(0);
    const pandoc = await read('% The Sea\n% Ann A.; Bob B.\n\n# One\n\nIt was.\n\n# Two\n\nEnd.\n', 'a.md');
    expect(pandoc.info).toEqual({ title: 'The Sea', authors: ['Ann A.', 'Bob B.'] });
  });

  it('has the author below it, and what is said above all headings is no title', async () => {
    const { info, chapters } = await read(
      '# The Whale\n\n*by Herman van Melville*\n\n## One\n\nCall me.\n\n## Two\n\nEnd.\n',
      'a.md',
    );
    expect(info).toEqual({ title: 'The Whale', authors: ['Herman van Melville'] });
    expect(chapters[0]!.slice(0, 3)).toEqual(['One', 'The Whale', 'by Herman van Melville']);
    expect((await read('Call me Ishmael.\n\n# One\n\nText.\n\n# Two\n\nText.\n', 'a.md')).chapters).toEqual([
      ['', 'Call me Ishmael.'],
      ['One', 'One', 'Text.'],
      ['Two', 'Two', 'Text.'],
    ]);
  });

  it('stays a chapter where something is told below it', async () => {
    const { info, chapters } = await read(
      '# The Whale\n\nHow it began.\n\n## One\n\nText.\n\n## Two\n\nEnd.\n',
      'a.md',
    );
    expect(info).toEqual({ title: 'The Whale' });
    expect(chapters.map(([title]) => title)).toEqual(['The Whale', 'One', 'Two']);
  });

  it.each([
    ['several headings of one level', '# One\n\nText.\n\n# Two\n\nText.\n'],
    ['the name of a chapter', '# Chapter 1\n\nText.\n\n## First\n\nText.\n\n## Second\n\nText.\n'],
    ['a scene between two rules', '---\nOnce upon a time.\n---\n\nThe end.\n'],
    ['no heading at all', 'Text alone. And more.\n'],
  ])('is not %s', async (_, text) => {
    const { info, chapters, source } = await read(text, 'a.md');
    expect(info).toEqual({});
    expect(source).toBe(text);
    expect(chapters.flat().join(' ')).toMatch(/Text\.|Once upon a time\.|Text alone/);
  });

  it('is found behind a byte order mark, and above a first-level chapter that follows at once', async () => {
    const { info, chapters } = await read('\ufeff# The Whale\n\n# One\n\nText.\n\n# Two\n\nText.\n', 'a.md');
    expect(info).toEqual({ title: 'The Whale' });
    expect(chapters.map(([title]) => title)).toEqual(['One', 'Two']);
  });
});

describe('the title of a plain text', () => {
  it('is a line by itself, with the author below it', async () => {
    const text = 'THE TIME MACHINE\n\nBy H. G. Wells\n\n\nChapter I\n\nThe Time Traveller spoke.\n';
    const { info, chapters, source } = await read(text, 'a.txt');
    expect(info).toEqual({ title: 'THE TIME MACHINE', authors: ['H. G. Wells'] });
    expect(chapters.map(([title]) => title)).toEqual(['Chapter I']);
    expect(source).toBe(text);
  });

  it('is what Project Gutenberg’s header says', async () => {
    const text =
      'The Project Gutenberg eBook of Moby-Dick\r\n\r\nThis ebook is for the use of anyone.\r\n\r\nTitle: Moby-Dick;\r\n        or, The Whale\r\n\r\nAuthor: Herman Melville\r\n\r\nLanguage: English\r\n\r\nCall me Ishmael.\r\n';
    expect((await read(text, 'a.txt')).info).toEqual({
      title: 'Moby-Dick; or, The Whale',
      authors: ['Herman Melville'],
    });
  });

  it.each([
    'It was dark.\n\nHe left.\n',
    'Chapter 1\n\nHe left.\n',
    'A note',
    'One line\nand another\n\nText.',
  ])('is none in %j', async (text) => expect((await read(text, 'a.txt')).info).toEqual({}));
});

describe('the title of a page and of a Word document', () => {
  it('is what its head says, or its heading where the head says that and more', async () => {
    const page = (title: string, body: string) =>
      `<!doctype html><html lang="en-US"><head><title>${title}</title><meta name="author" content="Ann Author"></head><body>${body}</body></html>`;
    const chapters = '<h2>One</h2><p>Text.</p><h2>Two</h2><p>End.</p>';
    const titles = async (title: string, body: string) =>
      (await read(page(title, body), 'a.html')).info.title;
    expect(await titles('The Sea', chapters)).toBe('The Sea');
    expect(await titles('The Sea | Great Books', `<h1>The Sea</h1>${chapters}`)).toBe('The Sea');
    expect(await titles('', `<svg><title>icon</title></svg><h1>The Sea</h1>${chapters}`)).toBe('The Sea');
    const whole = await read(page('The Sea', `<h1>The Sea</h1><p>by Ann Author</p>${chapters}`), 'a.html');
    expect(whole.info).toEqual({ title: 'The Sea', authors: ['Ann Author'], language: 'en-US' });
    expect(whole.chapters.map(([title]) => title)).toEqual(['One', 'Two']);
  });

  it('is the paragraph in the style of titles, or what the properties say', async () => {
    const lines = [
      ['The Sea', 'Title'],
      ['A Tale of Salt'],
      ['One', 'Heading1'],
      ['Text.'],
      ['Two', 'Heading1'],
      ['End.'],
    ] as const;
    const titled = await read(docx(lines, '', { title: 'Document1', creator: 'Ann Author' }), 'a.docx');
    expect(titled.info).toEqual({ title: 'The Sea', authors: ['Ann Author'] });
    expect(titled.chapters).toEqual([
      ['One', 'The Sea', 'A Tale of Salt', 'One', 'Text.'],
      ['Two', 'Two', 'End.'],
    ]);
    const plain = await read(docx(lines.slice(2), '', { title: 'The Sea', creator: '' }), 'a.docx');
    expect(plain.info).toEqual({ title: 'The Sea' });
  });
});

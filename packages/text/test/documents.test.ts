import { describe, expect, it } from 'vitest';
import { type DocumentSource, planDocument, planToJson } from '../src/index.ts';
import { docx, pdf } from './support/office.ts';

const bytesOf = (text: string) => Buffer.from(text);

async function outline(source: DocumentSource) {
  const { chapters } = await planToJson(source);
  return chapters.map(({ title, segments }) => [title, ...segments.map(({ source: s }) => s.trim())]);
}

async function expectTiled(source: DocumentSource, text: string) {
  const { chapters } = await planToJson(source);
  const all = chapters.flatMap(({ segments }) => segments);
  expect(all.map((s) => s.source).join('')).toBe(text);
  let at = 0;
  for (const { start, end } of all) {
    expect(start).toBe(at);
    at = end;
  }
  expect(at).toBe(text.length);
}

async function* pieces(text: string | Uint8Array, size: number) {
  const bytes = Buffer.from(text as Uint8Array);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const novel = `The Tower\r\n\r\nCHAPTER I\r\nThe Gate\r\n\r\nIt was cold. Dr. Hale\r\ncame at 5 p.m.\r\n\r\n* * *\r\n\r\nHe left.\r\n\r\nChapter 2: Rain\r\n\r\n“Run!” Tom shouted. Nobody moved.\r\n\r\nEpilogue\r\n\r\nThe end.`;

describe('plain text', () => {
  it('has the chapters that its headings name', async () => {
    expect(await outline({ bytes: bytesOf(novel) })).toEqual([
      [
        'CHAPTER I: The Gate',
        'The Tower',
        'CHAPTER I',
        'The Gate',
        'It was cold.',
        'Dr. Hale\r\ncame at 5 p.m.',
        '* * *',
        'He left.',
      ],
      ['Chapter 2: Rain', 'Chapter 2: Rain', '“Run!” Tom shouted.', 'Nobody moved.'],
      ['Epilogue', 'Epilogue', 'The end.'],
    ]);
  });

  it('gives spans that tile the file, byte order mark and all, in whatever pieces it comes', async () => {
    const text = `\ufeff${novel}\n\n\n\u0000 x`;
    for (const size of [1, 7, 64, 100_000]) await expectTiled({ stream: pieces(text, size) }, text);
  });

  it('takes no table of contents and no page number for a heading', async () => {
    const text =
      'Chapter 1\nChapter 2\nChapter 3\n\nSome text.\n\n12\nmore text here, and so on.\n\nI\n\nwas there.';
    expect((await outline({ bytes: bytesOf(text) })).map(([title]) => title)).toEqual(['']);
  });

  it('is decoded by its byte order mark or its bytes', async () => {
    const text = 'Grüße aus Köln. Très cher: 5 €.';
    const utf16 = Buffer.from(`\ufeff${text}`, 'utf16le');
    expect((await outline({ bytes: utf16 }))[0]!.join(' ')).toContain('Grüße aus Köln.');
    expect((await outline({ bytes: Buffer.from(utf16).swap16() }))[0]!.join(' ')).toContain(
      'Grüße aus Köln.',
    );
    expect((await outline({ bytes: Buffer.from(text, 'utf16le') }))[0]!.join(' ')).toContain('Grüße');
    const latin = Buffer.from(
      'Die Straße ist für Fußgänger gesperrt, weil Bäume darüber lägen. Größere Umwege führen über Köln.',
      'latin1',
    );
    expect((await outline({ bytes: latin }))[0]!.join(' ')).toContain('Straße ist für Fußgänger');
    expect((await outline({ bytes: bytesOf(text) }))[0]!.join(' ')).toContain('5 €.');
  });

  it('of nothing is one chapter of nothing', async () => {
    expect(await planToJson({ bytes: bytesOf('') })).toEqual({
      chapters: [{ title: '', segments: [] }],
      warnings: [],
    });
  });

  it('holds the event loop for no longer than a moment', async () => {
    const text = 'It was 5 p.m. on Jan. 5th, and Dr. Smith paid $5.50 for 3 kg of it.\n'.repeat(3000);
    const gaps: number[] = [];
    let last = performance.now();
    const timer = setInterval(() => {
      gaps.push(performance.now() - last);
      last = performance.now();
    }, 1);
    let segments = 0;
    for await (const event of planDocument({ bytes: bytesOf(text) }))
      if (event.type === 'segment') segments++;
    clearInterval(timer);
    expect(segments).toBe(3000);
    // Turns are given up every 8 ms of work; only how often is certain on a busy machine.
    expect(gaps.length).toBeGreaterThan(3);
  });

  it('stops when it is told to', async () => {
    const stop = new AbortController();
    const reading = planToJson({ stream: pieces('word '.repeat(200_000), 65_536) }, { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
  });
});

describe('Markdown', () => {
  const text =
    '---\ntitle: x\n---\n\n# One\n\nHello **world**. See [it](http://x.y) and `code`.\n\n- item *one*\n- item two\n  goes on\n\n1. first\n2. second\n\n> A quote.\n\n---\n\nOne Two\n=======\n\n# Two\n\n<!-- hidden -->\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nEnd.\n';

  it('says what is written, not how', async () => {
    const { chapters } = await planToJson({ bytes: bytesOf(text), name: 'a.md' });
    expect(chapters.map(({ title }) => title)).toEqual(['One', 'One Two', 'Two']);
    const spoken = chapters.flatMap(({ segments }) => segments.map((s) => s.spoken)).filter((s) => s !== '');
    expect(spoken.slice(0, 5)).toEqual([
      'One',
      'Hello world.',
      'See it and code.',
      'item one',
      'item two goes on',
    ]);
    expect(spoken).not.toContain('hidden');
    expect(spoken.at(-1)).toBe('End.');
  });

  it('gives spans that tile the file', async () => {
    await expectTiled({ bytes: bytesOf(text), name: 'a.md' }, text);
    await expectTiled(
      { bytes: bytesOf(text.replaceAll('\n', '\r\n')), name: 'a.md' },
      text.replaceAll('\n', '\r\n'),
    );
  });
});

describe('HTML', () => {
  it('gives blocks as a browser shows them', async () => {
    const html =
      '<!doctype html><title>T</title><nav>menu</nav><h1>One</h1><p>Hello  <b>world</b>.<br>Line &amp; two.</p><script>x()</script><style>p{}</style><p hidden>no</p><pre>a\nb</pre><ul><li>a<li>b</ul><hr><h2>Two</h2>loose <p>End.';
    expect(await outline({ bytes: bytesOf(html), name: 'a.html' })).toEqual([
      ['One', 'One', 'Hello world.', 'Line & two.', 'a', 'b', 'a', 'b', '* * *'],
      ['Two', 'Two', 'loose', 'End.'],
    ]);
  });
});

describe('Word and PDF', () => {
  it('give headings and paragraphs of a Word document', async () => {
    const bytes = docx([
      ['Chapter One', 'Heading1'],
      ['It costs $5. Dr. Hale paid.'],
      ['Chapter Two', 'Heading1'],
      ['The end.'],
    ]);
    expect(await outline({ bytes, name: 'a.docx' })).toEqual([
      ['Chapter One', 'Chapter One', 'It costs $5.', 'Dr. Hale paid.'],
      ['Chapter Two', 'Chapter Two', 'The end.'],
    ]);
  });

  it('refuse a Word document that declares entities', async () => {
    const bytes = docx([['x']], '<!DOCTYPE x [<!ENTITY a "b">]>');
    await expect(planToJson({ bytes, name: 'a.docx' })).rejects.toMatchObject({ code: 'document_unsafe' });
  });

  it('give the text of a PDF', async () => {
    const bytes = pdf([['It was a dark night. Dr. Hale', 'came late.'], ['He left.']]);
    const text = (await outline({ bytes }))[0]!.join(' ').replace(/\s+/gu, ' ');
    expect(text).toContain('It was a dark night.');
    expect(text).toContain('Dr. Hale came late.');
    expect(text).toContain('He left.');
  });

  it('refuse what is not what it says', async () => {
    for (const [name, bytes, code] of [
      ['a.epub', bytesOf('hello'), 'document_invalid'],
      ['a.docx', docx([]).subarray(0, 200), 'document_invalid'],
      ['a.pdf', bytesOf('%PDF-1.4 nonsense'), 'document_invalid'],
      ['a.txt', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0]), 'unsupported_media_type'],
    ] as const)
      await expect(planToJson({ bytes, name })).rejects.toMatchObject({ code });
  });

  it('refuse what is larger than the limit', async () => {
    await expect(
      planToJson({ bytes: bytesOf('x'.repeat(2000)) }, { limits: { bytes: 1000 } }),
    ).rejects.toMatchObject({ code: 'payload_too_large' });
    await expect(
      planToJson({ stream: pieces('x'.repeat(2000), 100) }, { limits: { bytes: 1000 } }),
    ).rejects.toMatchObject({ code: 'payload_too_large' });
  });
});

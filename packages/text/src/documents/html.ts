import { RhapsodeError } from '@rhapsode/contracts';
import { Parser } from 'htmlparser2';
import type { Block, BlockKind } from './document.ts';

export interface HtmlOptions {
  readonly depth: number;
  readonly notes: boolean;
}

export interface HtmlBlock extends Block {
  /** Level of a heading, 1 to 6; 0 for a title. */
  readonly level?: number;
  /** `id`s that stand at the block's start, or before it. */
  readonly ids: readonly string[];
}

const silent = new Set(
  'head script style title template svg annotation annotation-xml audio video object iframe noscript nav figure-skip select option button textarea rt rp'.split(
    ' ',
  ),
);
const blocks: Readonly<Record<string, BlockKind>> = {
  p: 'paragraph',
  div: 'paragraph',
  section: 'paragraph',
  article: 'paragraph',
  main: 'paragraph',
  header: 'paragraph',
  footer: 'paragraph',
  aside: 'paragraph',
  figure: 'paragraph',
  figcaption: 'paragraph',
  address: 'paragraph',
  dl: 'paragraph',
  dd: 'item',
  dt: 'item',
  ul: 'paragraph',
  ol: 'paragraph',
  li: 'item',
  blockquote: 'quote',
  pre: 'paragraph',
  table: 'paragraph',
  tr: 'item',
  caption: 'paragraph',
  h1: 'heading',
  h2: 'heading',
  h3: 'heading',
  h4: 'heading',
  h5: 'heading',
  h6: 'heading',
  hr: 'scene',
  body: 'paragraph',
  html: 'paragraph',
  center: 'paragraph',
  form: 'paragraph',
  fieldset: 'paragraph',
  details: 'paragraph',
  summary: 'paragraph',
  thead: 'paragraph',
  tbody: 'paragraph',
};
const noteTypes = /(?:^|\s)(?:footnote|endnote|rearnote|footnotes|endnotes|rearnotes|note)(?:\s|$)/u;
const noteReference = /(?:^|\s)noteref(?:\s|$)/u;
const pageBreak =
  /(?:^|\s)(?:pagebreak|page-break|doc-pagebreak|pagenum|page-number|pageno|page_number|calibre_pb_\d+)(?:\s|$)/iu;
const verseClass = /(?:^|[\s_-])(?:verse|poem|poetry|stanza|lyrics|linegroup)(?:$|[\s_\d-])/iu;

interface Open {
  readonly name: string;
  readonly hidden: boolean;
  readonly kind: BlockKind | undefined;
  readonly quote: boolean;
  readonly verse: boolean;
  readonly pre: boolean;
  /** Where its text begins in that of its block. */
  readonly from: number;
  readonly linked: boolean;
  /** Elements that were in it so far. */
  children: number;
}

/** What a reference to a note shows: a number, a letter, a star. */
const noteMark = /^\s*[[(]?(?:\d{1,3}|[a-z]|[ivx]{1,4}|[*†‡§¶]{1,3})[\])]?\s*$/iu;
const raised = '⁰¹²³⁴⁵⁶⁷⁸⁹';
const lowered = '₀₁₂₃₄₅₆₇₈₉';
/** `10<sup>6</sup>` is not 106. */
const shifted = (written: string, digits: string): string =>
  [...written]
    .map((char) =>
      char === '+'
        ? digits === raised
          ? '⁺'
          : '₊'
        : /\d/u.test(char)
          ? digits[Number(char)]
          : digits === raised
            ? '⁻'
            : '₋',
    )
    .join('');

/**
 * The blocks of an HTML text, in whatever pieces it comes. Tolerant of bad markup as browsers are; fetches nothing, runs
 * nothing, knows no entities but HTML's own. White space is as a browser shows it.
 */
export function createHtmlReader({ depth, notes }: HtmlOptions) {
  const stack: Open[] = [];
  let ready: HtmlBlock[] = [];
  let text = '';
  let ids: string[] = [];
  let title = '';
  let language = '';
  const authors: string[] = [];
  let inTitle = false;
  let level: number | undefined;
  /** Links within the book that stand above the line, or hold what does. */
  const raisedLinks = new Set<Open>();

  const hidden = () => stack.at(-1)?.hidden ?? false;

  function kindNow(): BlockKind {
    const top = stack.findLast(({ kind }) => kind !== undefined && kind !== 'paragraph')?.kind;
    if (top === 'heading' || top === 'item') return top;
    const inner = stack.at(-1);
    if (inner?.verse) return 'verse';
    return inner?.quote ? 'quote' : 'paragraph';
  }

  function close(): void {
    const said = text
      .replace(/[ \t\f\r]+/gu, ' ')
      .replace(/ ?\n ?/gu, '\n')
      .trim();
    text = '';
    if (said === '') return;
    const kind = kindNow();
    const scene = !/[\p{L}\p{N}]/u.test(said);
    ready.push({
      kind: scene ? 'scene' : kind,
      text: `${said}\n\n`,
      ids,
      ...(kind === 'heading' && level !== undefined ? { level } : {}),
    });
    ids = [];
  }

  /** What is written above or below the line, when it is there whole: a note's mark, a power, an index. */
  function settle(element: Open): void {
    const { from } = element;
    const above = stack.at(-1);
    const raises = above?.name === 'msup' && above.children === 2;
    const lowers = above?.name === 'msub' && above.children === 2;
    const name = raises ? 'sup' : lowers ? 'sub' : element.name;
    if (name === 'mo' && !element.hidden) text += ' ';
    if (raises && /^\p{L}$/u.test(text.slice(from))) text = `${text.slice(0, from)}^${text.slice(from)}`;
    const isNote = raisedLinks.delete(element) && !notes;
    if (element.hidden || from > text.length || !(isNote || name === 'sup' || name === 'sub')) return;
    const inner = text.slice(from);
    if (isNote && noteMark.test(inner)) text = text.slice(0, from);
    else if (name !== 'a' && /^\s*[-−+]?\d{1,6}\s*$/u.test(inner))
      text = text.slice(0, from) + shifted(inner.trim(), name === 'sup' ? raised : lowered);
  }

  const parser = new Parser(
    {
      onopentag(written, attributes) {
        const name = written.replace(/^x?html?:|^h:/u, '');
        if (stack.length >= depth)
          throw new RhapsodeError('document_unsafe', {
            message: `the document nests more than ${depth} elements`,
          });
        const kind = blocks[name];
        if (kind !== undefined) close();
        const above = stack.at(-1);
        const type = `${attributes['epub:type'] ?? ''} ${attributes.role ?? ''}`;
        const names = attributes.class ?? '';
        const isNote =
          !notes &&
          (noteTypes.test(type.replaceAll('doc-', '')) ||
            noteReference.test(type.replaceAll('doc-', '')) ||
            (name === 'a' &&
              /^#(?:fn|note|footnote|endnote|_ftn|_edn)/iu.test(attributes.href ?? '') &&
              /(?:^|\s)(?:noteref|footnote|fnref|fn|footnote-ref|note)(?:\s|$)/iu.test(names)) ||
            (name === 'li' && /^(?:foot|end)note-\d+$/u.test(attributes.id ?? '')) ||
            (/^(?:aside|div|section|li|p)$/u.test(name) &&
              /(?:^|\s)(?:footnotes?|endnotes?)(?:\s|$)/iu.test(names)));
        // The licence around a book of Project Gutenberg's.
        const isLicence =
          /(?:^|\s)pg-?boilerplate(?:\s|$)/u.test(names) ||
          /^pg-(?:header|footer)$/u.test(attributes.id ?? '');
        const isPage = pageBreak.test(type) || (/^(?:span|a|div|p)$/u.test(name) && pageBreak.test(names));
        const gone =
          'hidden' in attributes ||
          attributes['aria-hidden'] === 'true' ||
          /display\s*:\s*none/iu.test(attributes.style ?? '');
        const hides = silent.has(name) || isNote || isPage || isLicence || gone;
        // The title of a picture is no title of the page.
        if (name === 'title' && !stack.some((one) => one.name === 'svg' || one.name === 'math'))
          inTitle = true;
        if (name === 'sup') for (const one of stack) if (one.linked) raisedLinks.add(one);
        if (name === 'html') language ||= attributes.lang ?? attributes['xml:lang'] ?? '';
        if (
          name === 'meta' &&
          /^(?:author|dc\.creator)$/iu.test(attributes.name ?? '') &&
          authors.length < 50
        ) {
          const author = (attributes.content ?? '').replace(/\s+/gu, ' ').trim();
          if (author !== '') authors.push(author.slice(0, 1_000));
        }
        if (attributes.id && !(above?.hidden ?? false)) ids.push(attributes.id);
        const heading = /^h([1-6])$/u.exec(name);
        // Pandoc, and our reader of Word documents, have the title above the headings of the first level.
        if (heading) level = name === 'h1' && /(?:^|\s)title(?:\s|$)/u.test(names) ? 0 : Number(heading[1]);
        stack.push({
          name,
          hidden: (above?.hidden ?? false) || hides,
          kind,
          quote: (above?.quote ?? false) || name === 'blockquote',
          verse: (above?.verse ?? false) || verseClass.test(names) || /z3998:(?:verse|poem|song)/u.test(type),
          pre: (above?.pre ?? false) || name === 'pre',
          from: text.length,
          children: 0,
          linked: name === 'a' && /#./u.test(attributes.href ?? ''),
        });
        if (name === 'a' && stack.at(-1)!.linked && stack.some((one) => one.name === 'sup'))
          raisedLinks.add(stack.at(-1)!);
        if (hidden()) return;
        if (name === 'mo') text += ' ';
        // Formulas are read as they are written in a line.
        if (above) {
          above.children++;
          if (above.name === 'mfrac' && above.children === 2) text += '/';
        }
        if (name === 'msqrt') text += '√';
        if (name === 'br') text += '\n';
        if (name === 'hr') ready.push({ kind: 'scene', text: '* * *\n\n', ids: [] });
        if (name === 'td' || name === 'th') text += text === '' ? '' : ' ';
        if (
          name === 'img' &&
          attributes.alt &&
          attributes.alt.length < 500 &&
          !/^(?:cover|image|img|illustration|\s*)$/iu.test(attributes.alt)
        )
          text += ` ${attributes.alt} `;
      },
      ontext(data) {
        if (inTitle) title += data;
        if (hidden()) return;
        text += stack.at(-1)?.pre ? data : data.replace(/[\n\r\t\f]+/gu, ' ');
        if (text.length > 1_000_000) close();
      },
      onclosetag(written) {
        const name = written.replace(/^x?html?:|^h:/u, '');
        if (name === 'title') inTitle = false;
        if (blocks[name] !== undefined) close();
        if (stack.at(-1)?.name === name) settle(stack.pop()!);
        if (/^h[1-6]$/u.test(name)) level = undefined;
      },
    },
    { decodeEntities: true, lowerCaseTags: true, recognizeSelfClosing: true, recognizeCDATA: true },
  );

  return {
    write(piece: string): HtmlBlock[] {
      parser.write(piece);
      const out = ready;
      ready = [];
      return out;
    },
    end(): HtmlBlock[] {
      parser.end();
      close();
      return ready;
    },
    get title() {
      return title.replace(/\s+/gu, ' ').trim();
    },
    get language() {
      return language;
    },
    get authors(): readonly string[] {
      return authors;
    },
  };
}

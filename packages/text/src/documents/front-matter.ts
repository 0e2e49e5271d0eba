import { parse } from 'yaml';
import type { BookInfo } from './document.ts';
import { languageTag } from './language-tag.ts';

export interface FrontMatter {
  /** Of the text: what is said about it, and is no part of it. */
  readonly length: number;
  readonly info: BookInfo;
}

/** What stands about a Markdown text before it: YAML between lines of `---`, or Pandoc's title block of `%` lines. */
export function readFrontMatter(text: string): FrontMatter | undefined {
  return readYaml(text) ?? readTitleBlock(text);
}

function readYaml(text: string): FrontMatter | undefined {
  const found = /^\ufeff?---[ \t]*\r?\n([\s\S]{0,16000}?)\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|$)/u.exec(text);
  if (!found) return undefined;
  let fields: unknown;
  try {
    fields = parse(found[1]!, { schema: 'failsafe', maxAliasCount: 16, logLevel: 'silent' });
  } catch {
    return undefined;
  }
  // A scene between two rules is no list of fields.
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return undefined;
  const lower = new Map(
    Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value as unknown]),
  );
  const [title] = wordsOf(lower.get('title'));
  const authors = wordsOf(lower.get('author') ?? lower.get('authors') ?? lower.get('creator'));
  const [language] = wordsOf(lower.get('lang') ?? lower.get('language'));
  return { length: found[0].length, info: infoOf(title, authors, language) };
}

function readTitleBlock(text: string): FrontMatter | undefined {
  const found =
    /^\ufeff?%[ \t]*(\S[^\n]*\n(?:[ \t]+\S[^\n]*\n)*)(?:%([^\n]*\n(?:[ \t]+\S[^\n]*\n)*))?(?:%[^\n]*\n)?/u.exec(
      text,
    );
  if (!found) return undefined;
  const authors = (found[2] ?? '').split(/[;\n]/u).map((name) => name.trim());
  return { length: found[0].length, info: infoOf(found[1]!.trim(), authors, undefined) };
}

function infoOf(
  title: string | undefined,
  authors: readonly string[],
  language: string | undefined,
): BookInfo {
  const plain = (words: string) => words.replace(/\s+/gu, ' ').trim().slice(0, 1_000);
  const names = authors.map(plain).filter((name) => name !== '');
  const tag = language === undefined ? undefined : languageTag(language);
  return {
    ...(title === undefined || plain(title) === '' ? {} : { title: plain(title) }),
    ...(names.length === 0 ? {} : { authors: names }),
    ...(tag === undefined ? {} : { language: tag }),
  };
}

/** A text, a list of them, or (as Pandoc has them for EPUB) things with a `name` or a `text`. */
function wordsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value))
    return value.slice(0, 50).flatMap((one) => (Array.isArray(one) ? [] : wordsOf(one)));
  if (typeof value !== 'object' || value === null) return [];
  const { name, text } = value as { name?: unknown; text?: unknown };
  return wordsOf(typeof name === 'string' ? name : typeof text === 'string' ? text : undefined);
}

import { RhapsodeError } from '@rhapsode/contracts';
import { Parser } from 'htmlparser2';
import { SaxesParser } from 'saxes';

/** A small XML file as a tree, for a book's directory. Names are without their prefix. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: XmlElement[];
  text: string;
}

/** Refuses entities of the file's own: they serve attacks only. */
export function refuseEntities(text: string): void {
  const head = text.slice(0, 65_536);
  if (/<!DOCTYPE[^>]*\[/iu.test(head) || /<!ENTITY/iu.test(text.slice(0, 1_000_000)))
    throw new RhapsodeError('document_unsafe', { message: 'the document declares entities of its own' });
}

export interface XmlOptions {
  /** Refuse what is not well-formed, instead of reading what can be read: books are often damaged a little. */
  readonly strict?: boolean;
}

export function parseXml(
  text: string,
  depth: number,
  what: string,
  { strict = false }: XmlOptions = {},
): XmlElement {
  refuseEntities(text);
  const root: XmlElement = { name: '', attributes: {}, children: [], text: '' };
  const stack: XmlElement[] = [root];
  const parser = new SaxesParser({ xmlns: false, position: strict });
  const bare = (name: string) => name.slice(name.indexOf(':') + 1);
  let failed: Error | undefined;
  const malformed = (where: string, cause: Error | undefined) =>
    new RhapsodeError('document_invalid', { message: `${where}${what} is not well-formed XML`, cause });
  parser.on('error', (error) => {
    if (strict) throw malformed(`line ${parser.line}, column ${Math.max(1, parser.column)}: `, error);
    failed ??= error;
  });
  parser.on('opentag', ({ name, attributes }) => {
    if (stack.length > depth)
      throw new RhapsodeError('document_unsafe', { message: `${what} nests more than ${depth} elements` });
    const element: XmlElement = {
      name: bare(name),
      attributes: attributes as Record<string, string>,
      children: [],
      text: '',
    };
    stack.at(-1)!.children.push(element);
    stack.push(element);
  });
  parser.on('closetag', () => {
    const { text: inner } = stack.pop()!;
    const above = stack.at(-1);
    if (above && above !== root) above.text += inner;
  });
  parser.on('text', (data) => {
    stack.at(-1)!.text += data;
  });
  parser.on('cdata', (data) => {
    stack.at(-1)!.text += data;
  });
  const well = text.replace(/^\ufeff/u, '');
  parser.write(strict ? well : withoutStrayAmpersands(well)).close();
  const element = root.children[0];
  if (!element) throw malformed('', failed);
  return element;
}

/** HTML's names for characters are no part of XML, and an `&` by itself is none; makers write both all the same. */
function withoutStrayAmpersands(text: string): string {
  return text.replace(
    /&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[\da-f]{1,6});)(?:[a-z]\w{1,30};)?/giu,
    (written) => {
      let said = '';
      const parser = new Parser({ ontext: (data) => (said += data) }, { decodeEntities: true });
      parser.end(written);
      return said.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
    },
  );
}

export function* descendants(element: XmlElement, name: string): Generator<XmlElement> {
  for (const child of element.children) {
    if (child.name === name) yield child;
    yield* descendants(child, name);
  }
}

export const childOf = (element: XmlElement | undefined, name: string): XmlElement | undefined =>
  element?.children.find((child) => child.name === name);

import { RhapsodeError } from '@rhapsode/contracts';
import type { FastifyInstance } from 'fastify';
import { unknownField } from './parse-request.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The text of bytes that must be UTF-8. A lenient decoder would speak replacement characters in silence.
 */
export function decodeText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new RhapsodeError('invalid_encoding', { message: 'The request body is not valid UTF-8.' });
  }
}

/** What JSON.parse says about a mistake quotes the body, which is nobody's business in a log. */
export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RhapsodeError('invalid_request', { message: 'The request body is not valid JSON.' });
  }
  // The name may be written with escapes; in nearly all texts it is not there at all.
  if (/__proto__|\\u005f/i.test(text)) refuseHidden(value);
  return value;
}

/**
 * A field named `__proto__` is one of JSON, and what checks values passes it over where it takes any field: it would be left
 * out without a word, where every other field that nobody knows is refused.
 */
export function refuseHidden(value: unknown, path: readonly string[] = []): void {
  const open = [{ value, path }];
  for (let at = open.pop(); at; at = open.pop()) {
    if (typeof at.value !== 'object' || at.value === null) continue;
    for (const [name, field] of Object.entries(at.value)) {
      const path = [...at.path, name];
      if (name === '__proto__') throw unknownField(path.join('.'));
      open.push({ value: field, path });
    }
  }
}

const [quote, backslash, ...marks] = Buffer.from('"\\{[,');
const mostMarks = 10_000;

/**
 * A request is long because of the text in it; a body of very many values is none. JSON.parse would take seconds and
 * gigabytes for megabytes of brackets, and all others would wait.
 */
function checkShape(bytes: Buffer): void {
  let found = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === quote) at = endOfString(bytes, at);
    else if (marks.includes(byte) && ++found > mostMarks)
      throw new RhapsodeError('invalid_request', { message: 'The request body holds too many values.' });
  }
}

function endOfString(bytes: Buffer, from: number): number {
  for (let at = from + 1; at < bytes.length; at++) {
    if (bytes[at] === quote) return at;
    if (bytes[at] === backslash) at++;
  }
  return bytes.length;
}

/** Takes JSON, and nothing else, as body; and no body that was compressed, whose length would say nothing. */
export function acceptJson(app: FastifyInstance): void {
  app.addHook('preParsing', async ({ headers: { 'content-encoding': coding } }, reply) => {
    if (coding === undefined || /^\s*(identity)?\s*$/i.test(coding)) return;
    void reply.header('accept-encoding', 'identity');
    throw new RhapsodeError('unsupported_media_type', {
      message: `The request body is encoded as '${coding.slice(0, 40)}'; send it as it is, without content-encoding.`,
    });
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_: unknown, body: Buffer) => {
    if (body.byteLength === 0)
      throw new RhapsodeError('invalid_request', { message: 'The request body is empty.' });
    checkShape(body);
    return parseJson(decodeText(body));
  });
}

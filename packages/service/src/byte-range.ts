import type { IncomingHttpHeaders } from 'node:http';
import { RhapsodeError } from '@rhapsode/contracts';

/** What a `Range` header asks for. `last` is inclusive; without it everything that follows. */
export interface ByteRange {
  readonly first: number;
  readonly last?: number;
}

/**
 * Reads `bytes=N-`, `bytes=N-M` and, where the length is known, `bytes=-N` (RFC 9110, 14.1.2). Anything else, several ranges
 * among it, is answered with the whole, as the RFC allows.
 */
export function parseByteRange(
  header: string | undefined,
  length: number | undefined,
): ByteRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.replaceAll(' ', '') ?? '');
  if (!match) return undefined;
  const [, from, to] = match as unknown as [string, string, string];
  if (from === '') {
    if (to === '' || length === undefined) return undefined;
    if (byteNumber(to) === 0) throw notSatisfiable(length);
    return { first: Math.max(0, length - byteNumber(to)), last: length - 1 };
  }
  const first = byteNumber(from);
  const last = to === '' ? undefined : byteNumber(to);
  if (last !== undefined && last < first) return undefined;
  // What players ask of all that they open; some of them take a length that is told by `*` for none.
  if (length === undefined && first === 0 && last === undefined) return undefined;
  if (length === undefined) return last === undefined ? { first } : { first, last };
  if (first >= length) throw notSatisfiable(length);
  return { first, last: Math.min(last ?? length - 1, length - 1) };
}

/** Whether it asks for the last bytes, which can be told only where the length is known. */
export const isSuffixRange = (header: string | undefined): boolean =>
  /^bytes=-\d+$/.test(header?.replaceAll(' ', '') ?? '');

/** Nothing lies behind the largest number that is exact, whatever was asked for. */
const byteNumber = (digits: string): number => Math.min(Number(digits), Number.MAX_SAFE_INTEGER);

/** The `Range` header, unless `If-Range` says that the client has a part of something else (RFC 9110, 13.1.5). */
export const rangeUnlessChanged = (
  { range, 'if-range': has }: IncomingHttpHeaders & { readonly 'if-range'?: string },
  etag: string,
): string | undefined => (has === undefined || has === etag ? range : undefined);

/** The same, of what has its tag only when it is asked for. */
export const rangeIfSame = async (
  headers: Parameters<typeof rangeUnlessChanged>[0],
  describe: () => Promise<Readonly<Record<string, string>>>,
): Promise<string | undefined> =>
  headers['if-range'] === undefined
    ? headers.range
    : rangeUnlessChanged(headers, (await describe()).etag ?? '');

export const notSatisfiable = (length: number | undefined) =>
  new RhapsodeError('range_not_satisfiable', {
    message: length === undefined ? 'it ends before this byte' : `it has ${length} bytes`,
  });

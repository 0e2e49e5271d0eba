import { RhapsodeError } from '@rhapsode/contracts';
import { analyse } from 'chardet';

const sample = 65_536;
type Decoder = InstanceType<typeof TextDecoder>;

/**
 * Decodes text whose encoding nobody told: a byte order mark says it, else it is UTF-8 if it can be, else the likeliest
 * by its bytes. The byte order mark stays in the text: a span is a span of the whole.
 */
export async function* decodeText(
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<string> {
  let head: Uint8Array = new Uint8Array();
  let decoder: Decoder | undefined;
  for await (const piece of bytes) {
    if (decoder) {
      yield decode(decoder, piece, true);
      continue;
    }
    head = Buffer.concat([head, piece]);
    if (head.length < sample) continue;
    decoder = new TextDecoder(detectEncoding(head, false), { fatal: true, ignoreBOM: true });
    yield decode(decoder, head, true);
  }
  if (!decoder) {
    decoder = new TextDecoder(detectEncoding(head, true), { fatal: true, ignoreBOM: true });
    yield decode(decoder, head, true);
  }
  yield decode(decoder, new Uint8Array(), false);
}

function decode(decoder: Decoder, bytes: Uint8Array, stream: boolean): string {
  try {
    return decoder.decode(bytes, { stream });
  } catch (cause) {
    throw new RhapsodeError('invalid_encoding', {
      message: `the text is not valid ${decoder.encoding.toUpperCase()}`,
      cause,
    });
  }
}

/** The name of the encoding, as `TextDecoder` takes it. */
export function detectEncoding(head: Uint8Array, whole: boolean): string {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return 'utf-8';
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  const nuls = { even: 0, odd: 0 };
  for (let at = 0; at < Math.min(head.length, 4096); at++)
    if (head[at] === 0) nuls[at % 2 === 0 ? 'even' : 'odd']++;
  const half = Math.min(head.length, 4096) / 2;
  if (half > 2 && nuls.odd > half * 0.4 && nuls.even < half * 0.1) return 'utf-16le';
  if (half > 2 && nuls.even > half * 0.4 && nuls.odd < half * 0.1) return 'utf-16be';
  if (isUtf8(head, whole)) return 'utf-8';
  for (const { name } of analyse(head)) {
    if (/^UTF-/u.test(name)) continue;
    try {
      return new TextDecoder(name).encoding;
    } catch {
      // A name that TextDecoder does not know: the next likeliest.
    }
  }
  return 'windows-1252';
}

function isUtf8(bytes: Uint8Array, whole: boolean): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: !whole });
    return true;
  } catch {
    return false;
  }
}

import { createNumberReader, isOne, type NumberRead } from './number.ts';
import type { Speech } from './speech.ts';

/** Blank between a number and what belongs to it. */
export const space = '[ \\u00a0\\u2009\\u202f]';

const escaped = (text: string) => text.replace(/[$.*+?^()[\]{}|\\]/gu, '\\$&');
const alternatives = (keys: Iterable<string>) =>
  [...keys]
    .sort((a, b) => b.length - a.length)
    .map(escaped)
    .join('|');

/** What the rules of numbers share: how numbers are read, and what may stand beside one. */
export function createNumerals(speech: Speech) {
  const symbols = Object.keys(speech.currencies).filter((key) => /[^\p{L}.]/u.test(key));
  const codes = Object.keys(speech.currencies).filter((key) => !symbols.includes(key));
  const prefix = new RegExp(
    `(${alternatives(symbols)})${space}?|(${alternatives(codes)})\\.?${space}?(?=\\d)`,
    'uy',
  );
  const suffix = new RegExp(
    `${space}?(${alternatives(symbols)})(?![\\d\\p{L}])|${space}?(${alternatives(codes)})(?![\\p{L}\\d])`,
    'uy',
  );
  const scale = new RegExp(
    `(?:${space}|-)?(${alternatives(Object.keys(speech.scales))})(?:\\.(?=${space}?[€$£]))?(?![\\p{L}\\d])`,
    'uy',
  );
  const wordScale = new RegExp(
    `${space}(${alternatives(Object.keys(speech.scales).filter((key) => key.length > 3))})(?!\\p{L})`,
    'uy',
  );
  const unitNames = alternatives(Object.keys(speech.units));
  const unit = new RegExp(
    `(?:${space}|-)?(${unitNames})(?!\\.\\p{L})([²³]|\\^?[23](?![\\d\\p{L}]|[.,]\\d))?(?:\\s?(?:/|·)\\s?(${unitNames})([²³]|\\^[23])?)?(?![\\p{L}\\d]|['’](?!\\p{L}))`,
    'uy',
  );
  const degrees = new RegExp(
    `${space}?(?:°${space}?([CFKRcf](?!\\p{L}))?|º${space}?([CF](?!\\p{L}))|(℃)|(℉))`,
    'uy',
  );
  const rangeSign = new RegExp(`${space}?[–—]${space}?|-|${space}?(?:\\.\\.\\.|…)${space}?(?=\\d)`, 'uy');

  /** Whether the noun that is counted is in the singular. */
  const one = (read: NumberRead) =>
    isOne(read) ||
    (speech.language === 'fr' && read.whole === '0') ||
    (speech.language === 'fr' && /^0*1$/u.test(read.whole));

  return {
    speech,
    numbers: createNumberReader(speech),
    one,
    prefix,
    suffix,
    scale,
    wordScale,
    unit,
    degrees,
    rangeSign,
  };
}

export type Numerals = ReturnType<typeof createNumerals>;

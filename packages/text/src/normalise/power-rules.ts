import type { Measured } from './measure-rules.ts';
import { type NumberRead, sayNumber } from './number.ts';
import type { Numerals } from './numerals.ts';
import { matchAt, type Place, type Rule, type Said } from './rule.ts';
import type { Speech } from './speech.ts';

const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** `10²`, `2^-3`, `3.0e8`, `5x`. */
export function createPowerRules({ speech, numbers }: Numerals, measured: Measured) {
  const { words } = speech;

  /** With the unit behind it: `10⁸ m/s`. */
  const withUnit = (place: Place, read: NumberRead, end: number, spoken: string): Said =>
    measured(place, { ...read, whole: '10', decimals: undefined, end }, () => spoken) ?? { end, spoken };

  /** `3.0e8`. */
  const scientific: Rule = (place) => {
    const { text, at } = place;
    const found = matchAt(/\d{1,20}(?:[.,]\d{1,20})?[eE]([+-]?)(\d{1,4})(?![\d\p{L}])/uy, text, at);
    const read = found && numbers.read(text, at);
    if (!found || !read) return undefined;
    const tens = `${speech.cardinal(10n)} ${words.toThePower} ${found[1] === '-' ? `${words.minus} ` : ''}${speech.cardinal(BigInt(found[2]!))}`;
    return withUnit(place, read, at + found[0].length, `${sayNumber(speech, read)} ${words.times} ${tens}`);
  };

  const power: Rule = (place) => {
    const { text, at } = place;
    const read = numbers.read(text, at);
    if (!read) return undefined;
    if (text[read.end] === 'ⁿ')
      return { end: read.end + 1, spoken: `${sayNumber(speech, read)} ${words.toThePower} n` };
    const up = matchAt(/([⁺⁻]?)([⁰¹²³⁴⁵⁶⁷⁸⁹]{1,6})|\^([-−+]?)(\d{1,6})/uy, text, read.end);
    if (!up) return undefined;
    const raised =
      up[2] === undefined ? up[4]! : [...up[2]].map((char) => superscripts.indexOf(char)).join('');
    const negative = /[⁻−-]/u.test(up[1] ?? up[3] ?? '');
    return withUnit(
      place,
      read,
      read.end + up[0].length,
      `${sayNumber(speech, read)} ${sayPower(speech, raised, negative)}`,
    );
  };

  /** `5x`, `10X`: so many times. */
  const multiple: Rule = ({ text, at, math }) => {
    if (math) return undefined;
    const found = matchAt(/(\d{1,6}(?:[.,]\d{1,3})?)[xX×](?![\p{L}\d])/uy, text, at);
    if (!found) return undefined;
    return {
      end: at + found[0].length,
      spoken: `${sayNumber(speech, numbers.read(found[1]!, 0) ?? { whole: '0', decimals: undefined })} ${words.times}`,
    };
  };

  return { scientific, power, multiple };
}

export function sayPower(speech: Speech, digits: string, negative: boolean): string {
  const { words } = speech;
  if (!negative && digits === '2') return words.squared;
  if (!negative && digits === '3') return words.cubed;
  return `${words.toThePower} ${negative ? `${words.minus} ` : ''}${speech.cardinal(BigInt(digits))}`;
}

import { matchAt } from './rule.ts';
import type { Gender, Speech } from './speech.ts';

export interface NumberRead {
  readonly end: number;
  /** The digits before the decimal sign, without what parts thousands. */
  readonly whole: string;
  /** The digits behind it. */
  readonly decimals: string | undefined;
  readonly grouped: boolean;
}

export interface NumberReader {
  read(text: string, at: number): NumberRead | undefined;
}

/** Reads `1,234.56` as the locale writes it. At most 40 digits: what is longer is read in parts. */
export function createNumberReader({ group, decimal }: Speech): NumberReader {
  const pattern = new RegExp(
    `(?:(\\d{1,3}(?:[${group}]\\d{3}){1,12}|\\d{1,2}(?:,\\d\\d){1,4},\\d{3}|\\d{1,3}(?:[ \u00a0\u2009\u202f]\\d{3}){2,6}|\\d{1,3}(?:[\u00a0\u2009\u202f]\\d{3}){1,6})(?!\\d)|(\\d{1,40}))(?:[${decimal}](\\d{1,40})(?!\\d|[${decimal}]\\d))?|[${decimal}](\\d{1,20})(?![\\d${decimal}])`,
    'uy',
  );
  return {
    read(text, at) {
      const found = matchAt(pattern, text, at);
      if (!found) return undefined;
      const [all, grouped, plain, decimals, bare] = found;
      return {
        end: at + all.length,
        whole: grouped?.replace(/\D/gu, '') ?? plain ?? '0',
        decimals: decimals ?? bare,
        grouped: grouped !== undefined,
      };
    },
  };
}

/** Longest number that is said as a number; digits are said one by one from there on. */
const mostDigits = 18;

export function sayNumber(
  speech: Speech,
  { whole, decimals }: Pick<NumberRead, 'whole' | 'decimals'>,
): string {
  const said = sayWhole(speech, whole);
  return decimals === undefined ? said : `${said} ${speech.point} ${speech.decimals(decimals)}`;
}

export const sayWhole = (speech: Speech, digits: string): string =>
  digits.length > mostDigits || (digits.length > 1 && digits.startsWith('0'))
    ? sayDigits(speech, digits)
    : speech.cardinal(BigInt(digits));

/** The number before a noun. */
export const sayCount = (
  speech: Speech,
  read: Pick<NumberRead, 'whole' | 'decimals'>,
  gender: Gender,
): string =>
  read.decimals !== undefined || read.whole.length > mostDigits || /^0\d/u.test(read.whole)
    ? sayNumber(speech, read)
    : speech.count(BigInt(read.whole), gender);

export const sayDigits = (speech: Speech, digits: string): string =>
  [...digits].map((digit) => speech.cardinal(BigInt(digit))).join(' ');

export const isOne = ({ whole, decimals }: Pick<NumberRead, 'whole' | 'decimals'>): boolean =>
  /^0*1$/u.test(whole) && decimals === undefined;

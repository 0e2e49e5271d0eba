/** What a language says for numbers, dates, signs and short forms. Its data only: the rules that use it know no language. */
export interface Speech {
  readonly language: string;
  /** How the locale writes numbers: what parts thousands (a character class) and what starts the decimals. */
  readonly group: string;
  readonly decimal: string;
  readonly dayFirst: boolean;
  cardinal(n: bigint): string;
  /** The number before a noun: `ein Euro`, `une livre`. */
  count(n: bigint, gender: Gender): string;
  /** `lead` is the word before it, in lower case. */
  ordinal(n: bigint, lead?: string): string;
  /** What marks a written ordinal, as a sticky pattern behind the digits. */
  readonly ordinalMark: RegExp | undefined;
  year(n: number): string;
  /** The digits behind the decimal sign. */
  decimals(digits: string): string;
  readonly point: string;
  fraction(numerator: bigint, denominator: bigint): string | undefined;
  /** `[whole] and a half`. */
  readonly wholeAnd: string;
  decade(year: number, short: boolean): string | undefined;
  readonly months: ReadonlyMap<string, number>;
  readonly weekdays: ReadonlyMap<string, string>;
  /** A day, a month (1 to 12) and perhaps a year. */
  date(parts: DateParts): string;
  time(parts: TimeParts): string;
  readonly words: Record<SpokenSign, string>;
  readonly scales: Readonly<Record<string, readonly [one: string, many: string]>>;
  readonly units: Readonly<Record<string, Noun>>;
  readonly per: string;
  readonly currencies: Readonly<Record<string, Currency>>;
  /** Short forms without their stop. A function looks at what stands around. */
  readonly abbreviations: Readonly<Record<string, string>>;
  /** Words that come before a Roman numeral that is a plain number, in lower case. */
  readonly romanLeads: ReadonlySet<string>;
  /** First names of those who are counted: `Henry VIII`. */
  readonly rulers: ReadonlySet<string>;
  romanRuler(n: number, name: string): string;
  /** `XIX century`, `XIXe siècle`, `siglo XIX`. */
  readonly centuries: ReadonlySet<string>;
  readonly yearLeads: ReadonlySet<string>;
  readonly capsWords: ReadonlySet<string>;
  readonly emojiLocale: string | undefined;
}

export type Gender = 'm' | 'f' | 'n';
export type Noun = readonly [one: string, many: string, gender?: Gender];

export interface Currency {
  readonly main: Noun;
  readonly sub?: Noun;
}

export interface DateParts {
  readonly day: number;
  readonly month: number;
  readonly year?: number | undefined;
  readonly weekday?: string | undefined;
  readonly lead: string;
  /** The day was written before the month. */
  readonly dayFirst: boolean;
}

export interface TimeParts {
  readonly hours: number;
  readonly minutes: number;
  readonly seconds?: number | undefined;
  readonly meridiem?: string | undefined;
}

export type SpokenSign =
  | 'minus'
  | 'plus'
  | 'plusMinus'
  | 'times'
  | 'by'
  | 'dividedBy'
  | 'equals'
  | 'notEqual'
  | 'about'
  | 'less'
  | 'greater'
  | 'lessEqual'
  | 'greaterEqual'
  | 'to'
  | 'ratio'
  | 'and'
  | 'or'
  | 'over'
  | 'percent'
  | 'perMille'
  | 'degrees'
  | 'degree'
  | 'squared'
  | 'cubed'
  | 'toThePower'
  | 'root'
  | 'infinity'
  | 'dot'
  | 'at'
  | 'slash'
  | 'dash'
  | 'underscore'
  | 'colon'
  | 'question'
  | 'number'
  | 'numbers'
  | 'hash'
  | 'section'
  | 'sections'
  | 'paragraph'
  | 'copyright'
  | 'registered'
  | 'trademark'
  | 'backslash'
  | 'version'
  | 'outOf'
  | 'sum'
  | 'pi'
  | 'feet'
  | 'foot'
  | 'inches'
  | 'inch'
  | 'minutesOfArc'
  | 'secondsOfArc'
  | 'arrow'
  | 'elementOf'
  | 'sharp';

export const nounFor = (noun: Noun, one: boolean): string => (one ? noun[0] : noun[1]);
export const genderOf = (noun: Noun): Gender => noun[2] ?? 'm';

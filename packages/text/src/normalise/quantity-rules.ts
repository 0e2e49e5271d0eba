import { counted } from './counted.ts';
import { createFractionRule } from './fraction-rules.ts';
import { createLabelRules } from './label-rules.ts';
import { createDimensionsRule, createMeasured, createMeasureRule } from './measure-rules.ts';
import { createMoneyRule } from './money-rules.ts';
import { type NumberRead, sayCount, sayNumber } from './number.ts';
import { createNumerals } from './numerals.ts';
import { createPowerRules } from './power-rules.ts';
import { matchAt, type Rule, wordAfter } from './rule.ts';
import type { Speech } from './speech.ts';
import { createYearRules, isYear, sayShortYear } from './year-rules.ts';

/** All that begins with a number or with a sign that belongs to one; the first rule that knows it says it. */
export function createQuantityRules(speech: Speech): Rule[] {
  const numerals = createNumerals(speech);
  const { numbers, unit, rangeSign } = numerals;
  const { words } = speech;
  const measured = createMeasured(numerals);
  const measure = createMeasureRule(numerals, measured);
  const dimensions = createDimensionsRule(numerals, measured);
  const money = createMoneyRule(numerals);
  const fraction = createFractionRule(numerals, measured);
  const { decade, shortYear, year } = createYearRules(numerals);
  const { hexadecimal, verse, military, plural, code, version, ratio } = createLabelRules(numerals);
  const { scientific, power, multiple } = createPowerRules(numerals, measured);

  const range: Rule = (place) => {
    const { text, at, math } = place;
    const first = numbers.read(text, at);
    if (!first) return undefined;
    const sign = matchAt(rangeSign, text, first.end);
    if (!sign || (math && /-/u.test(sign[0]))) return undefined;
    const second = numbers.read(text, first.end + sign[0].length);
    if (!second) return undefined;
    if (/^[\p{L}]/u.test(text.slice(second.end)) && !matchAt(unit, text, second.end)) return undefined;
    if (/^\/\d|^[-–]\d|^\.\d/u.test(text.slice(second.end, second.end + 2))) return undefined;
    const yearly = (read: NumberRead) => read.decimals === undefined && !read.grouped && isYear(read.whole);
    const longYears =
      yearly(first) && (yearly(second) || (second.whole.length === 2 && second.decimals === undefined));
    if (longYears && !matchAt(unit, text, second.end) && !matchAt(/\s?%/uy, text, second.end)) {
      const last =
        second.whole.length === 2 ? sayShortYear(speech, second.whole) : speech.year(Number(second.whole));
      return { end: second.end, spoken: `${speech.year(Number(first.whole))} ${words.to} ${last}` };
    }
    const said = sayNumber(speech, first);
    const rest = measured({ ...place, at: first.end + sign[0].length }, second, (gender) =>
      sayCount(speech, second, gender),
    ) ??
      money({ ...place, at: first.end + sign[0].length }) ?? {
        end: second.end,
        spoken: sayNumber(speech, second),
      };
    return { end: rest.end, spoken: `${said} ${words.to} ${rest.spoken}` };
  };

  const ordinal: Rule = ({ text, at, lead }) => {
    if (!speech.ordinalMark) return undefined;
    const digits = matchAt(new RegExp(`\\d{1,3}(?:[${speech.group}]\\d{3}){1,4}|\\d{1,15}`, 'uy'), text, at);
    if (!digits) return undefined;
    const end = at + digits[0].length;
    const mark = matchAt(speech.ordinalMark, text, end);
    if (!mark) return undefined;
    // `12st` is a weight.
    if (speech.language === 'en' && !endingOf(digits[0]).test(mark[0])) return undefined;
    return {
      end: end + mark[0].length,
      spoken: speech.ordinal(BigInt(digits[0].replace(/\D/gu, '')), markedLead(speech, mark[0], lead)),
    };
  };

  const plain: Rule = ({ text, at }) => {
    const read = numbers.read(text, at);
    if (!read) return undefined;
    const plus = matchAt(/\+(?![\d\p{L}])/uy, text, read.end);
    const spoken = plus
      ? sayNumber(speech, read)
      : counted(speech, read, wordAfter(text, read.end), matchAt(/\s/uy, text, read.end) !== null);
    return plus ? { end: read.end + 1, spoken: `${spoken} ${words.plus}` } : { end: read.end, spoken };
  };

  /** A sign that belongs to the number behind it. */
  const signed: Rule = (place) => {
    const { text, at } = place;
    const found = matchAt(/(\+\/-|[-−–+±~≈≃<>≤≥]|<=|>=)\s?(?=[.,]?\d|[$€£])/uy, text, at);
    if (!found) return undefined;
    const previous = text.slice(Math.max(0, at - 1), at);
    if (/[-−–+]/u.test(found[1]!) && /[\p{L}\p{N}]/u.test(previous)) return undefined;
    if (/^[-–]/u.test(found[1]!) && /\s$/u.test(found[0])) return undefined;
    const said = {
      '-': words.minus,
      '−': words.minus,
      '–': words.minus,
      '+': words.plus,
      '±': words.plusMinus,
      '+/-': words.plusMinus,
      '~': words.about,
      '≈': words.about,
      '≃': words.about,
      '<': words.less,
      '>': words.greater,
      '≤': words.lessEqual,
      '<=': words.lessEqual,
      '≥': words.greaterEqual,
      '>=': words.greaterEqual,
    }[found[1]!]!;
    const next = { ...place, at: at + found[0].length, lead: '', leadRaw: '' };
    for (const rule of rules) {
      const rest = rule(next);
      if (rest) return { end: rest.end, spoken: `${said} ${rest.spoken}` };
    }
    return undefined;
  };

  const rules = [
    hexadecimal,
    version,
    verse,
    military,
    code,
    scientific,
    plural,
    decade,
    shortYear,
    dimensions,
    money,
    fraction,
    range,
    ordinal,
    power,
    measure,
    multiple,
    ratio,
    year,
    plain,
  ];
  return [money, signed, ...rules];
}

/** The ending that an English ordinal has: `1st`, `12th`. */
const endingOf = (digits: string): RegExp =>
  /1\d$/u.test(digits)
    ? /th/iu
    : /1$/u.test(digits)
      ? /st/iu
      : /2$/u.test(digits)
        ? /nd/iu
        : /3$/u.test(digits)
          ? /rd/iu
          : /th/iu;

/** The mark of a written ordinal may tell its gender. */
const markedLead = (speech: Speech, mark: string, lead: string): string =>
  speech.language === 'es' || speech.language === 'fr' ? mark : lead;

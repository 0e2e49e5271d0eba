import type { Measured } from './measure-rules.ts';
import { type NumberRead, sayWhole } from './number.ts';
import type { Numerals } from './numerals.ts';
import { matchAt, type Rule, wordAfter } from './rule.ts';
import type { Speech } from './speech.ts';
import { isYear, sayShortYear } from './year-rules.ts';

const vulgar: Readonly<Record<string, readonly [bigint, bigint]>> = {
  '½': [1n, 2n],
  '⅓': [1n, 3n],
  '⅔': [2n, 3n],
  '¼': [1n, 4n],
  '¾': [3n, 4n],
  '⅕': [1n, 5n],
  '⅖': [2n, 5n],
  '⅗': [3n, 5n],
  '⅘': [4n, 5n],
  '⅙': [1n, 6n],
  '⅚': [5n, 6n],
  '⅐': [1n, 7n],
  '⅛': [1n, 8n],
  '⅜': [3n, 8n],
  '⅝': [5n, 8n],
  '⅞': [7n, 8n],
  '⅑': [1n, 9n],
  '⅒': [1n, 10n],
};

/** `2 1/2`, `¾ cup`, `24/7`. */
export function createFractionRule({ speech }: Numerals, measured: Measured): Rule {
  const { words } = speech;
  return (place) => {
    const { text, at } = place;
    const mixed = matchAt(/(?:(\d{1,6})[\s-]?)?([½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒])/uy, text, at);
    const slashed = mixed
      ? null
      : matchAt(
          /(?:(\d{1,6})[ \u00a0-])?(\d{1,4})[/⁄](\d{1,4})(?:(?:rds|ths|nds|rd|th|nd)(?!\p{L}))?(?![\d/]|[.,]\d|\p{L})/uy,
          text,
          at,
        );
    if (!mixed && !slashed) return undefined;
    const [numerator, denominator] = mixed
      ? vulgar[mixed[2]!]!
      : [BigInt(slashed![2]!), BigInt(slashed![3]!)];
    const whole = mixed ? mixed[1] : slashed![1];
    const end = at + (mixed ?? slashed)![0].length;
    let said: string | undefined;
    if (slashed && whole === undefined) {
      if (numerator === 24n && denominator === 7n) said = `${speech.cardinal(24n)} ${speech.cardinal(7n)}`;
      else if (
        slashed[2]!.length === 4 &&
        isYear(slashed[2]!) &&
        (numerator + 1n) % 10n ** BigInt(slashed[3]!.length) === denominator &&
        [2, 4].includes(slashed[3]!.length)
      )
        said = `${speech.year(Number(numerator))} ${slashed[3]!.length === 2 ? sayShortYear(speech, slashed[3]!) : speech.year(Number(denominator))}`;
      else if (numerator === 9n && denominator === 11n && speech.language === 'en') said = 'nine eleven';
      else if (numerator + denominator === 100n && numerator % 5n === 0n && numerator !== denominator)
        said = `${speech.cardinal(numerator)} ${speech.cardinal(denominator)}`;
      else if (speech.language === 'en' && /^(?:time|meter|metre|signature)$/u.test(wordAfter(text, end)))
        said = `${speech.cardinal(numerator)} ${speech.cardinal(denominator)}`;
      else if (numerator === denominator && numerator === 20n)
        said = `${speech.cardinal(20n)} ${speech.cardinal(20n)}`;
      else if (numerator === denominator)
        said =
          numerator === 50n
            ? `${speech.cardinal(50n)} ${speech.cardinal(50n)}`
            : `${speech.cardinal(numerator)} ${words.outOf} ${speech.cardinal(denominator)}`;
      else if (numerator > denominator || numerator === 0n || denominator > 100n || /^0\d/u.test(slashed[2]!))
        said = `${speech.cardinal(numerator)} ${words.over} ${speech.cardinal(denominator)}`;
    }
    said ??= speech.fraction(numerator, denominator);
    if (said === undefined) return undefined;
    const half = speech.language === 'de' && whole !== undefined && numerator === 1n && denominator === 2n;
    const asPart = half
      ? `${speech.count(BigInt(whole!), 'm')}einhalb`
      : whole === undefined || whole === '0'
        ? said
        : `${sayWhole(speech, whole)} ${speech.wholeAnd} ${halfOf(speech, said, numerator, denominator)}`;
    const read: NumberRead = {
      end,
      whole: whole === undefined ? '1' : '2',
      decimals: whole === undefined ? undefined : '5',
      grouped: false,
    };
    const rest = measured(place, read, () => asPart);
    if (rest)
      return whole === undefined && speech.language === 'en'
        ? {
            ...rest,
            spoken: rest.spoken
              .replace(`${asPart} `, `${asPart} of a `)
              .replace('of a ounce', 'of an ounce')
              .replace('of a inch', 'of an inch')
              .replace('of a hour', 'of an hour')
              .replace(/^(one half) of an? /u, 'half $1 ')
              .replace(
                /^half one half /u,
                /^[aeiou]|^hour/u.test(rest.spoken.slice(asPart.length + 1)) ? 'half an ' : 'half a ',
              ),
          }
        : rest;
    return { end, spoken: asPart };
  };
}

/** `2 1/2`: `two and a half`. */
function halfOf(speech: Speech, said: string, numerator: bigint, denominator: bigint): string {
  if (numerator === 1n && denominator === 2n && speech.language !== 'en')
    return speech.language === 'fr' ? 'demi' : speech.language === 'es' ? 'medio' : said;
  if (speech.language !== 'en' || numerator !== 1n) return said;
  const noun = said.replace(/^one /u, '');
  return `${/^(?:eighth|eleventh|eighteenth|eightieth)/u.test(noun) ? 'an' : 'a'} ${noun}`;
}

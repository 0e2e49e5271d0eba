import { isOne, type NumberRead, sayCount, sayNumber } from './number.ts';
import { type Numerals, space } from './numerals.ts';
import { endsSentence, matchAt, type Place, type Rule, type Said, wordAfter } from './rule.ts';
import { genderOf, type Noun, nounFor } from './speech.ts';

/** Says a number together with the percent sign, degrees or unit behind it; undefined where there is none. */
export type Measured = (
  place: Place,
  read: NumberRead,
  said: (gender: 'm' | 'f' | 'n') => string,
) => Said | undefined;

/** `5 %`, `−3 °C`, `6'2"`, `5 ft 3 in`, `90 km/h`. */
export function createMeasured({ speech, numbers, one, wordScale, unit, degrees }: Numerals): Measured {
  const { words } = speech;

  function unitWords(found: RegExpExecArray, read: NumberRead, singular: boolean): string {
    const [, name, power, per, perPower] = found;
    const noun = speech.units[name!]!;
    const raised = (n: Noun, p: string | undefined, single: boolean) => {
      const said = nounFor(n, single);
      if (p === undefined) return said;
      const squared = /[²2]/u.test(p);
      if (speech.language === 'en') return `${squared ? 'square' : 'cubic'} ${said}`;
      if (speech.language === 'de') return `${squared ? 'Quadrat' : 'Kubik'}${said.toLowerCase()}`;
      const many = said.endsWith('s') ? 's' : '';
      return speech.language === 'fr'
        ? `${said} ${squared ? 'carré' : 'cube'}${many}`
        : `${said} ${squared ? 'cuadrado' : 'cúbico'}${many}`;
    };
    const main = raised(noun, power, singular || one(read));
    return per === undefined ? main : `${main} ${speech.per} ${raised(speech.units[per]!, perPower, true)}`;
  }

  function measured(
    place: Place,
    read: NumberRead,
    said: (gender: 'm' | 'f' | 'n') => string,
  ): Said | undefined {
    const { text, lead } = place;
    const { end } = read;
    const percent = matchAt(new RegExp(`${space}?([%‰])`, 'uy'), text, end);
    if (percent) {
      const name = percent[1] === '%' ? words.percent : words.perMille;
      // `5%-10%`.
      const until = matchAt(/\s?[-–]\s?(?=\d)/uy, text, end + percent[0].length);
      const second = until && numbers.read(text, end + percent[0].length + until[0].length);
      if (second && text[second.end] === percent[1])
        return {
          end: second.end + 1,
          spoken: `${said('n')} ${words.to} ${sayNumber(speech, second)} ${name}`,
        };
      return {
        end: end + percent[0].length,
        spoken: `${said('n')} ${name}`,
      };
    }
    const degree = matchAt(degrees, text, end);
    if (degree) {
      const name = degree[1]?.toUpperCase() ?? degree[2] ?? (degree[3] ? 'C' : degree[4] ? 'F' : '');
      const full = { C: ' Celsius', F: ' Fahrenheit', K: ' Kelvin', R: ' Rankine', '': '' }[name] ?? '';
      let until = end + degree[0].length;
      let spoken = `${said('m')} ${one(read) ? words.degree : words.degrees}${full}`;
      const arc = matchAt(
        /\s?(\d{1,2}(?:[.,]\d{1,4})?)[′'’](?:\s?(\d{1,2}(?:[.,]\d+)?)[″"”])?(?:\s?([NSEWO])(?!\p{L}))?/uy,
        text,
        until,
      );
      if (full === '' && arc) {
        spoken += ` ${sayNumber(speech, numbers.read(arc[1]!.replace(/[.,]/u, speech.decimal), 0)!)} ${words.minutesOfArc}`;
        if (arc[2])
          spoken += ` ${sayNumber(speech, numbers.read(arc[2], 0) ?? { whole: '0', decimals: undefined })} ${words.secondsOfArc}`;
        if (arc[3]) spoken += ` ${(compass[speech.language] ?? compass.en!)[arc[3]]}`;
        until += arc[0].length;
      } else if (full === '' && name === '') {
        // `51.5° N`.
        const points = compass[speech.language] ?? compass.en!;
        const wind = matchAt(/\s?([NSEWO])(?![\p{L}\d'’.])|\s?([NSEWO])(?=\.(?:\s|$))/uy, text, until);
        const point = points[wind?.[1] ?? wind?.[2] ?? ''];
        if (wind && point !== undefined) {
          spoken += ` ${point}`;
          until += wind[0].length;
        }
      }
      return { end: until, spoken };
    }
    const big = matchAt(wordScale, text, end);
    if (big) {
      const pair = speech.scales[big[1]!]!;
      const scaled = `${said('m')} ${isOne(read) ? pair[0] : pair[1]}`;
      const after = end + big[0].length;
      const more = matchAt(unit, text, after);
      if (more && more[1]!.length > 1)
        return {
          end: after + more[0].length,
          spoken: `${scaled} ${unitWords(more, { ...read, whole: '2', decimals: undefined }, false)}`,
        };
      return { end: after, spoken: scaled };
    }
    const tall = matchAt(/['′’](?:\s?(\d{1,2}(?:\.\d)?)["″”])?(?![\p{L}\d])/uy, text, end);
    if (
      tall &&
      speech.language === 'en' &&
      (tall[1] !== undefined || !/['‘]/u.test(text.slice(Math.max(0, place.at - 1), place.at)))
    ) {
      if (tall[1] === undefined && !/^['′]/u.test(tall[0])) return undefined;
      if (
        tall[1] === undefined &&
        tall[0] === "'" &&
        /['‘]/u.test(text.slice(Math.max(0, place.at - 40), place.at))
      )
        return undefined;
      const feet = `${said('m')} ${one(read) ? words.foot : words.feet}`;
      if (tall[1] === undefined) return { end: end + tall[0].length, spoken: feet };
      const inches = numbers.read(tall[1], 0)!;
      return {
        end: end + tall[0].length,
        spoken: `${feet} ${sayNumber(speech, inches)} ${isOne(inches) ? words.inch : words.inches}`,
      };
    }
    const inch = matchAt(/["″](?![\p{L}\d])/uy, text, end);
    if (inch && !/["“]/u.test(text.slice(Math.max(0, place.at - 40), place.at)))
      return { end: end + 1, spoken: `${said('m')} ${one(read) ? words.inch : words.inches}` };
    const found = matchAt(unit, text, end);
    if (!found) return undefined;
    const name = found[1]!;
    const gap = new RegExp(`^${space}`, 'u').test(found[0]);
    const after = end + found[0].length;
    // `5 in the box`, `3 a day`, `the 80s`: not units. One letter needs to stand close, or be a well-known one.
    // `802.11ac`.
    if (!gap && name === 'ac') return undefined;
    if (gap && name === 'in' && !/^\.?[\s)]*(?:[,;:)x×.]|$)/u.test(text.slice(after, after + 3)))
      return undefined;
    if (
      gap &&
      /^(?:d|A|B|F|K|T|N|ac|pp|as|a|min|us|bar|mo|st|pt|ct)$/u.test(name) &&
      !/^(?:bar|min|K|N|T|A|B|pt|mo|st|ct)$/u.test(name)
    )
      return undefined;
    if (gap && /^[ABFTKN]$/u.test(name) && /^\s\p{Lu}/u.test(text.slice(after, after + 2))) return undefined;
    if (found[0].startsWith('-') && name.length < 2 && !/^[mgLlWV]$/u.test(name)) return undefined;
    if (
      name === 's' &&
      !gap &&
      read.decimals === undefined &&
      /^\d?\d0$/u.test(read.whole) &&
      /^(?:the|in|mid|early|late|his|her|their|my|your|our)$/u.test(lead)
    )
      return undefined;
    if (
      /^[KTMBmGD]$/u.test(name) &&
      !gap &&
      found[2] === undefined &&
      found[3] === undefined &&
      !/^[m]$/u.test(name)
    )
      return undefined;
    // The stop of `5 kg.` before more of the sentence is the unit's.
    const stop =
      text[after] === '.' &&
      !endsSentence(text, after + 1) &&
      (/^\.(?:[,;)]|\s+[\p{Ll}\d])/u.test(text.slice(after, after + 4)) ||
        (speech.language === 'de' && /^\.\s/u.test(text.slice(after, after + 2))))
        ? 1
        : 0;
    const noun = speech.units[name]!;
    const attributive =
      speech.language === 'en' &&
      (found[0].startsWith('-') ||
        (/^an?$/u.test(lead) &&
          /^[\s-]\p{Ll}/u.test(text.slice(after, after + 2)) &&
          !/^(?:of|and|or|in|to|per|from|at|on|is|was|for|with)$/u.test(wordAfter(text, after)))) &&
      found[3] === undefined;
    let spoken = `${said(genderOf(noun))} ${unitWords(found, read, attributive)}`;
    // `5 ft 3 in`, `2 h 30 min`, `6 lb 4 oz`: the smaller unit goes with the larger.
    const smaller = matchAt(/\.?\s?(?=\d)/uy, text, after);
    if (smaller && /^(?:ft|h|hr|hrs|lb|lbs|m|min|kg|d)$/u.test(name)) {
      const second = numbers.read(text, after + smaller[0].length);
      const rest = second && matchAt(unit, text, second.end);
      if (second && rest && name === 'h' && rest[1] === 'm')
        return {
          end: second.end + rest[0].length,
          spoken: `${spoken} ${sayCount(speech, second, 'f')} ${nounFor(speech.units.min!, isOne(second))}`,
        };
      if (second && rest && /^(?:in|oz|min|mins|s|sec|secs|cm|g|h|hr|hrs)$/u.test(rest[1]!)) {
        const until = second.end + rest[0].length;
        spoken += ` ${sayCount(speech, second, genderOf(speech.units[rest[1]!]!))} ${unitWords(rest, second, false)}`;
        const ends = /^\.\s+[\p{Ll}\d]/u.test(text.slice(until, until + 4)) ? 1 : 0;
        return { end: until + ends, spoken };
      }
    }
    return { end: after + stop, spoken };
  }

  return measured;
}

export const createMeasureRule =
  ({ speech, numbers }: Numerals, measured: Measured): Rule =>
  (place) => {
    const read = numbers.read(place.text, place.at);
    if (!read) return undefined;
    return measured(place, read, (gender) => sayCount(speech, read, gender));
  };

/** `2 x 4 m`. */
export function createDimensionsRule({ speech, numbers }: Numerals, measured: Measured): Rule {
  const { words } = speech;
  return (place) => {
    const { text, at } = place;
    const parts: NumberRead[] = [];
    let end = at;
    const signs = /\s?[x×✕]\s?(?=\d)/uy;
    for (;;) {
      const read = numbers.read(text, end);
      if (!read) return undefined;
      parts.push(read);
      end = read.end;
      const sign = parts.length < 4 ? matchAt(signs, text, end) : null;
      if (!sign) break;
      end += sign[0].length;
    }
    // `3×10^8` is a sum with a power.
    if (parts.length < 2 || /^[\^⁰¹²³⁴-⁹⁻⁺]/u.test(text.slice(end, end + 1))) return undefined;
    const last = parts.at(-1)!;
    const word = place.math ? words.times : words.by;
    const rest = measured(place, last, (gender) => sayCount(speech, last, gender));
    const head = parts
      .slice(0, -1)
      .map((read) => sayNumber(speech, read))
      .join(` ${word} `);
    return { end: rest?.end ?? end, spoken: `${head} ${word} ${rest?.spoken ?? sayNumber(speech, last)}` };
  };
}

const compass: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  en: { N: 'north', S: 'south', E: 'east', W: 'west' },
  de: { N: 'Nord', S: 'Süd', E: 'Ost', O: 'Ost', W: 'West' },
  fr: { N: 'nord', S: 'sud', E: 'est', O: 'ouest', W: 'ouest' },
  es: { N: 'norte', S: 'sur', E: 'este', O: 'oeste', W: 'oeste' },
};

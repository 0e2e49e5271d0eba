import {
  createNumberReader,
  isOne,
  type NumberRead,
  sayCount,
  sayDigits,
  sayNumber,
  sayWhole,
} from './number.ts';
import { matchAt, type Place, type Rule, type Said, wordAfter } from './rule.ts';
import { type Currency, genderOf, type Noun, nounFor, type Speech } from './speech.ts';

const escaped = (text: string) => text.replace(/[$.*+?^()[\]{}|\\]/gu, '\\$&');
const alternatives = (keys: Iterable<string>) =>
  [...keys]
    .sort((a, b) => b.length - a.length)
    .map(escaped)
    .join('|');

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
const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹';
const space = '[ \\u00a0\\u2009\\u202f]';

export function createQuantityRules(speech: Speech): Rule[] {
  const numbers = createNumberReader(speech);
  const { words } = speech;
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
    `(?:${space}|-)?(${unitNames})(?!\\.\\p{L})([²³]|\\^?[23](?![\\d\\p{L}.,]))?(?:\\s?(?:/|·)\\s?(${unitNames})([²³]|\\^[23])?)?(?![\\p{L}\\d]|['’](?!\\p{L}))`,
    'uy',
  );
  const degrees = new RegExp(
    `${space}?(?:°${space}?([CFKRcf](?!\\p{L}))?|º${space}?([CF](?!\\p{L}))|(℃)|(℉))`,
    'uy',
  );
  const rangeSign = new RegExp(`${space}?[–—]${space}?|-|${space}?(?:\\.\\.\\.|…)${space}?(?=\\d)`, 'uy');

  const one = (read: NumberRead) =>
    isOne(read) ||
    (speech.language === 'fr' && read.whole === '0') ||
    (speech.language === 'fr' && /^0*1$/u.test(read.whole));

  function moneyWords(
    read: NumberRead,
    currency: Currency,
    scaled: string | undefined,
    singular: boolean,
  ): string {
    const { main, sub } = currency;
    if (scaled !== undefined) {
      const de =
        speech.language === 'fr' || speech.language === 'es'
          ? /^mil/u.test(scaled) && scaled !== 'mil' && scaled !== 'mille'
            ? speech.language === 'fr' && /^[aeiou]/u.test(main[1])
              ? "d'"
              : 'de '
            : ''
          : '';
      return `${sayCount(speech, read, 'm')} ${scaled} ${de}${main[1]}`;
    }
    const cents = read.decimals;
    const whole = { ...read, decimals: undefined };
    if (cents === undefined || /^0+$/u.test(cents)) {
      const noun = nounFor(main, one(whole) || singular);
      const round =
        /^[1-9]\d*0{6}$/u.test(read.whole) && speech.language !== 'en' && speech.language !== 'de';
      return `${sayCount(speech, whole, genderOf(main))} ${round ? (speech.language === 'fr' && /^[aeiou]/u.test(noun) ? "d'" : 'de ') : ''}${noun}`;
    }
    if (cents.length > 2 || sub === undefined) return `${sayNumber(speech, read)} ${main[1]}`;
    const n = BigInt(cents.padEnd(2, '0'));
    const small = `${speech.count(n, genderOf(sub))} ${nounFor(sub, n === 1n)}`;
    if (/^0+$/u.test(read.whole)) return small;
    const big = `${sayCount(speech, whole, genderOf(main))} ${nounFor(main, one(whole))}`;
    if (speech.language === 'de') return `${big} ${speech.cardinal(n)}`;
    return `${big} ${words.and} ${small}`;
  }

  const money: Rule = (place) => {
    const { text, at, lead } = place;
    const sign = matchAt(/[-−–+]/uy, text, at);
    const from = sign ? at + 1 : at;
    const before = matchAt(prefix, text, from);
    let start = before ? from + before[0].length : from;
    const inner = before && !sign ? matchAt(/[-−]/uy, text, start) : null;
    if (inner) start++;
    const read = numbers.read(text, start);
    if (!read) return undefined;
    let end = read.end;
    let scaled: string | undefined;
    const scaleName = matchAt(scale, text, end);
    let currency = before ? speech.currencies[before[1] ?? before[2]!] : undefined;
    if (scaleName) {
      const after = end + scaleName[0].length;
      if (currency || matchAt(suffix, text, after)) {
        // `$5 m` is money, `5 t €` is not.
        const name = scaleName[1]!;
        const pair = speech.scales[name]!;
        scaled = isOne(read) ? pair[0] : pair[1];
        end = after;
      }
    }
    let low: string | undefined;
    let high = read;
    // `€1,50` and `1.50 €` in a language that writes it otherwise.
    const foreign =
      read.decimals === undefined && !read.grouped && scaled === undefined
        ? matchAt(/[.,](\d\d)(?!\d|[.,]\d)/uy, text, read.end)
        : null;
    if (foreign && (currency || matchAt(suffix, text, read.end + 3))) {
      high = { ...read, decimals: foreign[1], end: read.end + 3 };
      end = high.end;
    }
    if (currency) {
      const range = matchAt(rangeSign, text, end);
      const again = range ? matchAt(prefix, text, end + range[0].length) : null;
      const second = range ? numbers.read(text, end + range[0].length + (again?.[0].length ?? 0)) : undefined;
      if (range && second && !/^[-–]\d/u.test(text.slice(second.end, second.end + 2))) {
        low =
          again || scaled !== undefined ? moneyWords(read, currency, scaled, false) : sayNumber(speech, read);
        high = second;
        end = second.end;
        const scale2 = matchAt(scale, text, end);
        scaled = undefined;
        if (scale2) {
          scaled = speech.scales[scale2[1]!]![1];
          end += scale2[0].length;
        }
      }
    } else {
      const after = matchAt(suffix, text, end);
      if (!after) return undefined;
      currency = speech.currencies[after[1] ?? after[2]!];
      end += after[0].length;
    }
    if (!currency) return undefined;
    // `a $5 bill`, `a 20-dollar note`: the noun counts nothing.
    const attributive =
      speech.language === 'en' &&
      /^(?:a|an|each|every|another|per)$/u.test(lead) &&
      (high.decimals === undefined || scaled !== undefined) &&
      /^[\s-]\p{Ll}/u.test(text.slice(end, end + 2)) &&
      !/^(?:and|or|is|was|in|for|to|on|from|a|per|at|of|today|each|with|but|more|less|off)$/u.test(
        wordAfter(text, end),
      );
    const said = moneyWords(high, currency, scaled, attributive);
    const spoken =
      scaled !== undefined && attributive ? said.replace(currency.main[1], currency.main[0]) : said;
    const signWord = sign || inner ? `${/\+/u.test(sign?.[0] ?? '') ? words.plus : words.minus} ` : '';
    return { end, spoken: signWord + (low === undefined ? spoken : `${low} ${words.to} ${spoken}`) };
  };

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

  /** What may follow a number: a sign, a unit. Says the whole of it. */
  function measured(
    place: Place,
    read: NumberRead,
    said: (gender: 'm' | 'f' | 'n') => string,
  ): Said | undefined {
    const { text, lead } = place;
    const { end } = read;
    const percent = matchAt(new RegExp(`${space}?([%‰])`, 'uy'), text, end);
    if (percent)
      return {
        end: end + percent[0].length,
        spoken: `${said('n')} ${percent[1] === '%' ? words.percent : words.perMille}`,
      };
    const degree = matchAt(degrees, text, end);
    if (degree) {
      const name = degree[1]?.toUpperCase() ?? degree[2] ?? (degree[3] ? 'C' : degree[4] ? 'F' : '');
      const full = { C: ' Celsius', F: ' Fahrenheit', K: ' Kelvin', R: ' Rankine', '': '' }[name] ?? '';
      let until = end + degree[0].length;
      let spoken = `${said('m')} ${one(read) ? words.degree : words.degrees}${full}`;
      const arc = matchAt(
        /\s?(\d{1,2})[′'’](?:\s?(\d{1,2}(?:[.,]\d+)?)[″"”])?(?:\s?([NSEW])(?!\p{L}))?/uy,
        text,
        until,
      );
      if (full === '' && arc) {
        spoken += ` ${speech.cardinal(BigInt(arc[1]!))} ${words.minutesOfArc}`;
        if (arc[2])
          spoken += ` ${sayNumber(speech, numbers.read(arc[2], 0) ?? { whole: '0', decimals: undefined })} ${words.secondsOfArc}`;
        if (arc[3]) spoken += ` ${compass[arc[3]]}`;
        until += arc[0].length;
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
    const stop = text[after] === '.' && /^\.\s+[\p{Ll}\d]/u.test(text.slice(after, after + 4)) ? 1 : 0;
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

  const dimensions: Rule = (place) => {
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
    if (parts.length < 2) return undefined;
    const last = parts.at(-1)!;
    const word = place.math ? words.times : words.by;
    const rest = measured(place, last, (gender) => sayCount(speech, last, gender));
    const head = parts
      .slice(0, -1)
      .map((read) => sayNumber(speech, read))
      .join(` ${word} `);
    return { end: rest?.end ?? end, spoken: `${head} ${word} ${rest?.spoken ?? sayNumber(speech, last)}` };
  };

  const fraction: Rule = (place) => {
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
      else if (numerator === 9n && denominator === 11n && speech.language === 'en') said = 'nine eleven';
      else if (numerator + denominator === 100n && numerator % 5n === 0n && numerator !== denominator)
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

  const ordinal: Rule = ({ text, at, lead }) => {
    if (!speech.ordinalMark) return undefined;
    const digits = matchAt(new RegExp(`\\d{1,3}(?:[${speech.group}]\\d{3}){1,4}|\\d{1,15}`, 'uy'), text, at);
    if (!digits) return undefined;
    const end = at + digits[0].length;
    const mark = matchAt(speech.ordinalMark, text, end);
    if (!mark) return undefined;
    return {
      end: end + mark[0].length,
      spoken: speech.ordinal(BigInt(digits[0].replace(/\D/gu, '')), markedLead(speech, mark[0], lead)),
    };
  };

  const decade: Rule = ({ text, at, lead }) => {
    const found = matchAt(/(?:['’](\d\d)|(\d{3}0)|(\d0))(?:['’]?s|er|ern)(?![\p{L}\d])/uy, text, at);
    if (!found) return undefined;
    if (speech.language === 'en' ? /er/u.test(found[0]) : speech.language !== 'de' || /s$/u.test(found[0]))
      return undefined;
    const [all, short, long, bare] = found;
    if (
      bare !== undefined &&
      speech.language === 'en' &&
      !/^(?:the|in|mid|early|late|his|her|their|my|your|our|roaring|swinging|during|of)$/u.test(lead) &&
      !/^(?:music|movies?|films?|fashion|pop|rock|style|bands?|hits?|songs?|kids?|nostalgia|tv|hair|party|disco|show|shows|era|icon)$/u.test(
        wordAfter(text, at + all.length),
      ) &&
      !/^[A-Z]/u.test(text.slice(at + all.length + 1, at + all.length + 2))
    )
      return undefined;
    const said = speech.decade(Number(short ?? long ?? bare), long === undefined);
    return said === undefined
      ? undefined
      : { end: at + all.length, spoken: /ern$/u.test(all) ? `${said}n` : said };
  };

  /** `Matt. 5:3–12`. */
  const verse: Rule = ({ text, at, lead }) => {
    if (speech.language !== 'en' || !bibleBooks.test(lead)) return undefined;
    const found = matchAt(
      /(\d{1,3}):(\d{1,3})(?:\s?[-–]\s?(\d{1,3}))?(?![\d\p{L}:]|\s?[ap]\.?m)/uy,
      text,
      at,
    );
    if (!found) return undefined;
    const [all, chapter, first, last] = found;
    const said = `${speech.cardinal(BigInt(chapter!))} ${speech.cardinal(BigInt(first!))}`;
    return {
      end: at + all.length,
      spoken: last === undefined ? said : `${said} ${words.to} ${speech.cardinal(BigInt(last))}`,
    };
  };

  /** `0600 hours`. */
  const military: Rule = ({ text, at }) => {
    const found =
      speech.language === 'en'
        ? matchAt(/([01]\d|2[0-4])([0-5]\d)(?=\s(?:hours|hrs)(?!\p{L}))/uy, text, at)
        : null;
    if (!found) return undefined;
    const two = (digits: string) =>
      digits.startsWith('0') ? `oh ${speech.cardinal(BigInt(digits))}` : speech.cardinal(BigInt(digits));
    return {
      end: at + 4,
      spoken: found[2] === '00' ? `${two(found[1]!)} hundred` : `${two(found[1]!)} ${two(found[2]!)}`,
    };
  };

  /** `Boeing 747s`. */
  const plural: Rule = ({ text, at, leadRaw }) => {
    const niners = speech.language === 'en' ? matchAt(/(\d{2})ers(?!\p{L})/uy, text, at) : null;
    if (niners) {
      const said = speech.cardinal(BigInt(niners[1]!));
      return { end: at + niners[0].length, spoken: `${said}${said.endsWith('e') ? 'rs' : 'ers'}` };
    }
    const found = /^\p{Lu}/u.test(leadRaw) ? matchAt(/(\d{2,4})s(?![\p{L}\d])/uy, text, at) : null;
    return found && speech.language === 'en'
      ? { end: at + found[0].length, spoken: `${speech.cardinal(BigInt(found[1]!))}s` }
      : undefined;
  };

  /** `ZIP 90210`, a card's number. */
  const code: Rule = ({ text, at, lead, leadRaw }) => {
    const card = matchAt(/\d{4}(?:[ -]\d{4}){2,4}(?!\d)/uy, text, at);
    if (card)
      return {
        end: at + card[0].length,
        spoken: card[0]
          .split(/[ -]/u)
          .map((part) => sayDigits(speech, part))
          .join(', '),
      };
    const zip = matchAt(/\d{5}(?:-\d{4})?(?![\d\p{L}]|[.,]\d)/uy, text, at);
    const known =
      /^(?:zip|zipcode|postcode|plz)$/u.test(lead) ||
      /\bzip(?:\s?code)?(?:\sis)?[:\s]+$/iu.test(text.slice(Math.max(0, at - 16), at)) ||
      (/^\p{Lu}{2}$/u.test(leadRaw) && /,\s\p{Lu}{2}\s$/u.test(text.slice(Math.max(0, at - 5), at)));
    return zip && known
      ? {
          end: at + zip[0].length,
          spoken: zip[0]
            .split('-')
            .map((part) => sayDigits(speech, part))
            .join(', '),
        }
      : undefined;
  };

  /** `3.0e8`. */
  const scientific: Rule = ({ text, at }) => {
    const found = matchAt(/\d{1,20}(?:[.,]\d{1,20})?[eE]([+-]?)(\d{1,4})(?![\d\p{L}])/uy, text, at);
    const read = found && numbers.read(text, at);
    if (!found || !read) return undefined;
    const tens = `${speech.cardinal(10n)} ${words.toThePower} ${found[1] === '-' ? `${words.minus} ` : ''}${speech.cardinal(BigInt(found[2]!))}`;
    return { end: at + found[0].length, spoken: `${sayNumber(speech, read)} ${words.times} ${tens}` };
  };

  /** `'68`. */
  const shortYear: Rule = ({ text, at }) => {
    const found = matchAt(/['’](\d\d)(?![\d\p{L}])/uy, text, at);
    return found ? { end: at + 3, spoken: sayShortYear(speech, found[1]!) } : undefined;
  };

  const version: Rule = ({ text, at, lead }) => {
    const named = matchAt(/[vV](?:er(?:sion)?\.?\s?)?(?=\d)/uy, text, at);
    const from = named ? at + named[0].length : at;
    const dots = matchAt(
      /\d{1,6}(?:\.\d{1,8}){2,8}(?:-?(?:alpha|beta|rc|dev|pre|canary|next)[.-]?\d{0,5})?(?![\d\p{L}])/uy,
      text,
      from,
    );
    const software =
      /^(?:version|versions|release|python|node|ios|android|windows|macos|chrome|firefox|java|php|ruby|linux|kernel|ubuntu|debian|redis|postgres|postgresql|mysql|django|rails|react|angular|vue|typescript|go|rust|kubernetes|docker|bluetooth|usb|http|tls|html|css|opengl|directx|vulkan|build|v|update|patch|swift|kotlin|gradle|nats)$/u;
    if (!dots) {
      const two =
        named || software.test(lead) ? matchAt(/(\d{1,4})\.(\d{1,4})(?![\d\p{L}]|\.\d)/uy, text, from) : null;
      const single =
        named && !two ? matchAt(/\d{1,4}(?![\d\p{L}.])|\d{1,4}(?=\.(?:\s|$))/uy, text, from) : null;
      const said = two ? [two[1]!, two[2]!] : single ? [single[0]] : undefined;
      if (!said) return undefined;
      const spoken = said
        .map((part) => sayWhole(speech, part))
        .join(` ${words.dot === 'dot' ? 'point' : speech.point} `);
      return {
        end: from + (two ?? single)![0].length,
        spoken: named ? `${words.version} ${spoken}` : spoken,
      };
    }
    const [digits, tag] = /^([\d.]+?)(?:-?([a-z]+)[.-]?(\d*))?$/u.exec(dots[0])?.slice(1) ?? [
      dots[0],
      undefined,
    ];
    const parts = digits!.split('.');
    const thousands =
      parts[0]!.length < 4 &&
      parts.slice(1).every((part) => part.length === 3) &&
      (speech.group.includes('.') || parts.length === 3);
    if (thousands && !named && speech.group.includes('.')) return undefined;
    if (thousands && !named && !software.test(lead))
      return { end: from + dots[0].length, spoken: sayWhole(speech, parts.join('')) };
    const address =
      parts.length === 4 && !named && !software.test(lead) && parts.every((part) => Number(part) < 256);
    const spoken = address
      ? parts.map((part) => sayDigits(speech, part)).join(` ${words.dot} `)
      : parts.map((part) => sayWhole(speech, part)).join(` ${speech.point} `);
    const suffixTag =
      tag === undefined
        ? ''
        : ` ${tag === 'rc' ? 'R C' : tag}${/\d+$/u.exec(dots[0].slice(digits!.length))?.[0] === undefined ? '' : ` ${sayWhole(speech, /\d+$/u.exec(dots[0])![0])}`}`;
    return { end: from + dots[0].length, spoken: `${named ? `${words.version} ` : ''}${spoken}${suffixTag}` };
  };

  const ratio: Rule = ({ text, at }) => {
    const found = matchAt(/(\d{1,6}):(\d{1,6})(?::(\d{1,6}))?(?![\d\p{L}:])/uy, text, at);
    if (!found) return undefined;
    const parts = found.slice(1).filter((part) => part !== undefined);
    return {
      end: at + found[0].length,
      spoken: parts.map((part) => sayWhole(speech, part)).join(` ${words.ratio} `),
    };
  };

  const power: Rule = ({ text, at }) => {
    const read = numbers.read(text, at);
    if (!read) return undefined;
    const up = matchAt(/([⁺⁻]?)([⁰¹²³⁴⁵⁶⁷⁸⁹]{1,6})|\^([-−+]?)(\d{1,6})/uy, text, read.end);
    if (!up) return undefined;
    const raised =
      up[2] === undefined ? up[4]! : [...up[2]].map((char) => superscripts.indexOf(char)).join('');
    const negative = /[⁻−-]/u.test(up[1] ?? up[3] ?? '');
    return {
      end: read.end + up[0].length,
      spoken: `${sayNumber(speech, read)} ${sayPower(speech, raised, negative)}`,
    };
  };

  const year: Rule = ({ text, at, lead, leadRaw }) => {
    const found = matchAt(/(\d{4})(?![\d\p{L}]|[.,:]\d|[/-]\d)/uy, text, at);
    if (!found || !isYear(found[1]!)) return undefined;
    const n = Number(found[1]);
    const after = wordAfter(text, at + 4);
    const counts =
      /^\p{Ll}+s$/u.test(after) &&
      !/^(?:was|is|has|as|this|its|his|us|vs|does|it's|that's|mass|des|les|dans|plus|mais|las|los|sus|es|als|bis|das|aus|was|des|uns)$/u.test(
        after,
      );
    const measured =
      matchAt(unit, text, at + 4) &&
      !/^(?:in|a|d|h|m|s|as|us|min|bar)$/u.test(matchAt(unit, text, at + 4)![1]!);
    const era = /^(?:AD|BC|BCE|CE|A|B)$/u.test(after);
    if (era) return { end: at + 4, spoken: speech.year(n) };
    if (counts || measured || matchAt(/\s?[%°€$£]/uy, text, at + 4)) return undefined;
    if (
      /^(?:about|around|some|only|over|nearly|almost|than|least|most|number|total|of)$/u.test(lead) &&
      !(/^(?:of|about|around)$/u.test(lead) && n >= 1700 && n < 2100 && after === '')
    ) {
      if (!speech.yearLeads.has(lead) || /^\p{Ll}/u.test(after)) return undefined;
    }
    if (
      /^(?:route|highway|room|bus|flight|page|line|gate|suite|apartment|apt|zip|code|box|model)$/u.test(lead)
    )
      return undefined;
    const strong =
      speech.yearLeads.has(lead) ||
      /^\p{Lu}\p{Ll}+$/u.test(leadRaw) ||
      /[(–—-]/u.test(text.slice(Math.max(0, at - 1), at)) ||
      lead === '';
    if (n >= 1800 && n < 2100) return { end: at + 4, spoken: speech.year(n) };
    return strong &&
      !/^\p{Ll}{3,}$/u.test(
        after.replace(
          /^(?:and|when|until|after|before|with|the|but|the|that|which|who|bis|und|als|et|y|por|para|on|over|did)$/u,
          '',
        ),
      )
      ? { end: at + 4, spoken: speech.year(n) }
      : undefined;
  };

  const measure: Rule = (place) => {
    const read = numbers.read(place.text, place.at);
    if (!read) return undefined;
    return measured(place, read, (gender) => sayCount(speech, read, gender));
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

/** A number before the noun it counts: its gender, and the `de` behind a million. */
function counted(speech: Speech, read: NumberRead, noun: string, apart: boolean): string {
  const said = sayNumber(speech, read);
  if (
    speech.language === 'en' ||
    !apart ||
    noun.length < 3 ||
    read.decimals !== undefined ||
    read.whole.length > 18
  )
    return said;
  const n = BigInt(read.whole);
  if (speech.language === 'de') {
    if (n !== 1n || !/^\p{Lu}\p{Ll}/u.test(noun)) return said;
    return speech.count(
      n,
      /(?:ung|heit|keit|schaft|tion|tät|ik|ur|e|ei|frau|person|stadt|hand|nacht|woche|mark)$/iu.test(noun) &&
        !/(?:name|junge|kunde|ende|auge|käse|gebäude|interesse)$/iu.test(noun)
        ? 'f'
        : 'm',
    );
  }
  if (!/^\p{Ll}/u.test(noun)) return said;
  const million = n >= 1_000_000n && n % 1_000_000n === 0n && !/^(?:de|d|et|y|à|a|en|ou|o)$/u.test(noun);
  if (million) return `${said} ${speech.language === 'fr' && /^[aeiouéèêhâîôû]/u.test(noun) ? "d'" : 'de'}`;
  if (n !== 1n && !/s$/u.test(noun)) return said;
  if (speech.language === 'es') {
    if (
      /^(?:las|los|des|tras|tres|seis|más|dos|menos|antes|después|es|sus|mis|unos|unas|veces)$/u.test(noun) &&
      noun !== 'veces'
    )
      return said;
    const feminine =
      /(?:as?|ción|ciones|sión|siones|dad|dades|tud|tudes|veces|vez|noches?|clases?|partes?|calles?|llaves?|mujer|mujeres)$/u.test(
        noun,
      ) &&
      !/^(?:días?|problemas?|mapas?|temas?|sistemas?|programas?|climas?|idiomas?|planetas?|poemas?|para)$/u.test(
        noun,
      );
    return speech.count(n, feminine ? 'f' : 'm');
  }
  const feminine =
    /(?:tions?|sions?|tés?|ées?|ures?|ettes?|elles?|ances?|ences?|ies?|aisons?|fois|heures?|minutes?|secondes?|semaines?|tonnes?|livres?|femmes?|filles?|choses?|villes?|chambres?|pages?|lignes?|personnes?|places?|tables?|voitures?|routes?|nuits?|mains?|parts?|îles?)$/u.test(
      noun,
    ) && !/^(?:étés?|côtés?|génies?|incendies?)$/u.test(noun);
  return speech.count(n, feminine ? 'f' : 'm');
}

const bibleBooks =
  /^(?:gen|genesis|ex|exodus|lev|leviticus|num|numbers|deut|deuteronomy|josh|joshua|judges|ruth|sam|samuel|kings|chr|chronicles|ezra|neh|nehemiah|esther|job|ps|psalm|psalms|prov|proverbs|eccl|ecclesiastes|isa|isaiah|jer|jeremiah|ezek|ezekiel|dan|daniel|hos|hosea|joel|amos|jonah|mic|micah|matt|matthew|mark|luke|john|acts|rom|romans|cor|corinthians|gal|galatians|eph|ephesians|phil|philippians|col|colossians|thess|thessalonians|tim|timothy|titus|heb|hebrews|james|pet|peter|jude|rev|revelation)$/u;

const compass: Readonly<Record<string, string>> = { N: 'north', S: 'south', E: 'east', W: 'west' };

const isYear = (digits: string): boolean =>
  digits.length === 4 && Number(digits) >= 1000 && Number(digits) < 2200;

function sayShortYear(speech: Speech, digits: string): string {
  if (speech.language === 'en' && digits.startsWith('0'))
    return digits === '00' ? 'oh oh' : `oh ${speech.cardinal(BigInt(digits))}`;
  return speech.cardinal(BigInt(digits));
}

export function sayPower(speech: Speech, digits: string, negative: boolean): string {
  const { words } = speech;
  if (!negative && digits === '2') return words.squared;
  if (!negative && digits === '3') return words.cubed;
  return `${words.toThePower} ${negative ? `${words.minus} ` : ''}${speech.cardinal(BigInt(digits))}`;
}

/** `2 1/2`: `two and a half`. */
function halfOf(speech: Speech, said: string, numerator: bigint, denominator: bigint): string {
  if (numerator === 1n && denominator === 2n && speech.language !== 'en')
    return speech.language === 'fr' ? 'demi' : speech.language === 'es' ? 'medio' : said;
  if (speech.language !== 'en' || numerator !== 1n) return said;
  const noun = said.replace(/^one /u, '');
  return `${/^(?:eighth|eleventh|eighteenth|eightieth)/u.test(noun) ? 'an' : 'a'} ${noun}`;
}

/** The mark of a written ordinal may tell its gender. */
const markedLead = (speech: Speech, mark: string, lead: string): string =>
  speech.language === 'es' || speech.language === 'fr' ? mark : lead;

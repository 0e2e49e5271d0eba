import { toCardinal as britishCardinal, toOrdinal as britishOrdinal } from 'n2words/en-GB';
import { toCardinal, toOrdinal } from 'n2words/en-US';
import { words } from '../languages/language.ts';
import { englishAbbreviations } from './english-abbreviations.ts';
import { englishCurrencies, englishScales, englishUnits } from './english-units.ts';
import { englishCapsWords } from './english-words.ts';
import type { Speech } from './speech.ts';

const monthNames =
  'January February March April May June July August September October November December'.split(' ');
const dayNames = 'Monday Tuesday Wednesday Thursday Friday Saturday Sunday'.split(' ');

const fractionNouns: Readonly<Record<string, readonly [string, string]>> = {
  2: ['half', 'halves'],
  4: ['quarter', 'quarters'],
};

/** English, American unless the region says otherwise: day order, `and` in numbers. */
export function english(region: string | undefined): Speech {
  const american = region === undefined || region === 'US' || region === 'PH';
  const cardinal = (n: bigint) => (american || region === 'CA' ? toCardinal(n) : britishCardinal(n));
  const ordinal = (n: bigint) =>
    n === 0n ? 'zeroth' : american || region === 'CA' ? toOrdinal(n) : britishOrdinal(n);
  const two = (n: number): string => (n < 10 ? `oh ${cardinal(BigInt(n))}` : cardinal(BigInt(n)));

  function year(n: number): string {
    const high = Math.floor(n / 100);
    const low = n % 100;
    if (n < 1000 || n > 9999 || (high % 10 === 0 && low < 10)) return cardinal(BigInt(n));
    if (low === 0) return `${cardinal(BigInt(high))} hundred`;
    return `${cardinal(BigInt(high))} ${two(low)}`;
  }

  return {
    language: 'en',
    group: ',',
    decimal: '.',
    dayFirst: !american,
    cardinal,
    count: cardinal,
    ordinal,
    ordinalMark: /(?:st|nd|rd|th)(?![\p{L}\p{N}])/iuy,
    year,
    decimals: (digits) => [...digits].map((digit) => cardinal(BigInt(digit))).join(' '),
    point: 'point',
    fraction(numerator, denominator) {
      if (denominator < 2n) return undefined;
      const one = numerator === 1n;
      const known = fractionNouns[String(denominator)];
      const noun = known ? known[one ? 0 : 1] : `${ordinal(denominator)}${one ? '' : 's'}`;
      return `${cardinal(numerator)} ${noun}`;
    },
    wholeAnd: 'and',
    decade(n, short) {
      const low = n % 100;
      const tens: Readonly<Record<number, string>> = {
        10: 'tens',
        20: 'twenties',
        30: 'thirties',
        40: 'forties',
        50: 'fifties',
        60: 'sixties',
        70: 'seventies',
        80: 'eighties',
        90: 'nineties',
      };
      if (low !== 0 && tens[low] === undefined) return undefined;
      if (short) return tens[low];
      const high = Math.floor(n / 100);
      if (low === 0)
        return high % 10 === 0 ? `${cardinal(BigInt(n))}s` : `${cardinal(BigInt(high))} hundreds`;
      return `${cardinal(BigInt(high))} ${tens[low]}`;
    },
    months: new Map([
      ...monthNames.map((name, n) => [name.toLowerCase(), n + 1] as const),
      ...monthNames.map((name, n) => [name.slice(0, 3).toLowerCase(), n + 1] as const),
      ['sept', 9] as const,
    ]),
    weekdays: new Map([
      ...dayNames.map((name) => [name.toLowerCase(), name] as const),
      ...dayNames.map((name) => [name.slice(0, 3).toLowerCase(), name] as const),
      ['tues', 'Tuesday'] as const,
      ['thur', 'Thursday'] as const,
      ['thurs', 'Thursday'] as const,
    ]),
    date({ day, month, year: n, weekday, lead, dayFirst }) {
      const name = monthNames[month - 1]!;
      const said = dayFirst
        ? `${lead === 'the' ? '' : 'the '}${ordinal(BigInt(day))} of ${name}`
        : `${name} ${ordinal(BigInt(day))}`;
      const full = n === undefined ? said : `${said}, ${year(n)}`;
      return weekday === undefined ? full : `${weekday}, ${full}`;
    },
    time({ hours, minutes, seconds, meridiem }) {
      const half = meridiem === undefined ? '' : ` ${/^a/iu.test(meridiem) ? 'A M' : 'P M'}`;
      const hour = cardinal(BigInt(hours));
      const tail =
        seconds === undefined ? '' : ` and ${cardinal(BigInt(seconds))} second${seconds === 1 ? '' : 's'}`;
      if (minutes === 0 && seconds === undefined) {
        if (half !== '') return `${hour}${half}`;
        if (hours === 0) return 'midnight';
        return hours <= 12 ? `${hour} o'clock` : `${hour} hundred`;
      }
      return `${hour} ${minutes === 0 ? "o'clock" : two(minutes)}${tail}${half}`;
    },
    words: {
      minus: 'minus',
      plus: 'plus',
      plusMinus: 'plus or minus',
      times: 'times',
      by: 'by',
      dividedBy: 'divided by',
      equals: 'equals',
      notEqual: 'does not equal',
      about: 'about',
      less: 'less than',
      greater: 'greater than',
      lessEqual: 'less than or equal to',
      greaterEqual: 'greater than or equal to',
      to: 'to',
      ratio: 'to',
      and: 'and',
      or: 'or',
      over: 'over',
      percent: 'percent',
      perMille: 'per mille',
      degrees: 'degrees',
      degree: 'degree',
      squared: 'squared',
      cubed: 'cubed',
      toThePower: 'to the power of',
      root: 'the square root of',
      infinity: 'infinity',
      dot: 'dot',
      at: 'at',
      slash: 'slash',
      dash: 'dash',
      underscore: 'underscore',
      colon: 'colon',
      question: 'question mark',
      number: 'number',
      numbers: 'numbers',
      hash: 'hash',
      section: 'section',
      sections: 'sections',
      paragraph: 'paragraph',
      copyright: 'copyright',
      registered: 'registered',
      trademark: 'trademark',
      backslash: 'backslash',
      version: 'version',
      outOf: 'out of',
      sum: 'the sum of',
      pi: 'pi',
      feet: 'feet',
      foot: 'foot',
      inches: 'inches',
      inch: 'inch',
      minutesOfArc: 'minutes',
      secondsOfArc: 'seconds',
      arrow: 'to',
      elementOf: 'in',
      sharp: 'sharp',
    },
    scales: englishScales,
    units: englishUnits,
    per: 'per',
    currencies: englishCurrencies,
    abbreviations: englishAbbreviations,
    romanLeads: words(`
      chapter chapters part parts book books volume volumes vol section sections act acts scene scenes appendix article
      articles phase level stage type class title war bowl canto stanza psalm verse lesson unit table figure fig grade
      rank mark step item series episode season round region district zone tier group category schedule annex exhibit
      rocky fantasy apollo saturn cranial nerve olympiad games corps division army factor amendment sonata symphony op
      no number page pages p pp chap ch sec lines line paragraph edition wars concerto quest rambo iphone wrestlemania
      minuteman trident titan gemini legion dynasty vatican model halo civilization witcher
    `),
    rulers: words(`
      henry elizabeth george edward charles james william richard louis philip pius john paul benedict leo clement
      gregory innocent urban alexander nicholas napoleon frederick wilhelm otto ferdinand francis joseph peter catherine
      ivan christian gustav gustavus carl albert leopold umberto victor emmanuel alfonso juan carlos felipe isabella
      ptolemy cleopatra ramses ramesses thutmose amenhotep seti darius xerxes artaxerxes cyrus antiochus seleucus
      boniface sixtus julius adrian celestine honorius stephen eugene martin callixtus mary anne margaret matilda robert
      david malcolm alexander haakon harald olaf magnus eric valdemar casimir sigismund stanislaw ladislaus bela mehmed
      selim suleiman murad bayezid ahmed mustafa abdul osman mohammed hassan abdullah hussein rama haile selassie pedro
      manuel afonso sancho henri francois françois philippe rudolf rudolph maximilian matthias theodosius constantine
      justinian basil tiberius heraclius michael rainier jean franz sverre canute cnut harold ethelred edmund hadrian
    `),
    romanRuler: (n) => `the ${ordinal(BigInt(n))}`,
    centuries: words('century centuries cent c'),
    yearLeads: words(`
      in since by from until till of year years before after during circa c ca around about late early mid spring summer
      autumn fall winter january february march april may june july august september october november december
      christmas easter class anno ad ce to and or between through throughout copyright dated founded established est
      born died b d olympics election vintage model the
    `),
    capsWords: englishCapsWords,
    emojiLocale: 'en',
  };
}

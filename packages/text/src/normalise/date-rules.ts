import { germanDays } from './german-words.ts';
import { matchAt, type Place, type Rule, type Said } from './rule.ts';
import type { Speech } from './speech.ts';

const daysIn = (month: number, year = 2024): number => new Date(Date.UTC(year, month, 0)).getUTCDate();
const isDate = (day: number, month: number): boolean =>
  month >= 1 && month <= 12 && day >= 1 && day <= daysIn(month);

const iso =
  /(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?(?![\d\p{L}-])/uy;
const numeric = /(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?![\d/]|[.-]\d)/uy;
const yearFirst = /(\d{4})([/.])(\d{1,2})\2(\d{1,2})(?![\d/]|\.\d)/uy;
const dayMonth = /(\d{1,2})\.\s?(\d{1,2})\.(?!\d)/uy;

export function createDateRules(speech: Speech): Rule[] {
  const names = [...speech.months.keys()].sort((a, b) => b.length - a.length).join('|');
  const days = [...speech.weekdays.keys()].sort((a, b) => b.length - a.length).join('|');
  const yearPart = '(?:(?:,\\s?|\\s|\\s(?:de|del)\\s)(\\d{4})(?![\\d\\p{L}]|[.,:]\\d|\\s?%))?';
  const ordinalPart =
    speech.language === 'en' ? '(?:st|nd|rd|th)?' : speech.language === 'fr' ? '(?:er)?' : '[ºo]?\\.?';
  const monthFirst = new RegExp(
    `(?:(${days})\\.?,?\\s)?(${names})\\.?\\s(\\d{1,2})${ordinalPart}(?![\\d\\p{L}]|[.,:/]\\d|\\s?%)(?!\\s(?:${names})(?!\\p{L}))${yearPart}`,
    'iuy',
  );
  const dayFirst = new RegExp(
    `(\\d{1,2})${ordinalPart}(?:\\s|\\sof\\s|\\sde\\s|\\s?(?=[A-ZÄÖÜ]))(${names})(?!\\p{L})\\.?${yearPart}`,
    'iuy',
  );
  const weekdayFirst = new RegExp(
    `(${days})(?:\\.,?|,)?\\s(?=(?:den\\s)?\\d{1,2}[.\\s]|(?:${names})(?!\\p{L}))`,
    'iuy',
  );
  const monthYear = new RegExp(`(${names})\\.?,?\\s(\\d{4})(?![\\d\\p{L}]|[.,:]\\d)`, 'iuy');
  const yearOnly = (year: string | undefined) => (year === undefined ? undefined : Number(year));

  const say = (
    place: Place,
    end: number,
    day: number,
    month: number,
    year: number | undefined,
    dayBefore: boolean,
    weekday?: string,
  ): Said | undefined =>
    isDate(day, month)
      ? { end, spoken: speech.date({ day, month, year, weekday, lead: leadOf(place), dayFirst: dayBefore }) }
      : undefined;

  const isoDate: Rule = (place) => {
    const found = matchAt(iso, place.text, place.at);
    if (!found) return undefined;
    const [all, year, month, day, hours, minutes, seconds, zone] = found;
    const date = say(place, place.at + all.length, Number(day), Number(month), Number(year), speech.dayFirst);
    if (!date || hours === undefined) return date;
    const time = speech.time({
      hours: Number(hours),
      minutes: Number(minutes),
      ...(seconds === undefined || seconds === '00' ? {} : { seconds: Number(seconds) }),
    });
    return { end: date.end, spoken: `${date.spoken}, ${time}${zone === 'Z' ? ' U T C' : ''}` };
  };

  const numericDate: Rule = (place) => {
    const first = matchAt(yearFirst, place.text, place.at);
    if (first)
      return say(
        place,
        place.at + first[0].length,
        Number(first[4]),
        Number(first[3]),
        Number(first[1]),
        speech.dayFirst,
      );
    const found = matchAt(numeric, place.text, place.at);
    if (!found) return undefined;
    const [all, a, sign, b, y] = found;
    // A dot parts days from months in languages that write the day first; two digits of a year need a slash.
    const firstIsDay = speech.dayFirst || sign === '.' || Number(b) > 12;
    if (y!.length === 2 && sign === '.' && speech.language === 'en') return undefined;
    if (y!.length === 2 && sign === '-') return undefined;
    const [day, month] = firstIsDay ? [Number(a), Number(b)] : [Number(b), Number(a)];
    const year = y!.length === 4 ? Number(y) : Number(y) + (Number(y) < 50 ? 2000 : 1900);
    const swapped = isDate(day, month) ? [day, month] : [month, day];
    return say(place, place.at + all.length, swapped[0]!, swapped[1]!, year, speech.dayFirst);
  };

  const dottedDay: Rule = (place) => {
    if (speech.language !== 'de') return undefined;
    const found = matchAt(dayMonth, place.text, place.at);
    return found
      ? say(place, place.at + found[0].length, Number(found[1]), Number(found[2]), undefined, true)
      : undefined;
  };

  const named: Rule = (place) => {
    const { text, at } = place;
    if (/\d/u.test(text[at]!)) {
      const found = matchAt(dayFirst, text, at);
      if (!found) return undefined;
      const name = found[2]!;
      if (speech.language === 'en' && /^\p{Ll}/u.test(name) && name.length < 5) return undefined;
      const end = at + found[0].length - (endsWithStop(found[0], text, at) ? 1 : 0);
      return say(
        place,
        end,
        Number(found[1]),
        speech.months.get(name.toLowerCase())!,
        yearOnly(found[3]),
        true,
      );
    }
    const weekday = matchAt(weekdayFirst, text, at);
    const from = weekday ? at + weekday[0].length : at;
    if (weekday && speech.language === 'en') {
      const rest = named({ ...place, at: from, lead: '' });
      if (rest)
        return { end: rest.end, spoken: `${speech.weekdays.get(weekday[1]!.toLowerCase())}, ${rest.spoken}` };
    }
    const found = matchAt(monthFirst, text, at);
    if (found) {
      const name = found[2]!;
      if (/^\p{Ll}/u.test(name) && (name.length < 6 || speech.language !== 'en')) return undefined;
      return say(
        place,
        at + found[0].length,
        Number(found[3]),
        speech.months.get(name.toLowerCase())!,
        yearOnly(found[4]),
        false,
        found[1] === undefined ? undefined : speech.weekdays.get(found[1].toLowerCase()),
      );
    }
    const month = matchAt(monthYear, text, at);
    if (!month || (/^\p{Ll}/u.test(month[1]!) && speech.language === 'en')) return undefined;
    const year = Number(month[2]);
    if (year < 1000 || year > 2199) return undefined;
    const spelled = monthName(speech, month[1]!);
    return { end: at + month[0].length, spoken: `${spelled} ${speech.year(year)}` };
  };

  /** `2020-01`. */
  const isoMonth: Rule = ({ text, at }) => {
    const found = matchAt(/((?:19|20)\d\d)-(0[1-9]|1[0-2])(?![\d\p{L}-]|[.,:/]\d)/uy, text, at);
    if (!found) return undefined;
    const name = [...speech.months].find(([, n]) => n === Number(found[2]))![0];
    return {
      end: at + found[0].length,
      spoken: `${monthName(speech, name[0]!.toUpperCase() + name.slice(1))} ${speech.year(Number(found[1]))}`,
    };
  };

  /** `Mon-Fri`, `Jan–Mar`, `Dec '99`. */
  const spans: Rule = ({ text, at }) => {
    const week =
      speech.language === 'de'
        ? matchAt(/(Mo|Di|Mi|Do|Fr|Sa|So)\.?\s?[-–]\s?(Mo|Di|Mi|Do|Fr|Sa|So)(?!\p{L})\.?/uy, text, at)
        : null;
    if (week)
      return {
        end: at + week[0].length,
        spoken: `${germanDays[week[1]!]} ${speech.words.to} ${germanDays[week[2]!]}`,
      };
    if (speech.language !== 'en') return undefined;
    const short = matchAt(/([A-Z][a-z]{2,3})\.?\s['’](\d\d)(?!\d)/uy, text, at);
    if (short && speech.months.has(short[1]!.toLowerCase()))
      return {
        end: at + short[0].length,
        spoken: `${monthName(speech, short[1]!)} ${short[2]!.startsWith('0') ? `oh ${speech.cardinal(BigInt(short[2]!))}` : speech.cardinal(BigInt(short[2]!))}`,
      };
    const found = matchAt(
      /([A-Z][a-z]{2,4})\.?\s?[-–—]\s?([A-Z][a-z]{2,4})(?![\p{L}])(?:\.(?=\s\d))?/uy,
      text,
      at,
    );
    if (!found) return undefined;
    const [a, b] = [found[1]!.toLowerCase(), found[2]!.toLowerCase()];
    const [days, months] = [
      speech.weekdays.has(a) && speech.weekdays.has(b),
      speech.months.has(a) && speech.months.has(b),
    ];
    if (days)
      return {
        end: at + found[0].length,
        spoken: `${speech.weekdays.get(a)} ${speech.words.to} ${speech.weekdays.get(b)}`,
      };
    return months
      ? {
          end: at + found[0].length,
          spoken: `${monthName(speech, found[1]!)} ${speech.words.to} ${monthName(speech, found[2]!)}`,
        }
      : undefined;
  };

  return [isoDate, isoMonth, numericDate, dottedDay, spans, named];
}

/** The word before; `* 3. Mai` is one. */
const leadOf = ({ text, at, lead }: Place): string => {
  if (lead !== '') return lead;
  const before = text.slice(Math.max(0, at - 4), at);
  return /[*†]\s?$/u.test(before) ? 'geb' : /\d\.\s?[-–]\s?$/u.test(before) ? 'bis' : lead;
};

/** The stop of `Jan.` that also ends the sentence is left to it. */
const endsWithStop = (found: string, text: string, at: number): boolean =>
  found.endsWith('.') && !/\S/u.test(text.slice(at + found.length, at + found.length + 8));

/** The full name of a month of which the short one may have been written. */
function monthName(speech: Speech, written: string): string {
  const month = speech.months.get(written.toLowerCase())!;
  for (const [name, n] of speech.months)
    if (n === month)
      return /^\p{Lu}/u.test(written) && speech.language !== 'fr' && speech.language !== 'es'
        ? name[0]!.toUpperCase() + name.slice(1)
        : name;
  return written;
}

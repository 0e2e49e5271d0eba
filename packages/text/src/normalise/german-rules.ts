import { germanDays } from './german-words.ts';
import { sayDigits } from './number.ts';
import { endsSentence, matchAt, type Place, type Rule } from './rule.ts';
import type { Gender, Speech } from './speech.ts';

const nounGenders: Readonly<Record<Gender, string>> = {
  n: 'Jh|Jhd|Kap|Kapitel|Buch|Jahrhundert|Semester|Lesejahr|Gebot|Schuljahr|Quartal|Halbjahr|Stück|Mal|Stockwerk|Jahr',
  m: 'FC|SC|SV|TSV|VfB|VfL|Bd|Teil|Akt|Aufzug|Auftritt|Band|Gesang|Satz|Abschnitt|Tag|Advent|Versuch|Platz|Rang|Preis|Weltkrieg|Stock|Bezirk|Spieltag|Brief',
  f: 'Szene|Aufl|Ausg|Auflage|Abteilung|Strophe|Liga|Bundesliga|Klasse|Woche|Runde|Halbzeit|Etage|Stunde|Minute|Lektion|Person|Folge|Staffel',
};
const genderOf = (noun: string): Gender | undefined =>
  (['n', 'm', 'f'] as const).find((gender) => nounGenders[gender].split('|').includes(noun));

const bibleBooks =
  /(?:Gen|Ex|Lev|Num|Dtn|Jos|Ri|Sam|Kön|Chr|Esra|Neh|Est|Hiob|Ijob|Ps|Psalm|Spr|Koh|Hld|Jes|Jer|Klgl|Ez|Hes|Dan|Hos|Joel|Am|Mi|Nah|Hab|Zef|Hag|Sach|Mal|Mt|Mk|Lk|Joh|Apg|Röm|Kor|Gal|Eph|Phil|Kol|Thess|Tim|Tit|Phlm|Hebr|Jak|Petr|Jud|Offb|Mose|Matthäus|Markus|Lukas|Johannes|Römer|Korinther|Hebräer|Offenbarung)\.?\s$/u;

/** What only German writes: ordinals with a stop, `850,-`, `9–18 Uhr`, `Joh 3,16`, `68er`. */
export function createGermanRules(speech: Speech) {
  const cardinal = (digits: string) => speech.cardinal(BigInt(digits));

  /** `vom 3. bis 5. März`, `die 1. und die 2. Reihe`, `19.–21. Jh.`: each of them is an ordinal. */
  const ordinals: Rule = (place) => {
    const { text, at, lead } = place;
    const digits = matchAt(/(\d{1,3})\./uy, text, at);
    if (!digits) return undefined;
    const end = at + digits[0].length;
    const n = BigInt(digits[1]!);
    if (/[\d.,]/u.test(text.slice(Math.max(0, at - 1), at))) return undefined;
    const span = matchAt(/\s?[-–]\s?(\d{1,3})\.(?=\s(?:\p{Lu}|Jh))/uy, text, end);
    if (span)
      return {
        end: end + span[0].length,
        spoken: `${speech.ordinal(n, caseOf(place))} ${speech.words.to} ${speech.ordinal(BigInt(span[1]!), caseOf(place))}`,
      };
    // `am 1. und 15. eines Monats`.
    const ofMonth =
      /^(?:am|vom|zum|ab|bis|und|oder)$/u.test(lead) &&
      /^\s(?:(?:und|oder)\s(?:am\s)?\d{1,2}\.\s)?(?:eines|des|jeden|jedes|dieses)\s/u.test(
        text.slice(end, end + 24),
      );
    if (ofMonth && n < 32n) return { end, spoken: speech.ordinal(n, lead) };
    const goesOn =
      /^(?:\s(?:bis|und|oder|sowie|bzw\.)|,)\s(?:(?:zum|zur|der|die|das|den|dem|am|im)\s)?\d{1,3}\.(?:\s?(?:\p{Lu}|\d{1,2}\.)|\s(?:und|bis|oder)\s\d{1,3}\.\s\p{Lu}|,)/u;
    if (goesOn.test(text.slice(end, end + 40))) return { end, spoken: speech.ordinal(n, caseOf(place)) };
    const noun = matchAt(/\s(\p{Lu}[\p{L}]*)/uy, text, end)?.[1];
    const opens = text.slice(0, at).trim() === '';
    if (noun !== undefined && (opens || (lead === '' && genderOf(noun) !== undefined))) {
      // `2. Kapitel` is a heading, `2. Birnen` an item of a list; a date is no business of ours.
      if (speech.months.has(noun.toLowerCase())) return undefined;
      const gender = genderOf(noun);
      if (gender === undefined) return { end, spoken: `${speech.cardinal(n)}.` };
      const said = speech.ordinal(n, { n: 'kein', m: 'kein', f: 'die' }[gender]);
      return { end, spoken: gender === 'n' ? said.replace(/r$/u, 's') : said };
    }
    // `der 1. FC`, `in der 2. Liga`.
    if (noun !== undefined && /^\p{Lu}{2,5}$/u.test(noun))
      return { end, spoken: speech.ordinal(n, caseOf(place)) };
    if (
      noun !== undefined &&
      /^der$/u.test(lead) &&
      caseOf(place) !== lead &&
      speech.ordinalMark &&
      matchAt(speech.ordinalMark, text, end - 1)
    )
      return { end, spoken: speech.ordinal(n, caseOf(place)) };
    if (
      endsSentence(text, end) &&
      /^(?:der|die|das|dem|den|am|zum|vom|beim)$/u.test(lead) &&
      n > 0n &&
      n < 100n
    )
      return { end, spoken: `${speech.ordinal(n, caseOf(place))}.` };
    return undefined;
  };

  /** `850,- €`. */
  const round: Rule = ({ text, at }) => {
    const found = matchAt(
      /(\d{1,3}(?:\.\d{3}){1,4}|\d{1,9}),[-–—]{1,2}(?:\s?(?:€|EUR|Euro)(?!\p{L}))?(?![\p{L}\d])/uy,
      text,
      at,
    );
    if (!found) return undefined;
    const n = BigInt(found[1]!.replaceAll('.', ''));
    return { end: at + found[0].length, spoken: `${speech.count(n, 'm')} Euro` };
  };

  /** `9–18 Uhr`, `16.30–18.00 Uhr`, `9:30h`. */
  const hours: Rule = ({ text, at }) => {
    const found = matchAt(
      /(\d{1,2})(?:[:.](\d\d))?\s?[-–]\s?(\d{1,2})(?:[:.](\d\d))?\s?(?:Uhr|h)(?!\p{L})/uy,
      text,
      at,
    );
    const single = found ? null : matchAt(/(\d{1,2}):(\d\d)\s?h(?!\p{L})/uy, text, at);
    const [, h, m, h2, m2] = found ?? single ?? [];
    if (h === undefined || Number(h) > 24 || Number(m ?? 0) > 59) return undefined;
    const time = (hour: string, minutes: string | undefined) =>
      speech.time({ hours: Number(hour), minutes: Number(minutes ?? 0) });
    const first = m === undefined ? cardinal(h) : time(h, m);
    if (single) return { end: at + single[0].length, spoken: first };
    if (h2 === undefined || Number(h2) > 24 || Number(m2 ?? 0) > 59) return undefined;
    return { end: at + found![0].length, spoken: `${first} ${speech.words.to} ${time(h2, m2)}` };
  };

  /** `17 J.`: years, since joules have no stop; `1.1.–31.12.`: from a day to another. */
  const years: Rule = ({ text, at }) => {
    const found = matchAt(/(\d{1,3})\sJ\./uy, text, at);
    return found
      ? {
          end: at + found[0].length,
          spoken: `${speech.count(BigInt(found[1]!), 'n')} ${found[1] === '1' ? 'Jahr' : 'Jahre'}`,
        }
      : undefined;
  };
  const until: Rule = ({ text, at }) =>
    /\d\.\s?$/u.test(text.slice(Math.max(0, at - 3), at)) &&
    /^[-–]\s?\d{1,2}\.\s?\d{1,2}\./u.test(text.slice(at, at + 10))
      ? { end: at + 1, spoken: speech.words.to }
      : undefined;

  /** `68er`, `2er`, `5 %ige`. */
  const endings: Rule = ({ text, at }) => {
    const found = matchAt(/(\d{1,3})(er|ern|ers)(?![\p{L}\d])/uy, text, at);
    if (found && !/0$/u.test(found[1]!))
      return { end: at + found[0].length, spoken: `${cardinal(found[1]!)}${found[2]!}` };
    const part = matchAt(/(\d{1,3}(?:,\d{1,3})?)[\s\u00a0]?%(ig\p{Ll}{0,2})(?!\p{L})/uy, text, at);
    if (!part) return undefined;
    const [whole, decimals] = part[1]!.split(',') as [string, string?];
    const said =
      decimals === undefined
        ? cardinal(whole)
        : `${cardinal(whole)} ${speech.point} ${speech.decimals(decimals)} `;
    return { end: at + part[0].length, spoken: `${said}prozent${part[2]!}` };
  };

  /** `Joh 3,16`, `Mt 5,3–12`: chapter and verse. */
  const verse: Rule = ({ text, at }) => {
    const found = matchAt(/(\d{1,3}),(\d{1,3})(?:\s?[-–]\s?(\d{1,3}))?(?![\d\p{L}]|,\d)/uy, text, at);
    if (!found || !bibleBooks.test(text.slice(Math.max(0, at - 14), at))) return undefined;
    const last = found[3] === undefined ? '' : ` ${speech.words.to} ${cardinal(found[3])}`;
    return { end: at + found[0].length, spoken: `${cardinal(found[1]!)}, ${cardinal(found[2]!)}${last}` };
  };

  /** `, 10115 Berlin`, `D-80331 München`: a postcode is said by its digits. */
  const postcode: Rule = ({ text, at }) => {
    const found = matchAt(/(?:(?:D|A|CH)-)?(\d{5})(?=\s\p{Lu}\p{Ll}+)/uy, text, at);
    if (!found) return undefined;
    const country = found[0].length > 5;
    if (
      !country &&
      (/000$/u.test(found[1]!) || !/(?:\d\s?[a-z]?,?|,|^|\n)\s$/u.test(text.slice(Math.max(0, at - 5), at)))
    )
      return undefined;
    const letters = country ? `${[...found[0].slice(0, -6)].join(' ')} ` : '';
    return { end: at + found[0].length, spoken: letters + sayDigits(speech, found[1]!) };
  };

  /** `3.14`, which is neither a time nor a date nor thousands. */
  const dotted: Rule = ({ text, at }) => {
    const found = matchAt(/(\d{1,6})\.(\d{1,2}|\d{4,12})(?![\d\p{L}]|[.,:]\d|\s?[-–]\s?\d|\.$)/uy, text, at);
    if (!found || /^\s?Uhr/u.test(text.slice(at + found[0].length, at + found[0].length + 4)))
      return undefined;
    return {
      end: at + found[0].length,
      spoken: `${cardinal(found[1]!)} Punkt ${speech.decimals(found[2]!)}`,
    };
  };

  /** `* 28. August 1749`, `† 1832`: of a life. */
  const life: Rule = ({ text, at }) => {
    const found = matchAt(/([*†])\s?(?=(?:um\s|ca\.\s)?\d)/uy, text, at);
    if (!found || !/(?:[(;,]\s?|^\s?)$/u.test(text.slice(Math.max(0, at - 3), at))) return undefined;
    if (found[1] === '*' && !/^(?:um\s|ca\.\s)?(?:\d{1,2}\.|\d{3,4})/u.test(text.slice(at + found[0].length)))
      return undefined;
    return { end: at + 1, spoken: found[1] === '*' ? 'geboren' : 'gestorben' };
  };

  /** `Sa. 10–14 Uhr`, `Am Sa., 21. Nov.`: the day of the week, only where a time or date follows. */
  const weekday: Rule = ({ text, at, lead }) => {
    const named = /^(?:am|jeden|und|oder|bis)$/u.test(lead)
      ? matchAt(/(Mo|Di|Mi|Do|Fr|Sa|So)\.(?=\s\p{Ll})/uy, text, at)
      : null;
    const found = named ?? matchAt(/(Mo|Di|Mi|Do|Fr|Sa|So)\.,?(?=\s\d)/uy, text, at);
    return found
      ? { end: at + found[0].length, spoken: `${germanDays[found[1]!]!}${found[0].endsWith(',') ? ',' : ''}` }
      : undefined;
  };

  /** `der Lkw`, `Ø 5`. */
  const short: Rule = ({ text, at }) => {
    const found = matchAt(/(?:(Kfz|Lkw|Pkw|GmbH)s?|Ø(?=\s?\d))(?![\p{L}])/uy, text, at);
    if (!found) return undefined;
    const letters = found[1] === undefined ? 'durchschnittlich' : [...found[1].toUpperCase()].join(' ');
    return { end: at + found[0].length, spoken: letters + (/s$/u.test(found[0]) ? 's' : '') };
  };

  return {
    forDigit: [round, years, hours, verse, postcode, endings, ordinals],
    forLetter: [postcode, weekday, short],
    forSign: [life, until],
    last: [dotted],
  };
}

const prepositions =
  /(?:^|[\s(])(?:in|an|auf|aus|bei|mit|nach|von|seit|zu|unter|vor|hinter|neben|über|zwischen|außer|laut|während|wegen|trotz|ab|bis zu)\sder\s$/iu;

/** The word before, or one of the same ending: behind `in der` and `Ende der` an ordinal ends in -n. */
function caseOf({ text, at, lead }: Place): string {
  if (/^(?:gegen|für|ohne|durch)$/u.test(lead)) return 'den';
  if (lead !== 'der') return lead;
  const before = text.slice(Math.max(0, at - 30), at);
  if (prepositions.test(before) || /\S\s+\p{Lu}\p{Ll}+\sder\s$/u.test(before)) return 'dem';
  return lead;
}

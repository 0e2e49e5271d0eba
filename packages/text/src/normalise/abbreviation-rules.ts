import { endsSentence, matchAt, type Place, type Rule, wordAfter } from './rule.ts';
import type { Speech } from './speech.ts';
import { streetOrTitle } from './street-or-title.ts';

const dottedLetters =
  /(?:\p{L}\.){2,8}(?:\p{L}(?![\p{L}\p{N}]))?|\p{L}{1,2}(?:\.\p{L}{1,3}){1,4}\.?(?![\p{L}\p{N}])/uy;
const shortForm = /(\p{L}[\p{L}'-]{0,11})\.(?![\p{L}\p{N}])/uy;
const initial = /(\p{Lu})\.(?=\s?\p{Lu}|-\p{Lu}|\s\d|\s\p{Ll}|['’]s)/uy;

/** Short forms with a stop and without: `e.g.`, `Dr. Smith`, `J. R. R.`, `St Paul`. */
export function createAbbreviationRules(speech: Speech) {
  const known = (key: string): string | undefined => {
    const exact = speech.abbreviations[key];
    if (exact !== undefined && Object.hasOwn(speech.abbreviations, key)) return exact;
    const lower = key.toLowerCase();
    return Object.hasOwn(speech.abbreviations, lower) ? speech.abbreviations[lower] : undefined;
  };

  /** `e.g.`, `U.S.`, `a.m.`, `z. B.` */
  const dotted: Rule = ({ text, at }) => {
    const spaced = matchAt(/(\p{L}{1,3})\.[\s\u00a0](\p{L}{1,4})\.(?:[\s\u00a0](\p{L}{1,3})\.)?/uy, text, at);
    if (spaced) {
      const expansion = known(
        spaced
          .slice(1)
          .filter((part) => part !== undefined)
          .join('.'),
      );
      if (expansion !== undefined) {
        const end = at + spaced[0].length;
        return { end, spoken: expansion + closing(text, end) };
      }
      const two = spaced[3] === undefined ? undefined : known(`${spaced[1]}.${spaced[2]}`);
      if (two !== undefined) return { end: at + spaced[0].length - spaced[3]!.length - 2, spoken: two };
    }
    const found = matchAt(dottedLetters, text, at);
    if (!found) return undefined;
    let written = found[0];
    // `p.m.)` and `U.S.` keep their stop, `Node.js` is a name.
    if (
      /\p{Ll}{2}/u.test(written) &&
      !/^(?:Ph|Sc|Phil|Litt)\.?/u.test(written) &&
      known(written.replace(/\.$/u, '')) === undefined
    )
      return undefined;
    const end = at + written.length;
    const key = written.replace(/\.$/u, '');
    const expansion = known(key);
    const stop = written.endsWith('.') ? closing(text, end) : '';
    if (expansion !== undefined) return { end, spoken: expansion + stop };
    if (!/^(?:\p{L}{1,2}\.)+\p{L}{0,2}$/u.test(written)) return undefined;
    written = written.replaceAll('.', ' ').trim();
    return {
      end,
      spoken:
        written
          .toUpperCase()
          .replace(/(?<=^| )(\p{Lu})(\p{Lu})/gu, (_, a: string, b: string) =>
            /^Ph/iu.test(a + b) ? `${a} ${b.toLowerCase()}` : `${a} ${b}`,
          ) + stop,
    };
  };

  const abbreviation: Rule = (place) => {
    const { text, at } = place;
    const found = matchAt(shortForm, text, at);
    if (!found) return undefined;
    const key = found[1]!;
    const end = at + found[0].length;
    if (speech.language === 'en') {
      const title = streetOrTitle(place, key, end);
      if (title !== undefined) return { end, spoken: title + closing(text, end) };
      const book = Object.hasOwn(bibleBooks, key) ? bibleBooks[key] : undefined;
      if (book !== undefined && /^\s?\d{1,3}:\d/u.test(text.slice(end, end + 6)))
        return { end, spoken: book };
      if (isPlainEnd(place, key, end)) return undefined;
    }
    const german = speech.language === 'de' ? germanShort(place, key, end) : undefined;
    if (german !== undefined) return german === '' ? undefined : { end, spoken: german + closing(text, end) };
    if (speech.language === 'de' && /\p{L}str$/u.test(key))
      return { end, spoken: `${key}aße${closing(text, end)}` };
    const expansion = known(key.replace(/\.[\s\u00a0]/u, '.'));
    if (expansion === undefined) return undefined;
    // A zone of time, a day: no word in small letters.
    if (/^(?:EST|SAT|SUN|MAR|PT|CT|MT)$/u.test(key) && !place.shouting) return undefined;
    // `J.-P. Sartre`: a letter by itself is an initial, unless a number follows.
    if (
      /^\p{Lu}$/u.test(key) &&
      !Object.hasOwn(speech.abbreviations, key) &&
      !/^\s?[\dIVXLC]/u.test(text.slice(end, end + 2))
    )
      return undefined;
    const last = endsSentence(text, end);
    // At a sentence's end `no.` and `in.` are words.
    if (last && key.length < 4 && !/^\p{Lu}|^(?:etc|co|jr|sr|inc|ltd|vs|al|usw|uds?)$/u.test(key))
      return undefined;
    if (
      last &&
      /^(?:no|art|min|max|fig|sec|temp|para|app|mar|sun|sat|pop|cap|lat|tech|fri|div|lib|reg|mon|wed|op|tab|pt|col|cols|lang|alt|est|comm|trans|ser|pl|ct|sci|mt|det)$/iu.test(
        key,
      ) &&
      !/^(?:Sat|Mon|Fri|Wed|Mar|Ct|Pl)$/u.test(key)
    )
      return undefined;
    const spoken = /^\p{Ll}/u.test(key) ? expansion[0]!.toLowerCase() + expansion.slice(1) : expansion;
    return { end, spoken: spoken + (last ? '.' : '') };
  };

  /** A person's middle initial: its stop is no pause. */
  const initials: Rule = ({ text, at }) => {
    const found = matchAt(initial, text, at);
    if (!found) return undefined;
    const before = text.slice(Math.max(0, at - 1), at);
    if (at === 0 && !/^\p{Lu}\.\s?\p{Lu}(?:\.|\p{Ll})/u.test(text)) return undefined;
    if (/[\p{L}\p{N}]/u.test(before)) return undefined;
    return { end: at + found[0].length, spoken: found[1]! };
  };

  /** A name's or word's abbreviation without a stop: `Mr Smith`, `Dr Jones`, `St Paul`. */
  const stopless: Rule = ({ text, at, leadRaw }) => {
    const found = matchAt(
      /(Mr|Mrs|Ms|Dr|Ave|Blvd|Pkwy|Hwy|Prof|St|Messrs|Mme|Mlle|Capt|Lt|Sgt|Col|Gen|Rev|Hr|Fr|vs|Sr|Sra|Jr)(?=\s+\p{L}|$|[,;:)!?]|['’]s)/uy,
      text,
      at,
    );
    if (!found) return undefined;
    const key = found[1]!;
    const next = wordAfter(text, at + key.length);
    const named = /^\p{Lu}/u.test(next);
    const expansion = known(key);
    if (expansion === undefined) return undefined;
    // `Ave Maria`.
    if (key === 'Ave' && !/^\p{Lu}|^\d/u.test(leadRaw)) return undefined;
    if (/^(?:vs|Ave|Blvd|Pkwy|Hwy)$/u.test(key)) return { end: at + key.length, spoken: expansion };
    if (speech.language === 'en' && key === 'St') {
      const behind =
        /^(?:\p{Lu}[\p{L}'’]*|\d+(?:st|nd|rd|th))$/u.test(leadRaw) &&
        !/^(?:The|In|At|Mount|Mt|Of|Dear|On|Port|Fort|East|West|North|South)$/u.test(leadRaw);
      return { end: at + 2, spoken: named && !behind ? 'Saint' : 'Street' };
    }
    if (key === 'Jr' || (key === 'Sr' && speech.language === 'en')) return { end: at + 2, spoken: expansion };
    return named ? { end: at + key.length, spoken: expansion } : undefined;
  };

  return { dotted, abbreviation, initials, stopless };
}

/** German's short forms that mean what stands around them; empty: none at all. */
function germanShort({ text, at, leadRaw }: Place, key: string, end: number): string | undefined {
  const digit = /^\s?\d/u.test(text.slice(end, end + 2));
  const before = text.slice(Math.max(0, at - 24), at);
  if (key === 'S' || key === 's')
    return !digit
      ? ''
      : /(?:Abs(?:atz|\.)|Art(?:ikel|\.)|§)\s?\d{1,4}\p{Ll}?\s$/u.test(before)
        ? 'Satz'
        : 'Seite';
  if (key === 'v')
    return digit
      ? 'vom'
      : /^\s\p{Lu}/u.test(text.slice(end, end + 2)) && /^\p{Lu}/u.test(leadRaw)
        ? 'von'
        : '';
  if (key === 'f' || key === 'ff') return /\d\s?$/u.test(before) ? 'folgende' : '';
  if (key === 'lit') return /^\s\p{Ll}(?!\p{L})/u.test(text.slice(end, end + 3)) ? 'Buchstabe' : '';
  const adjective = { sog: 'sogenannt', ehem: 'ehemalig', jew: 'jeweilig', gleichn: 'gleichnamig' }[
    key.toLowerCase()
  ];
  if (adjective !== undefined) {
    const ending =
      /^(?:dem|den|des|einem|einen|einer|eines|im|am|vom|zum|zur|beim|seinem|ihrem|in|von|mit)$/u.test(
        leadRaw,
      )
        ? 'en'
        : /^(?:ein|kein|sein|ihr)$/u.test(leadRaw)
          ? 'er'
          : 'e';
    return adjective + ending;
  }
  if (key === 'Joh') return digit ? 'Johannes' : undefined;
  return undefined;
}

/** The stop that remains where a short form ends the sentence. */
export const closing = (text: string, end: number) => (endsSentence(text, end) ? '.' : '');

/** Whether the stop is the sentence's and the word is a word. */
function isPlainEnd({ text, lead }: Place, key: string, end: number): boolean {
  const digit = /^\s*(?:\d|[IVXLC]+\b|[ivxlc]{1,5}\b)/u.test(text.slice(end, end + 4));
  if (
    /^(?:no|nos|art|arts|op|ch|p|pp|pg|v|pt|pts|app|ref|refs|para|paras|sec|sect|eq|fig|figs|vol|vols|tab|ser|ext|chap|sc|ll)$/iu.test(
      key,
    )
  ) {
    if (digit) return false;
    return /^(?:no|art|app|tab|op|sec|ref|p|v|pt|pts|fig|ext)$/iu.test(key) || !/^\p{Lu}/u.test(key);
  }
  if (
    /^(?:jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec|mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun)$/u.test(
      key,
    )
  )
    return true;
  if (key === 'ed' || key === 'eds' || key === 'al')
    return (
      key !== 'al' &&
      key !== 'eds' &&
      !/^(?:\d\w*|st|nd|rd|th|first|second|third|fourth|fifth|rev|revised)$/u.test(lead)
    );
  return false;
}

export const bibleBooks: Readonly<Record<string, string>> = {
  Gen: 'Genesis',
  Ex: 'Exodus',
  Lev: 'Leviticus',
  Num: 'Numbers',
  Deut: 'Deuteronomy',
  Josh: 'Joshua',
  Ps: 'Psalm',
  Prov: 'Proverbs',
  Eccl: 'Ecclesiastes',
  Isa: 'Isaiah',
  Jer: 'Jeremiah',
  Ezek: 'Ezekiel',
  Dan: 'Daniel',
  Matt: 'Matthew',
  Mt: 'Matthew',
  Mk: 'Mark',
  Lk: 'Luke',
  Jn: 'John',
  Rom: 'Romans',
  Cor: 'Corinthians',
  Gal: 'Galatians',
  Eph: 'Ephesians',
  Phil: 'Philippians',
  Col: 'Colossians',
  Thess: 'Thessalonians',
  Tim: 'Timothy',
  Heb: 'Hebrews',
  Pet: 'Peter',
  Sam: 'Samuel',
  Kgs: 'Kings',
  Chr: 'Chronicles',
  Chron: 'Chronicles',
  Neh: 'Nehemiah',
  Judg: 'Judges',
  Jas: 'James',
  Tit: 'Titus',
  Macc: 'Maccabees',
  Rev: 'Revelation',
};

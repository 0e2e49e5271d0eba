import { acronyms, initialisms } from './english-words.ts';
import { createRomanRule } from './roman.ts';
import { endsSentence, matchAt, type Place, type Rule, wordAfter } from './rule.ts';
import type { Speech } from './speech.ts';

const dottedLetters =
  /(?:\p{L}\.){2,8}(?:\p{L}(?![\p{L}\p{N}]))?|\p{L}{1,2}(?:\.\p{L}{1,3}){1,4}\.?(?![\p{L}\p{N}])/uy;
const shortForm = /(\p{L}[\p{L}'-]{0,11})\.(?![\p{L}\p{N}])/uy;
const initial = /(\p{Lu})\.(?=\s?\p{Lu}|-\p{Lu}|\s\p{Ll}|['’]s)/uy;
const caps = /(\p{Lu}[\p{Lu}\p{N}]{1,14})(['’]?s)?(?![\p{L}\p{N}])/uy;
const mixed =
  /(?:(?:\p{Lu}{1,6}|\p{Ll})\d{1,4}[\p{Lu}\d]{0,8}|\d{1,4}\p{Lu}{1,4}\d{0,4}|\p{Lu}{2,6}-?\d{1,4})(?:s)?(?![\p{L}\p{N}])/uy;
const hyphenated = /(\p{Lu}{1,6}|[A-Z][a-z]+)-(\d{1,4})(?![\d\p{L}]|[-.,/:]\d)/uy;

export function createWordRules(speech: Speech): Rule[] {
  const { words } = speech;
  const known = (key: string): string | undefined => {
    const exact = speech.abbreviations[key];
    if (exact !== undefined && Object.hasOwn(speech.abbreviations, key)) return exact;
    const lower = key.toLowerCase();
    return Object.hasOwn(speech.abbreviations, lower) ? speech.abbreviations[lower] : undefined;
  };
  const closing = (text: string, end: number) => (endsSentence(text, end) ? '.' : '');

  /** `e.g.`, `U.S.`, `a.m.`, `z. B.` */
  const dotted: Rule = ({ text, at, lead }) => {
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
    void lead;
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
      const title = doctorOrStreet(place, key, end);
      if (title !== undefined) return { end, spoken: title + closing(text, end) };
      const book = books[key];
      if (book !== undefined && /^\s?\d{1,3}:\d/u.test(text.slice(end, end + 6)))
        return { end, spoken: book };
      if (isPlainEnd(place, key, end)) return undefined;
    }
    if (speech.language === 'de' && /\p{L}str$/u.test(key))
      return { end, spoken: `${key}aße${closing(text, end)}` };
    const expansion = known(key.replace(/\.[\s\u00a0]/u, '.'));
    if (expansion === undefined) return undefined;
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

  /** Whether the stop is the sentence's and the word is a word. */
  function isPlainEnd({ text, lead }: Place, key: string, end: number): boolean {
    const digit = /^\s*(?:\d|[IVXLC]+\b)/u.test(text.slice(end, end + 4));
    if (
      /^(?:no|nos|art|arts|op|ch|p|pp|pg|v|pt|pts|app|ref|refs|para|paras|sec|sect|eq|fig|figs|vol|vols|tab|ser|ext|chap)$/iu.test(
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

  /** A person's middle initial: its stop is no pause. */
  const initials: Rule = ({ text, at }) => {
    const found = matchAt(initial, text, at);
    if (!found) return undefined;
    const before = text.slice(Math.max(0, at - 1), at);
    if (at === 0 && !/^\p{Lu}\.\s?\p{Lu}(?:\.|\p{Ll})/u.test(text)) return undefined;
    if (/[\p{L}\p{N}]/u.test(before)) return undefined;
    return { end: at + found[0].length, spoken: found[1]! };
  };

  /** `Dr. Smith lives on Elm Dr.`, `St. John` and `Main St.`: the title stands before a name, the street behind one. */
  function doctorOrStreet({ text, at, lead, leadRaw }: Place, key: string, end: number): string | undefined {
    if (
      key !== 'Dr' &&
      key !== 'St' &&
      key !== 'st' &&
      key !== 'dr' &&
      key !== 'Ft' &&
      key !== 'Pl' &&
      key !== 'Ct'
    )
      return undefined;
    const next = wordAfter(text, end);
    const named = /^\p{Lu}/u.test(next);
    const behind = /^(?:\p{Lu}[\p{L}'’]*|\d+(?:st|nd|rd|th))$/u.test(leadRaw);
    const road =
      key.toLowerCase() === 'dr'
        ? 'Drive'
        : key.toLowerCase() === 'st'
          ? 'Street'
          : key === 'Ft'
            ? 'Feet'
            : key === 'Pl'
              ? 'Place'
              : 'Court';
    const title =
      key.toLowerCase() === 'dr'
        ? 'Doctor'
        : key.toLowerCase() === 'st'
          ? 'Saint'
          : key === 'Ft'
            ? 'Fort'
            : road;
    if (key === 'Ft' && !named) return undefined;
    if (!named) return behind || key === 'st' ? road : endsSentence(text, end) && at > 0 ? road : title;
    if (
      !behind ||
      (/^\d/u.test(leadRaw) === false &&
        /^(?:mount|mt|port|fort|ft|east|west|north|south|old|the|at|in|of|on|near|and|by|from|to|visit|dear|hello|hi|thanks|prof|professor|rev|mr|mrs|sir|is|was|when|if|but|lake|via|les|hospital|see|meet|then|so|yes|no|ask|tell|said|says|i|my|our|his|her|with|sault|bay|isle|cape)$/u.test(
          lead,
        ))
    ) {
      if (!/^\d/u.test(leadRaw)) return title;
    }
    // Behind a name and before one: `Main St. Bridge`, but `Mary St. John`.
    if (/^\d/u.test(leadRaw)) return road;
    const street =
      /\d[\p{L}]*\s+(?:\p{Lu}\.?\s+)?\p{Lu}[\p{L}'’]*\s+$/u.test(text.slice(Math.max(0, at - 40), at)) ||
      /\b(?:on|at|of|along|down|up|off|to|from|near|corner|and|cross(?:ed)?|in)\s+(?:\p{Lu}[\p{L}'’]*\s+){1,2}$/u.test(
        text.slice(Math.max(0, at - 40), at),
      );
    return street ? road : title;
  }

  const capitals: Rule = (place) => {
    const { text, at, shouting } = place;
    const found = matchAt(caps, text, at);
    if (!found || /\p{N}/u.test(found[1]!)) return undefined;
    const word = found[1]!;
    const end = at + found[0].length;
    const ending = found[2] === undefined ? '' : /['’]/u.test(found[2]) ? "'s" : 's';
    if (acronyms.has(word) && !(shouting && speech.capsWords.has(word.toLowerCase())))
      return { end, spoken: word + ending };
    const spelled = `${[...word].join(' ')}${ending}`;
    const isWord = speech.capsWords.has(word.toLowerCase());
    if (initialisms.has(word) && !(shouting && isWord)) return { end, spoken: spelled };
    if (isWord || shouting) return { end, spoken: word.toLowerCase() + ending };
    if (word.length <= 3) return { end, spoken: spelled };
    return pronounceable(word)
      ? { end, spoken: (word.length > 5 ? word.toLowerCase() : word) + ending }
      : word.length < 7
        ? { end, spoken: spelled }
        : { end, spoken: word.toLowerCase() + ending };
  };

  /** `PhD`, `BSc`, `CDs`. */
  const degrees: Rule = ({ text, at }) => {
    const found = matchAt(
      /(PhDs?|MSc|BSc|MPhil|DPhil|LLB|LLM|MBAs|DVDs|PCs|CDs|TVs|IDs|URLs|APIs|CEOs|NGOs|ATMs|GPUs|CPUs|PDFs|UFOs|VIPs|pH|mRNA|tRNA|eBay|iOS|IoT|SaaS|PaaS|IaaS|DoD|DoJ|LaTeX|GmbH|kPop)(?![\p{L}\p{N}])/uy,
      text,
      at,
    );
    if (!found) return undefined;
    const word = found[1]!;
    const fixed = {
      PhD: 'P h D',
      PhDs: 'P h Ds',
      MSc: 'M S c',
      BSc: 'B S c',
      MPhil: 'M Phil',
      DPhil: 'D Phil',
      pH: 'P H',
      mRNA: 'M R N A',
      tRNA: 'T R N A',
      eBay: 'eBay',
      iOS: 'i O S',
      IoT: 'I o T',
      SaaS: 'sass',
      PaaS: 'pass',
      IaaS: 'I A A S',
      DoD: 'D O D',
      DoJ: 'D O J',
      LaTeX: 'lay-tech',
      GmbH: 'G M B H',
      kPop: 'K pop',
    }[word];
    return { end: at + word.length, spoken: fixed ?? `${[...word.slice(0, -1)].join(' ')}s` };
  };

  const formula: Rule = ({ text, at }) => {
    const found = matchAt(
      /(?:(?:[A-Z][a-z]?|\((?:[A-Z][a-z]?[\d₀-₉]{0,3}){1,4}\))[\d₀-₉]{0,3}){1,12}(?:[⁺⁻]|[²³][⁺⁻])?(?![\p{L}\p{N}])/uy,
      text,
      at,
    );
    if (!found) return undefined;
    const written = found[0];
    const parts = [...written.matchAll(/([A-Z][a-z]?)|([\d₀-₉]+)|([²³]?[⁺⁻])/gu)];
    const symbols = parts.filter(([, symbol]) => symbol !== undefined).map(([, symbol]) => symbol!);
    const numbered = /[\d₀-₉]/u.test(written);
    const plain =
      /^(?:NaCl|KCl|HCl|NaOH|KOH|HBr|HF|HI|NaF|KBr|CaO|MgO|NaHCO|AgCl|ZnO|CuO|FeO|FeS|ZnS|SiC|GaAs|LiCl|NaI|KI)$/u.test(
        written,
      );
    if (!(plain || numbered) || !symbols.every((symbol) => elements.has(symbol))) return undefined;
    const subscript = /[₀-₉]/u.test(written);
    // `A4`, `V8`, `B12`: one letter and a number is a name, unless it is a gas or written as a formula.
    if (!plain && !subscript && symbols.length < 2 && !/^(?:O2|O3|H2|N2|Cl2|F2|Br2|I2)$/u.test(written))
      return undefined;
    if (!plain && !subscript && !/[A-Za-z)]\d|\d[A-Z]/u.test(written)) return undefined;
    if (!plain && !subscript && /^(?:U2|K2|F16|B52|PS\d|WW\d|PH\d|IPv\d)$/u.test(written)) return undefined;
    if (!plain && !subscript && /\d{2,}$/u.test(written) && !/^C\d/u.test(written)) return undefined;
    const spoken = parts
      .map(([, symbol, digits, charge]) => {
        if (symbol !== undefined) return [...symbol.toUpperCase()].join(' ');
        if (digits !== undefined)
          return speech.cardinal(
            BigInt(
              [...digits]
                .map((char) => ('₀₁₂₃₄₅₆₇₈₉'.includes(char) ? '₀₁₂₃₄₅₆₇₈₉'.indexOf(char) : char))
                .join(''),
            ),
          );
        const count = charge!.startsWith('²')
          ? `${speech.cardinal(2n)} `
          : charge!.startsWith('³')
            ? `${speech.cardinal(3n)} `
            : '';
        return count + (charge!.endsWith('⁺') ? words.plus : words.minus);
      })
      .join(' ');
    return { end: at + written.length, spoken };
  };

  /** Letters and digits in one: `MP3`, `4K`, `COVID-19`. */
  const alphanumeric: Rule = ({ text, at, speech: { language } }) => {
    const joined = matchAt(hyphenated, text, at);
    if (joined) {
      const [all, head, digits] = joined;
      const said = /^\p{Lu}+$/u.test(head!) && !acronyms.has(head!) ? [...head!].join(' ') : head!;
      return {
        end: at + all.length,
        spoken: `${said} ${digits!.startsWith('0') ? [...digits!].map((d) => speech.cardinal(BigInt(d))).join(' ') : speech.cardinal(BigInt(digits!))}`,
      };
    }
    const found = matchAt(mixed, text, at);
    if (!found || /^\d+(?:ST|ND|RD|TH)$/u.test(found[0])) return undefined;
    void language;
    return {
      end: at + found[0].length,
      spoken: [...found[0].matchAll(/\d+|\p{Lu}+|\p{Ll}+/gu)]
        .map(([part]) =>
          /\d/u.test(part)
            ? part.startsWith('0') || part.length > 3
              ? [...part].map((d) => speech.cardinal(BigInt(d))).join(' ')
              : speech.cardinal(BigInt(part))
            : /\p{Lu}/u.test(part)
              ? acronyms.has(part)
                ? part
                : [...part].join(' ')
              : part === 's'
                ? 's'
                : part,
        )
        .join(' ')
        .replace(/ s$/u, 's'),
    };
  };

  /** `b. 1950`, `WWII`, `FY2023`, `OK`. */
  const sayings: Rule = ({ text, at }) => {
    const number = matchAt(/[Nn](?:\.?\s?[°º]|\.?[ºo]\.?)\s?(?=\d)/uy, text, at);
    if (number) return { end: at + number[0].trimEnd().length, spoken: words.number };
    if (speech.language === 'fr') {
      const french = matchAt(/(c\.-à-d\.)|(J\.-C\.)/uy, text, at);
      return french
        ? {
            end: at + french[0].length,
            spoken: french[1] ? "c'est-à-dire" : `Jésus-Christ${closing(text, at + french[0].length)}`,
          }
        : undefined;
    }
    if (speech.language === 'es') {
      const street = matchAt(/[Cc]\/(?=\s?\p{Lu}\p{Ll})/uy, text, at);
      return street ? { end: at + 2, spoken: 'calle' } : undefined;
    }
    if (speech.language !== 'en') return undefined;
    const life = matchAt(/([bdrc]|fl)\.\s?(?=1?\d{3}(?!\d))/uy, text, at);
    if (life && !/[\p{L}\d.]/u.test(text.slice(Math.max(0, at - 1), at)))
      return {
        end: at + life[0].trimEnd().length,
        spoken: { b: 'born', d: 'died', r: 'reigned', c: 'circa', fl: 'flourished' }[life[1]!]!,
      };
    const war = matchAt(/WW(?:(I|1)|(?:II|2)|(III|3))(?![\p{L}\d])/uy, text, at);
    if (war)
      return { end: at + war[0].length, spoken: `World War ${war[1] ? 'one' : war[2] ? 'three' : 'two'}` };
    const okay = matchAt(/O\.?K\.?(?=[\s,;:!?)"'’”]|$|\.(?:\s|$))/uy, text, at);
    if (okay)
      return {
        end: at + okay[0].length,
        spoken: `okay${okay[0].endsWith('.') ? closing(text, at + okay[0].length) : ''}`,
      };
    const year = matchAt(/(FY|CY|AY|MY)[\s-]?((?:19|20)\d\d)(?![\d\p{L}])/uy, text, at);
    return year
      ? { end: at + year[0].length, spoken: `${[...year[1]!].join(' ')} ${speech.year(Number(year[2]))}` }
      : undefined;
  };

  const phrases: Rule = ({ text, at }) => {
    const found = matchAt(
      /(?:(w\/o)|(w\/)|(b\/c)|(and\/or)|(R&D|Q&A|AT&T|B&B|R&B|M&M|S&P|H&M|P&L|A&E|K&R|D&D|M&A|T&C|Q&As)|(C\+\+)|([CF]#)|(A\+|B\+|C\+)|(he\/she|she\/he|his\/her|him\/her|s\/he)|(n\/a|N\/A)|(c\/o)|(km\/h|kph)|(AC\/DC))(?![\p{L}\p{N}+#])/uy,
      text,
      at,
    );
    if (!found) return undefined;
    const end = at + found[0].length;
    if (speech.language !== 'en') {
      if (found[5])
        return { end, spoken: [...found[0].replace('&', '')].join(` `).replace(' ', ` ${words.and} `) };
      if (found[6] || found[8]) return { end, spoken: found[0].replaceAll('+', ` ${words.plus}`) };
      return undefined;
    }
    const letters = (text5: string) =>
      text5
        .split('&')
        .map((part) => [...part.replace(/s$/u, '')].join(' ') + (part.endsWith('s') ? 's' : ''))
        .join(` ${words.and} `);
    const spoken = found[1]
      ? 'without'
      : found[2]
        ? 'with'
        : found[3]
          ? 'because'
          : found[4]
            ? 'and or'
            : found[5]
              ? letters(found[5])
              : found[6] || found[8]
                ? found[0].replaceAll('+', ` ${words.plus}`)
                : found[7]
                  ? `${found[0][0]} ${words.sharp}`
                  : found[9]
                    ? found[0].replace('s/he', 'she/he').replace('/', ' or ')
                    : found[10]
                      ? 'not applicable'
                      : found[11]
                        ? 'care of'
                        : found[12]
                          ? 'kilometers per hour'
                          : 'A C D C';
    return { end, spoken };
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

  return [
    sayings,
    phrases,
    createRomanRule(speech),
    dotted,
    formula,
    degrees,
    stopless,
    abbreviation,
    initials,
    alphanumeric,
    capitals,
  ];
}

const books: Readonly<Record<string, string>> = {
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
  Rev: 'Revelation',
};

/** A vowel in each half, and no run of consonants that no English syllable has. */
function pronounceable(word: string): boolean {
  if (!/[AEIOUY]/u.test(word)) return false;
  if (
    /[^AEIOUY]{4}|^[^AEIOUY]{3}(?<!STR|SPR|SCR|THR|SHR|SPL|SCH|CHR)|[^AEIOUY]{3}$(?<!NDS|NTS|STS|CKS|RTS|RDS|NGS|GHT|RCH|TCH|NCH|RST|RTH|MPS|NKS|LDS|RMS|RNS|SKS|SHT|LTH|XTH)/u.test(
      word,
    )
  )
    return false;
  return !/^(?:[BCDFGHJKMPQTVXZ][BCDFGJKMPQTVXZ]|.*[QJV]$)/u.test(word) && !/[AEIOU]{3}/u.test(word);
}

const elements = new Set(
  'H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb Mo Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Nd Sm Eu Gd W Pt Au Hg Tl Pb Bi Po Rn Ra Th U Pu'.split(
    ' ',
  ),
);

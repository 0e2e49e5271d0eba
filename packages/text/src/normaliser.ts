import { languageOf } from './languages/sentence-words.ts';
import { bibleBooks } from './normalise/abbreviation-rules.ts';
import { createDateRules } from './normalise/date-rules.ts';
import { english } from './normalise/english.ts';
import { createEnglishRules } from './normalise/english-rules.ts';
import { french } from './normalise/french.ts';
import { german } from './normalise/german.ts';
import { createGermanRules } from './normalise/german-rules.ts';
import { hyphenRule, sayBroken } from './normalise/hyphen-rule.ts';
import { createPhoneRules } from './normalise/phone-rules.ts';
import { createQuantityRules } from './normalise/quantity-rules.ts';
import { matchAt, type Place, type Rule } from './normalise/rule.ts';
import { spanish } from './normalise/spanish.ts';
import type { Speech } from './normalise/speech.ts';
import { createSymbolRules } from './normalise/symbol-rules.ts';
import { createTimeRules } from './normalise/time-rules.ts';
import { createWebRules } from './normalise/web-rules.ts';
import { createWordRules } from './normalise/word-rules.ts';
import type { Token } from './spoken.ts';

export interface NormaliserOptions {
  readonly locale: string;
  readonly mode: 'auto' | 'on' | 'off';
}

/** Turns a sentence into what is said for it. The tokens tile the sentence. */
export interface Normaliser {
  tokens(sentence: string): Token[];
  /** Whether every rule would leave the sentence as it is; decided in one look. Its white space is single. */
  leaves(sentence: string): boolean;
}

/**
 * `auto` and `on` write out what the locale's language knows how to say; the text of other languages stays as it is, for the
 * voice's own front end. `off` changes nothing but white space.
 */
export function createNormaliser({ locale, mode }: NormaliserOptions): Normaliser {
  const speech = mode === 'off' ? undefined : speechOf(locale);
  if (!speech)
    return {
      tokens: mode === 'off' ? plainTokens : wholeWords,
      leaves: (sentence) =>
        !manySpaces.test(sentence) &&
        sentence.search(unsayable) < 0 &&
        (mode === 'off' || !/\p{L}[-‐][ \t]*[\n\r\u000b\u0085\u2028]/u.test(sentence)),
    };
  const isShort = (written: string) =>
    Object.hasOwn(speech.abbreviations, written) ||
    Object.hasOwn(speech.abbreviations, written.toLowerCase());
  return {
    tokens: speakingTokens(speech),
    leaves(sentence) {
      if (manySpaces.test(sentence) || needsRules.test(sentence)) return false;
      const last = lastWord.exec(sentence)?.[1];
      return last === undefined || !isShort(last);
    },
  };
}

/** What no voice can say and some stores can't keep: controls, halves of characters, marks of direction. */
const unsayable =
  /[\p{Cs}\0-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\ufeff]+|\ufe0e|\ufe0f|\u20e3/gu;
const sayableOf = (written: string): string => written.replace(unsayable, '');

const manySpaces = /\S[\s\u0085]{2,}\S/u;
/** What some rule may have business with: all but words in ordinary letters, single marks, and the last stop. */
const needsRules =
  /[\p{N}\p{S}\p{Extended_Pictographic}\p{Cs}\0-\u0008\u000e-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff@#%‰&*_\\/[\]{}§¶†…•⁃‣‼⁇⁈⁉¡¿]|\ufe0e|\ufe0f|\u20e3|\p{Lu}{2}|\p{L}\p{Lu}|[!?]{2}|^\s*:\s|[.,;:][.,;:]|[-–—]{2}|(?<!\p{L})-|-(?!\p{L})|[:;]-?[)(DP]|\.(?!["'”’»)]*\s*$)|\p{Lu}\p{Ll}+\s[IVXLCDM](?!\p{L})|(?<!\p{L})(?:I(?:er|re)|[VX]e)(?!\p{L})|(?<!\p{L})(?:Mr|Mrs|Ms|Dr|Ave|Blvd|Pkwy|Hwy|Prof|St|Messrs|Mme|Mlle|Capt|Lt|Sgt|Col|Gen|Rev|Hr|Fr|vs|Sr|Sra|Jr|Kfz|Lkws?|Pkws?|Mgr|Pr|Me|Ste)(?!\p{L})|(?<!\p{L})(?:page|pages|chapter|part|section|note|seite|seiten|kapitel)\s[ivxlc]+(?!\p{L})/u;
const lastWord = /(\p{L}+)\.["'”’»)]*\s*$/u;

export function speechOf(locale: string): Speech | undefined {
  const region = /^[a-z]+[-_](?:[A-Za-z]{4}[-_])?([A-Za-z]{2}|\d{3})(?![A-Za-z\d])/iu
    .exec(locale)?.[1]
    ?.toUpperCase();
  const make = { en: english, de: german, fr: french, es: spanish }[languageOf(locale)];
  return make?.(region);
}

const noRules = { forDigit: [], forLetter: [], forSign: [], last: [] } as const;
const space = /[\s\u0085]+/uy;
const word = /[\p{L}\p{Nd}](?:[\p{L}\p{Nd}\p{M}]|['’](?=\p{Ll})){0,199}/uy;
const other = /[^\s\u0085]\p{M}{0,8}/uy;
const sayable = /[\p{L}\p{N}]/u;
const arithmetic = /(?:\d|(?<!\p{L})\p{L}|[)²³])\s?[=×÷+*≠≤≥]\s?[-−(√]?(?:\d|\p{L}(?!\p{L}))/u;

function speakingTokens(speech: Speech): (sentence: string) => Token[] {
  const web = createWebRules(speech);
  const symbols = createSymbolRules(speech);
  const dates = createDateRules(speech);
  const quantities = createQuantityRules(speech);
  const numeric = [...dates, ...createPhoneRules(speech), ...createTimeRules(speech)];
  const words = createWordRules(speech);
  const alphanumeric = words.at(-2)!;
  const own =
    speech.language === 'de'
      ? createGermanRules(speech)
      : speech.language === 'en'
        ? createEnglishRules(speech)
        : noRules;
  const forDigit = [
    ...web,
    ...own.forDigit,
    ...numeric,
    ...quantities.slice(0, -1),
    alphanumeric,
    ...own.last,
    quantities.at(-1)!,
  ];
  const forLetter = [
    hyphenRule,
    ...web,
    ...own.forLetter,
    ...dates,
    ...quantities.slice(0, 1),
    ...versionOnly(quantities),
    ...words,
  ];
  const forSign = [
    ...own.forSign,
    ...createPhoneRules(speech).slice(0, 1),
    ...web,
    ...symbols.slice(0, 5),
    ...quantities,
    ...symbols,
  ];

  /** Words that a rule may start with. */
  const isTrigger = (written: string): boolean => {
    const lower = written.toLowerCase();
    return (
      speech.months.has(lower) ||
      speech.weekdays.has(lower) ||
      Object.hasOwn(speech.abbreviations, lower) ||
      Object.hasOwn(speech.abbreviations, written) ||
      Object.hasOwn(speech.currencies, written) ||
      Object.hasOwn(bibleBooks, written) ||
      /^[ivxlcdm]+$/iu.test(written) ||
      /^(?:I(?:er|re)|[VX]e)$/u.test(written) ||
      (speech.language === 'fr' && /^(?:Mgr|Pr|Me|St|Ste)$/u.test(written)) ||
      (speech.language === 'de' && /str$|^(?:Mo|Di|Mi|Do|Fr|Sa|So|Kfz|Lkws?|Pkws?|Ø)$/u.test(written))
    );
  };

  return (text) => {
    const tokens: Token[] = [];
    const shouting = isShouting(text);
    const math = arithmetic.test(text);
    let leadRaw = '';
    let leadEnd = 0;
    let at = 0;
    while (at < text.length) {
      const gap = matchAt(space, text, at);
      if (gap) {
        tokens.push({ start: at, end: at + gap[0].length, spoken: '', space: true });
        at += gap[0].length;
        continue;
      }
      const quick = ordinary(text, at, isTrigger);
      if (quick > at) {
        const written = text.slice(at, quick);
        tokens.push({ start: at, end: quick, spoken: plainSpoken(written, shouting) });
        if (/[\p{L}]$/u.test(written)) {
          leadRaw = written;
          leadEnd = quick;
        }
        at = quick;
        continue;
      }
      const near = leadRaw !== '' && text.slice(leadEnd, at).trim() === '' ? leadRaw : '';
      const place: Place = { text, at, lead: near.toLowerCase(), leadRaw: near, shouting, math, speech };
      const code = text.charCodeAt(at);
      const letter = isLetter(code, text, at);
      const rules = code >= 48 && code <= 57 ? forDigit : letter ? forLetter : forSign;
      const said = firstOf(rules, place);
      let end: number;
      if (said) {
        end = said.end;
        const parts = said.spoken === ' ';
        tokens.push({
          start: at,
          end,
          spoken: parts ? '' : said.spoken,
          ...(parts ? { space: true } : { apart: true }),
        });
      } else {
        const plain =
          (letter || (code >= 48 && code <= 57) ? matchAt(word, text, at) : null) ??
          matchAt(other, text, at)!;
        end = at + plain[0].length;
        tokens.push({ start: at, end, spoken: plainSpoken(plain[0], shouting) });
      }
      const last = /[\p{L}\p{N}'’.]+$/u.exec(text.slice(Math.max(at, end - 24), end))?.[0];
      if (last !== undefined && sayable.test(last)) {
        leadRaw = last.replace(/\.$/u, '');
        leadEnd = end;
      }
      at = end;
    }
    return tokens;
  };
}

const ordinaryWord = /\p{Lu}?\p{Ll}+(?:['’]\p{Ll}+)?(?=[\s,;!?)"”»]|[.:](?:\s|$|["”»)])|$)/uy;
const ordinaryMark =
  /[,!?.)"“”‘’'«»—–](?![[!?¡¿‼⁇⁈⁉.…,;:\-–—=\d$€£/]| \.|\p{L}|\p{M})|["“‘«](?=\p{L})|(?<=\S)[;:](?=\s)|\((?=[\p{L}(])|\[(?=\[)|["”](?=["”])|\)(?=[()])|[\p{Cs}\p{Cf}\p{M}]+/uy;

/**
 * The end of a word or mark of which no rule has anything to say; most of a text is such, and asking every rule would
 * take ten times as long.
 */
function ordinary(text: string, at: number, isTrigger: (written: string) => boolean): number {
  ordinaryWord.lastIndex = at;
  if (ordinaryWord.test(text)) {
    const end = ordinaryWord.lastIndex;
    return end - at > 1 && end - at < 100 && !isTrigger(text.slice(at, end)) ? end : at;
  }
  ordinaryMark.lastIndex = at;
  return ordinaryMark.test(text) ? ordinaryMark.lastIndex : at;
}

/** A sentence of marks only says nothing. */
export const hush = (tokens: Token[]): Token[] =>
  tokens.some(({ spoken }) => /[\p{L}\p{N}\p{S}]/u.test(spoken))
    ? tokens
    : tokens.map((token) => ({ ...token, spoken: '' }));

/** Of the quantities, a letter can only start `fe80::1` and `v1.2`. */
const versionOnly = (quantities: readonly Rule[]): Rule[] => quantities.slice(2, 4);

function firstOf(rules: readonly Rule[], place: Place) {
  for (const rule of rules) {
    const said = rule(place);
    if (said && said.end > place.at) return said;
  }
  return undefined;
}

const isLetter = (code: number, text: string, at: number): boolean =>
  (code >= 97 && code <= 122) ||
  (code >= 65 && code <= 90) ||
  (code > 127 && /^\p{L}/u.test(text.slice(at, at + 2)));

/** A word in capitals in a sentence of capitals is said as any other. */
const plainSpoken = (written: string, shouting: boolean): string =>
  shouting && /^\p{Lu}{2,}(?:['’]\p{Lu}+)?$/u.test(written) ? written.toLowerCase() : sayableOf(written);

function isShouting(text: string): boolean {
  if (/\p{Ll}/u.test(text)) return false;
  return (
    (text.match(/\p{Lu}{2,}/gu)?.length ?? 0) >= 3 ||
    (text.match(/\p{Lu}{3,}/gu)?.length ?? 0) >= 2 ||
    /\p{Lu}{5}/u.test(text)
  );
}

const parts = /[\s\u0085]+|[^\s\u0085]{1,200}/gu;

/** A language that we have no rules for has its words put together all the same where lines part them. */
function wholeWords(sentence: string): Token[] {
  const tokens: Token[] = [];
  let from = 0;
  const plain = (to: number) => {
    for (const token of plainTokens(sentence.slice(from, to)))
      tokens.push({ ...token, start: token.start + from, end: token.end + from });
  };
  for (const { index } of sentence.matchAll(brokenWord)) {
    const said = index < from ? undefined : sayBroken(sentence, index);
    if (!said) continue;
    plain(index);
    tokens.push({ start: index, end: said.end, spoken: said.spoken });
    from = said.end;
  }
  plain(sentence.length);
  return tokens;
}
const brokenWord = /(?<!\p{L})\p{L}{2,40}(?=[-‐\u00ad][ \t]*[\n\r\u000b\u0085\u2028])/gu;

export function plainTokens(sentence: string): Token[] {
  const tokens: Token[] = [];
  for (const { 0: part, index } of sentence.matchAll(parts)) {
    const isSpace = /^[\s\u0085]/u.test(part);
    tokens.push({
      start: index,
      end: index + part.length,
      spoken: isSpace ? '' : sayableOf(part),
      space: isSpace,
    });
  }
  return tokens;
}

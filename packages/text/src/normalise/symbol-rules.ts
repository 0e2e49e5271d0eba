import { createRequire } from 'node:module';
import type emojiData from 'emojibase-data/en/compact.json';
import { sayPower } from './power-rules.ts';
import { matchAt, type Rule } from './rule.ts';
import type { Speech, SpokenSign } from './speech.ts';

const emoji =
  /(?:\p{RI}\p{RI}|\p{Emoji}(?:\p{EMod}|\ufe0f\u20e3?|[\u{e0020}-\u{e007e}]+\u{e007f})?(?:\u200d\p{Emoji}(?:\p{EMod}|\ufe0f)?){0,8})/uy;
const emoticon = /(?::-?\)|:-?\(|;-?\)|:-?D|:-?P|<3|:'\()(?=\s|$|[.,!?])/uy;

export function createSymbolRules(speech: Speech): Rule[] {
  const { words } = speech;
  const names = createEmojiNames(speech.emojiLocale);

  const pictures: Rule = ({ text, at }) => {
    const code = text.codePointAt(at)!;
    if (code < 0xa9) return undefined;
    const found = matchAt(emoji, text, at);
    if (!found || !/\p{Emoji_Presentation}|\p{RI}|\ufe0f|\u200d|\p{Extended_Pictographic}/u.test(found[0]))
      return undefined;
    if (/^[©®™]/u.test(found[0])) return undefined;
    let end = at + found[0].length;
    // The same one many times is said once.
    while (text.startsWith(found[0], end) && end - at < 400) end += found[0].length;
    const name = names(found[0]);
    return name === undefined ? undefined : { end, spoken: name };
  };

  const faces: Rule = ({ text, at }) => {
    const found = speech.language === 'en' ? matchAt(emoticon, text, at) : null;
    if (!found) return undefined;
    const name = { ')': 'smiley face', '(': 'sad face', D: 'grinning face', P: 'playful face', '3': 'heart' }[
      found[0].at(-1)!
    ]!;
    return { end: at + found[0].length, spoken: found[0].startsWith(';') ? 'winking face' : name };
  };

  /** `**bold**`, `[text](address)`, `# heading`: what the writer's tool would have taken away. */
  const markdown: Rule = ({ text, at, math }) => {
    const atLineStart =
      at === 0 ||
      /[\n\r]\s{0,8}$/u.test(text.slice(Math.max(0, at - 10), at)) ||
      (text.slice(0, Math.min(at, 12)).trim() === '' && at < 12);
    if (atLineStart) {
      const mark = matchAt(
        /#{1,6}(?=\s)|>{1,4}(?=\s)|[-+*•⁃‣▪◦●](?=\s)|:[ \t]{1,8}|(?:[-*_=~]\s?){3,60}(?=\s|$)|```\p{L}{0,12}|\[[ xX]\](?=\s)/uy,
        text,
        at,
      );
      if (mark) return { end: at + mark[0].length, spoken: '' };
    }
    if (
      text[at] === '[' &&
      /^\[[ xX]\]\s/u.test(text.slice(at, at + 4)) &&
      /^\s*(?:[-+*]|\d{1,3}[.)])\s+$/u.test(text.slice(0, Math.min(at, 40)))
    )
      return { end: at + 3, spoken: '' };
    // `\\*`: the sign itself is meant; `{#name .class}`: what a heading is called in links.
    if (text.startsWith('\\_', at) && /[\p{L}\p{N}]/u.test(text.slice(at + 2, at + 3)))
      return { end: at + 2, spoken: ' ' };
    const escaped = matchAt(/\\(?=[!-/:-@[-`{-~\s]|$)|\{[#.][^{}\n]{0,80}\}(?=\s*$)/uy, text, at);
    if (escaped) return { end: at + escaped[0].length, spoken: '' };
    const index = matchAt(/(?<=[\p{L})])~(\d{1,3})~/uy, text, at);
    if (index) return { end: at + index[0].length, spoken: speech.cardinal(BigInt(index[1]!)) };
    const image = matchAt(/!\[([^\]\n]{0,200})\]\([^)\s]{0,400}\)/uy, text, at);
    if (image) return { end: at + image[0].length, spoken: image[1]! };
    const note = matchAt(/\[\^[^\]\s]{1,20}\]/uy, text, at);
    if (note) return { end: at + note[0].length, spoken: '' };
    const tag = matchAt(
      /<\/?(?:b|i|u|em|strong|br|p|span|div|a|code|sub|sup|small|s|del|ins|mark|font|hr|li|ul|ol|h[1-6])(?:\s[^<>\n]{0,200})?\/?>/iuy,
      text,
      at,
    );
    if (tag) return { end: at + tag[0].length, spoken: '' };
    const entity = matchAt(
      /&(amp|lt|gt|quot|apos|nbsp|mdash|ndash|hellip|copy|euro|pound|deg|#39|#x27|rsquo|lsquo|ldquo|rdquo);/uy,
      text,
      at,
    );
    if (entity) {
      const said: Readonly<Record<string, string>> = {
        amp: words.and,
        lt: words.less,
        gt: words.greater,
        mdash: '—',
        ndash: '–',
        hellip: '…',
        copy: words.copyright,
        deg: words.degrees,
        '#39': "'",
        '#x27': "'",
        rsquo: '’',
        apos: "'",
        euro: '€',
        pound: '£',
      };
      return { end: at + entity[0].length, spoken: said[entity[1]!] ?? '' };
    }
    if (
      text[at] === '_' &&
      /[\p{L}\p{N}]/u.test(text.slice(Math.max(0, at - 1), at)) &&
      /^_[\p{L}\p{N}]/u.test(text.slice(at, at + 3))
    )
      return { end: at + 1, spoken: ' ' };
    if (
      text[at] === '*' &&
      /[\d)]\s?$/u.test(text.slice(Math.max(0, at - 2), at)) &&
      /^\*\s?[\d(]/u.test(text.slice(at, at + 3))
    )
      return { end: at + 1, spoken: words.times };
    if (
      math &&
      /[\p{L}\d)]\s$/u.test(text.slice(Math.max(0, at - 2), at)) &&
      /^\*\s[\p{L}\d(]/u.test(text.slice(at, at + 3))
    )
      return { end: at + 1, spoken: words.times };
    const remnant = matchAt(/\*{1,3}|_{1,3}|~~|`{1,3}|\|/uy, text, at);
    return remnant ? { end: at + remnant[0].length, spoken: '' } : undefined;
  };

  /** The address of `[text](address)`, at its `]`; the brackets say nothing. */
  const link: Rule = ({ text, at }) => {
    const reference = matchAt(/\]\s?\[[^\][\n]{0,60}\]/uy, text, at);
    if (reference && /\[[^\][\n]*\p{L}[^\][\n]*$/u.test(text.slice(Math.max(0, at - 200), at)))
      return { end: at + reference[0].length, spoken: '' };
    if (
      text[at] === '[' &&
      /^\[[^\][\n]{0,200}?\p{L}[^\][\n]{0,200}\]\[[^\][\n]{0,60}\]/u.test(text.slice(at, at + 500))
    )
      return { end: at + 1, spoken: '' };
    const target = matchAt(/\]\((?:[^()\s]|\([^()\s]{0,60}\)){0,400}(?:\s"[^"\n]{0,100}")?\)/uy, text, at);
    if (target && text.lastIndexOf('[', at) >= 0) return { end: at + target[0].length, spoken: '' };
    if (
      text[at] === '[' &&
      /^\[[^\][\n]{1,200}\]\((?:[^()\s]|\([^()\s]{0,60}\)){0,400}(?:\s"[^"\n]{0,100}")?\)/u.test(
        text.slice(at, at + 700),
      )
    )
      return { end: at + 1, spoken: '' };
    const cite = matchAt(/\[[1-9]\d{0,2}(?:[,–-]\s?\d{1,3}){0,5}\]/uy, text, at);
    return cite && /[\p{L}.,;:!?”"]/u.test(text.slice(Math.max(0, at - 1), at))
      ? { end: at + cite[0].length, spoken: '' }
      : undefined;
  };

  const punctuation: Rule = ({ text, at }) => {
    const marks = matchAt(
      /[!?¡¿‼⁇⁈⁉]{2,400}|[.…]{2,400}|(?:\. ){2,40}\.|,{2,400}|;{2,400}|:{2,400}|[-–—]{2,400}|[=]{2,400}|[*#~_^]{3,400}/uy,
      text,
      at,
    );
    if (!marks) return undefined;
    const first = marks[0][0]!;
    const end = at + marks[0].length;
    if (/[!?‼⁇⁈⁉]/u.test(first)) return { end, spoken: /[?⁇⁈⁉]/u.test(marks[0]) ? '?' : '!' };
    if (/[.…]/u.test(first)) return { end, spoken: '…' };
    if (/[-–—]/u.test(first)) return { end, spoken: /\S/u.test(text.slice(end, end + 3)) ? '—' : '' };
    if (first === '=') return { end, spoken: marks[0].length === 2 && /\d/u.test(text) ? words.equals : '' };
    return { end, spoken: /[,;:]/u.test(first) ? first : '' };
  };

  const mathWords: Readonly<Record<string, SpokenSign>> = {
    '+': 'plus',
    '−': 'minus',
    '±': 'plusMinus',
    '×': 'times',
    '⋅': 'times',
    '÷': 'dividedBy',
    '=': 'equals',
    '≠': 'notEqual',
    '≈': 'about',
    '<': 'less',
    '>': 'greater',
    '≤': 'lessEqual',
    '≥': 'greaterEqual',
    '∞': 'infinity',
    '√': 'root',
    '%': 'percent',
    '‰': 'perMille',
    '°': 'degrees',
    '&': 'and',
    '@': 'at',
    '§': 'section',
    '¶': 'paragraph',
    '©': 'copyright',
    '®': 'registered',
    '™': 'trademark',
    '\\': 'backslash',
    '/': 'slash',
    '∑': 'sum',
    Σ: 'sum',
    π: 'pi',
    '→': 'arrow',
    '⇒': 'arrow',
    '∈': 'elementOf',
    '♯': 'sharp',
    '²': 'squared',
    '³': 'cubed',
    '#': 'hash',
    '№': 'number',
    '~': 'about',
    '÷ ': 'dividedBy',
  };

  const signs: Rule = ({ text, at, math }) => {
    const char = String.fromCodePoint(text.codePointAt(at)!);
    const end = at + char.length;
    const before = text.slice(Math.max(0, at - 2), at);
    const after = text.slice(end, end + 2);
    // `10 : 2 = 5`.
    if (char === ':' && math && speech.language !== 'en' && /\d\s$/u.test(before) && /^\s\d/u.test(after))
      return { end, spoken: words.dividedBy };
    // `¹⁴C`, `²³⁵U`.
    const isotope = /^$|[\s([–-]$/u.test(before)
      ? matchAt(/([⁰¹²³⁴⁵⁶⁷⁸⁹]{1,3})(?=\p{Lu}\p{Ll}?(?!\p{L}))/uy, text, at)
      : null;
    if (isotope) {
      const digits = [...isotope[1]!].map((one) => '⁰¹²³⁴⁵⁶⁷⁸⁹'.indexOf(one)).join('');
      return { end: at + isotope[0].length, spoken: speech.cardinal(BigInt(digits)) };
    }
    if (char === '$' && /^\p{Lu}{1,5}(?![\p{L}\d])/u.test(text.slice(end, end + 6)))
      return { end, spoken: '' };
    // `.NET`, `a .csv`.
    if (char === '.' && /^$|[\s(]$/u.test(before) && /^\p{L}{2}/u.test(after))
      return { end, spoken: words.dot };
    if (char === '/' && /\p{L}$/u.test(before) && text.startsWith('100 km', end))
      return { end, spoken: speech.per };
    if (
      char === '!' &&
      math &&
      speech.language === 'en' &&
      /\d$/u.test(before) &&
      /^\s?[-=+×/)]/u.test(after)
    )
      return { end, spoken: 'factorial' };
    if (char === '·' && math && /\d\s?$/u.test(before) && /^\s?\d/u.test(after))
      return { end, spoken: words.times };
    if (
      char === '/' &&
      /[QHT]\d$/u.test(text.slice(Math.max(0, at - 2), at)) &&
      /^(?:19|20)?\d\d(?!\d)/u.test(text.slice(end, end + 5))
    )
      return { end, spoken: ' ' };
    if (char === '♭' && speech.language === 'en') return { end, spoken: 'flat' };
    const index = matchAt(/[₀-₉]{1,4}/uy, text, at);
    if (index && /[\p{L})]$/u.test(before))
      return {
        end: at + index[0].length,
        spoken: speech.cardinal(BigInt([...index[0]].map((one) => '₀₁₂₃₄₅₆₇₈₉'.indexOf(one)).join(''))),
      };
    if (char === '#' || char === '№') {
      const digit = /^\s?\d/u.test(after);
      return digit
        ? { end: end + (after.startsWith(' ') ? 1 : 0), spoken: words.number }
        : char === '№'
          ? { end, spoken: words.number }
          : { end, spoken: /\p{L}$/u.test(before) ? words.sharp : words.hash };
    }
    if (char === '§') {
      const twice = text[end] === '§';
      return { end: end + (twice ? 1 : 0), spoken: twice ? words.sections : words.section };
    }
    if (
      /[-–*]/u.test(char) &&
      math &&
      /[\p{L}\d)²³]\s?$/u.test(before) &&
      /^\s?(?:\d|\p{L}(?!\p{L}{2})|\()/u.test(text.slice(end, end + 4)) &&
      !/\p{L}{2}$/u.test(before)
    )
      return { end, spoken: char === '*' ? words.times : words.minus };
    if (char === '^') {
      const up = matchAt(/\^\{?([-−]?)(\d{1,6})\}?/uy, text, at);
      if (up) return { end: at + up[0].length, spoken: sayPower(speech, up[2]!, up[1] !== '') };
      const letter = matchAt(/\^(\p{L})(?!\p{L})/uy, text, at);
      return letter
        ? { end: at + letter[0].length, spoken: `${words.toThePower} ${letter[1]}` }
        : { end, spoken: '' };
    }
    if (/[⁰¹⁴-⁹⁻⁺ⁿ]/u.test(char)) {
      const up = matchAt(/([⁻⁺]?)([⁰¹²³⁴⁵⁶⁷⁸⁹]{1,6}|ⁿ)/uy, text, at);
      if (!up || !/[\p{L}\d)]/u.test(before.slice(-1)) || /\p{L}{2}$/u.test(before))
        return { end: at + (up?.[0].length ?? 1), spoken: '' };
      if (up[2] === 'ⁿ') return { end: at + up[0].length, spoken: `${words.toThePower} n` };
      return {
        end: at + up[0].length,
        spoken: sayPower(speech, [...up[2]!].map((c) => '⁰¹²³⁴⁵⁶⁷⁸⁹'.indexOf(c)).join(''), up[1] === '⁻'),
      };
    }
    // A footnote's number behind a word is not a power.
    if (
      /[²³]/u.test(char) &&
      !math &&
      !/(?:^|[^\p{L}])[b-df-hj-np-tv-z]{2}$/u.test(text.slice(Math.max(0, at - 3), at)) &&
      /\p{L}{2}$|[.,;:!?”"]$/u.test(before)
    )
      return { end, spoken: '' };
    // `$5/day`, `20/hr`: per.
    const per =
      char === '/' && /[\p{L}\d%¢€$£]$/u.test(before)
        ? matchAt(/\/(\p{L}{1,12})(?![\p{L}\d/])/uy, text, at)
        : null;
    if (
      per &&
      (Object.hasOwn(speech.units, per[1]!) ||
        /^(?:day|days|week|month|year|hour|minute|second|night|person|head|unit|user|share|piece|kilo|pound|gallon|mile|acre|ton|Tag|Woche|Monat|Jahr|Stunde|Person|jour|mois|an|heure|semaine|personne|nuit|día|mes|año|hora|semana|noche|persona)$/u.test(
          per[1]!,
        )) &&
      (/[\d¢]$/u.test(before) || /(?:\d|[€$£]).{0,16}$/u.test(text.slice(Math.max(0, at - 20), at)))
    ) {
      const noun = Object.hasOwn(speech.units, per[1]!) ? speech.units[per[1]!]![0] : per[1]!;
      const until = at + per[0].length;
      const stop = text[until] === '.' && /^\.[,;)]|^\.\s\p{Ll}/u.test(text.slice(until, until + 3)) ? 1 : 0;
      return { end: until + stop, spoken: `${speech.per} ${noun}` };
    }
    if (char === '/' && /\p{Lu}$/u.test(before) && /^\p{Lu}/u.test(after)) return { end, spoken: ' ' };
    if (char === '/' && math) return { end, spoken: words.over };
    if (char === '<' && !/^\s?[\d\p{L}$]/u.test(after)) return undefined;
    if (/[<>~]/u.test(char) && /^\p{L}{2}/u.test(after) && !/\s$/u.test(before)) return { end, spoken: '' };
    if (char === '~' && !/^\s?[\d$]/u.test(after)) return { end, spoken: '' };
    // Without an amount: `Why the $?`
    if (
      Object.hasOwn(speech.currencies, char) &&
      !/[\p{L}\p{N}]$/u.test(before) &&
      !/^[\p{L}\p{N}]/u.test(after)
    )
      return { end, spoken: speech.currencies[char]!.main[0] };
    // What is left of `$x^2$`.
    if (char === '$') return { end, spoken: '' };
    const word = mathWords[char];
    return word === undefined ? undefined : { end, spoken: words[word] };
  };

  return [pictures, faces, markdown, link, punctuation, signs];
}

const load = createRequire(import.meta.url);

/** Unicode's own names, in the language; a flag's is its country's. Read when the first one is met. */
function createEmojiNames(locale: string | undefined): (emoji: string) => string | undefined {
  let table: Map<string, string> | undefined;
  const bare = (text: string) => text.replace(/[\ufe0f\u{1f3fb}-\u{1f3ff}]/gu, '');
  return (found) => {
    if (locale === undefined) return undefined;
    if (!table) {
      const entries = load(`emojibase-data/${locale}/compact.json`) as typeof emojiData;
      table = new Map(entries.map(({ label, unicode }) => [bare(unicode), label] as const));
    }
    return table.get(bare(found))?.replace(/[“”:]/gu, '').trim();
  };
}

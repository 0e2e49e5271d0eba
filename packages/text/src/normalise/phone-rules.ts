import { sayDigits } from './number.ts';
import { matchAt, type Rule } from './rule.ts';
import type { Speech } from './speech.ts';

const gap = '[\\s.\\u2011-]';
const international = new RegExp(
  `\\+(\\d{1,3})(?:${gap}|\\s?\\(|(?=\\d))(?:\\(?\\d{1,5}\\)?${gap}{0,2}){1,6}\\d{2,}(?![\\d])`,
  'uy',
);
const american = new RegExp(`(?:1${gap})?(?:\\(\\d{3}\\)\\s?|\\d{3}${gap})\\d{3}[\\s.-]\\d{4}(?!\\d)`, 'uy');
const vanity = /(?:1-)?(?:800|888|877|866|900)-[A-Z\d]{3,7}(?:-[A-Z\d]{1,4})?(?![\p{L}\d])/uy;
const local = /\d{3}-\d{4}(?!\d|-)/uy;
const parenthesised = /\(0\d{1,5}\)[\s/]?\d[\d\s/-]{3,14}\d(?!\d)/uy;
const spaced = /0\d{1,5}[\s/-]\d{2,8}(?:[\s-]\d{2,6}){0,4}(?!\d)|0\d(?:[\s.]\d\d){4}(?!\d)/uy;
const groups = /\d{1,4}(?:-\d{1,7}){2,6}(?![\d\p{L}])/uy;
const leads =
  /^(?:call|dial|phone|tel|telephone|fax|at|number|mobile|text|ring|hotline|anrufen|telefon|rufnummer|tél|téléphone|teléfono|llame|fon|helpline|cell)$/u;

export function createPhoneRules(speech: Speech): Rule[] {
  /** Groups of digits are parted by a comma: the voice pauses there as people do. */
  const say = (written: string): string =>
    written
      .replace(/\(0\)/u, ' ')
      .split(/[^\dA-Z]+/u)
      .filter((part) => part !== '')
      .map((part) =>
        /^[A-Z]+$/u.test(part)
          ? part.toLowerCase()
          : part === '800' && speech.language === 'en'
            ? 'eight hundred'
            : part
                .replace(/\d+|[A-Z]+/gu, (run) =>
                  /\d/u.test(run) ? `${sayDigits(speech, run)} ` : `${[...run].join(' ')} `,
                )
                .trim(),
      )
      .join(', ');

  const spanishGroups = /[6-9]\d{1,2}(?:[\s-]\d{2,3}){2,3}(?!\d|[\s-]\d)/uy;

  const full: Rule = ({ text, at, lead }) => {
    for (const pattern of [international, american, vanity, parenthesised]) {
      const found = matchAt(pattern, text, at);
      if (found && (found[0].match(/\d/gu)?.length ?? 0) >= 4)
        return {
          end: at + found[0].length,
          spoken: `${found[0].startsWith('+') ? `${speech.words.plus} ` : ''}${say(found[0])}`,
        };
    }
    const nine = speech.language === 'es' ? matchAt(spanishGroups, text, at) : null;
    if (nine && nine[0].replace(/\D/gu, '').length === 9)
      return { end: at + nine[0].length, spoken: say(nine[0]) };
    const found = matchAt(spaced, text, at);
    if (found && (leads.test(lead) || (found[0].match(/\d/gu)?.length ?? 0) >= 8))
      return { end: at + found[0].length, spoken: say(found[0]) };
    return undefined;
  };

  const seven: Rule = ({ text, at, lead }) => {
    const found = matchAt(local, text, at);
    if (!found) return undefined;
    const [low, high] = found[0].split('-').map(Number) as [number, number];
    if (!leads.test(lead) && high > low && high % 50 === 0) return undefined;
    return { end: at + found[0].length, spoken: say(found[0]) };
  };

  /** Emergency numbers, and numbers of three or more groups: identity, card, book. */
  const other: Rule = ({ text, at, lead }) => {
    const short = matchAt(/\d{3}(?![\d\p{L}]|[.,:/-]\d)/uy, text, at);
    if (short && /^(?:call|dial|phone|ring|text|wählen|rufen|notruf|appelez|llame|marque)$/u.test(lead))
      return { end: at + 3, spoken: sayDigits(speech, short[0]) };
    const found = matchAt(groups, text, at);
    return found ? { end: at + found[0].length, spoken: say(found[0]) } : undefined;
  };

  return [full, seven, other];
}

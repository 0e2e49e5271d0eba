import { closing } from './abbreviation-rules.ts';
import { matchAt, type Rule } from './rule.ts';
import type { Speech } from './speech.ts';

/** What is written in a fixed way and said in another. */
export function createSayingRules(speech: Speech) {
  const { words } = speech;

  /** `b. 1950`, `WWII`, `FY2023`, `OK`. */
  const sayings: Rule = ({ text, at }) => {
    const number = matchAt(/[Nn](?:\.?\s?[°º]|\.?[ºo]\.?)\s?(?=\d)/uy, text, at);
    if (number) return { end: at + number[0].trimEnd().length, spoken: words.number };
    if (speech.language === 'fr') {
      const title = matchAt(/(Mgr|Pr|Me|St|Ste)\.?(?=([\s-])\p{Lu}\p{Ll})/uy, text, at);
      if (title && !(title[1] === 'Me' && text.slice(0, at).trim() === '')) {
        const name = { Mgr: 'Monseigneur', Pr: 'Professeur', Me: 'Maître', St: 'Saint', Ste: 'Sainte' }[
          title[1]!
        ]!;
        return { end: at + title[0].length, spoken: name };
      }
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
      /(?:(w\/o)|(w\/)|(b\/c)|(and\/or)|(R&D|Q&A|AT&T|B&B|R&B|M&M|S&P|H&M|P&L|A&E|K&R|D&D|M&A|T&C|Q&As)|(C\+\+)|([CF]#)|(A\+|B\+|C\+)|([Hh]e\/she|[Ss]he\/he|[Hh]is\/her|[Hh]im\/her|s\/he|[Yy]es\/no|[Ee]ither\/or|[Tt]rue\/false)|(n\/a|N\/A)|(c\/o)|(km\/h|kph)|(AC\/DC))(?![\p{L}\p{N}+#])/uy,
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
                    ? found[0]
                        .replace(/^s\/he/u, 'she/he')
                        .replace('/', /either/iu.test(found[0]) ? ' ' : ' or ')
                    : found[10]
                      ? 'not applicable'
                      : found[11]
                        ? 'care of'
                        : found[12]
                          ? 'kilometers per hour'
                          : 'A C D C';
    return { end, spoken };
  };

  return { sayings, phrases };
}

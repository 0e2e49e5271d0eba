import type { Numerals } from './numerals.ts';
import { matchAt, type Rule, wordAfter } from './rule.ts';
import type { Speech } from './speech.ts';

/** `in 1770`, `the 1770s`, `'68`. */
export function createYearRules({ speech, unit }: Numerals) {
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

  /** `'68`. */
  const shortYear: Rule = ({ text, at }) => {
    const found = matchAt(/['’](\d\d)(?![\d\p{L}])/uy, text, at);
    return found ? { end: at + 3, spoken: sayShortYear(speech, found[1]!) } : undefined;
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

  return { decade, shortYear, year };
}

export const isYear = (digits: string): boolean =>
  digits.length === 4 && Number(digits) >= 1000 && Number(digits) < 2200;

export function sayShortYear(speech: Speech, digits: string): string {
  if (speech.language === 'en' && digits.startsWith('0'))
    return digits === '00' ? 'oh oh' : `oh ${speech.cardinal(BigInt(digits))}`;
  return speech.cardinal(BigInt(digits));
}

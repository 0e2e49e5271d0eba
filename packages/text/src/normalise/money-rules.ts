import { isOne, type NumberRead, sayCount, sayNumber } from './number.ts';
import type { Numerals } from './numerals.ts';
import { matchAt, type Rule, wordAfter } from './rule.ts';
import { type Currency, genderOf, nounFor } from './speech.ts';

/** `$5.20`, `€3 m`, `5–10 €`, `a $5 bill`. */
export function createMoneyRule({ speech, numbers, one, prefix, suffix, scale, rangeSign }: Numerals): Rule {
  const { words } = speech;

  function moneyWords(
    read: NumberRead,
    currency: Currency,
    scaled: string | undefined,
    singular: boolean,
  ): string {
    const { main, sub } = currency;
    if (scaled !== undefined) {
      const de =
        speech.language === 'fr' || speech.language === 'es'
          ? /^mil/u.test(scaled) && scaled !== 'mil' && scaled !== 'mille'
            ? speech.language === 'fr' && /^[aeiou]/u.test(main[1])
              ? "d'"
              : 'de '
            : ''
          : '';
      return `${sayCount(speech, read, 'm')} ${scaled} ${de}${main[1]}`;
    }
    const cents = read.decimals;
    const whole = { ...read, decimals: undefined };
    if (cents === undefined || /^0+$/u.test(cents)) {
      const noun = nounFor(main, one(whole) || singular);
      const round =
        /^[1-9]\d*0{6}$/u.test(read.whole) && speech.language !== 'en' && speech.language !== 'de';
      return `${sayCount(speech, whole, genderOf(main))} ${round ? (speech.language === 'fr' && /^[aeiou]/u.test(noun) ? "d'" : 'de ') : ''}${noun}`;
    }
    if (cents.length > 2 || sub === undefined) return `${sayNumber(speech, read)} ${main[1]}`;
    const n = BigInt(cents.padEnd(2, '0'));
    const small = `${speech.count(n, genderOf(sub))} ${nounFor(sub, n === 1n)}`;
    if (/^0+$/u.test(read.whole)) return small;
    const big = `${sayCount(speech, whole, genderOf(main))} ${nounFor(main, one(whole))}`;
    if (speech.language === 'de') return `${big} ${speech.cardinal(n)}`;
    return `${big} ${words.and} ${small}`;
  }

  const money: Rule = (place) => {
    const { text, at, lead } = place;
    const sign = matchAt(/[-−–+]/uy, text, at);
    const from = sign ? at + 1 : at;
    const before = matchAt(prefix, text, from);
    let start = before ? from + before[0].length : from;
    const inner = before && !sign ? matchAt(/[-−]/uy, text, start) : null;
    if (inner) start++;
    const read = numbers.read(text, start);
    if (!read) return undefined;
    let end = read.end;
    let scaled: string | undefined;
    const scaleName = matchAt(scale, text, end);
    let currency = before ? speech.currencies[before[1] ?? before[2]!] : undefined;
    if (scaleName) {
      const after = end + scaleName[0].length;
      if (currency || matchAt(suffix, text, after)) {
        // `$5 m` is money, `5 t €` is not.
        const name = scaleName[1]!;
        const pair = speech.scales[name]!;
        scaled = isOne(read) ? pair[0] : pair[1];
        end = after;
      }
    }
    let low: string | undefined;
    let high = read;
    // `€1,50` and `1.50 €` in a language that writes it otherwise.
    const foreign =
      read.decimals === undefined && !read.grouped && scaled === undefined
        ? matchAt(/[.,](\d\d)(?!\d|[.,]\d)/uy, text, read.end)
        : null;
    if (foreign && (currency || matchAt(suffix, text, read.end + 3))) {
      high = { ...read, decimals: foreign[1], end: read.end + 3 };
      end = high.end;
    }
    if (currency) {
      const range = matchAt(rangeSign, text, end);
      const again = range ? matchAt(prefix, text, end + range[0].length) : null;
      const second = range ? numbers.read(text, end + range[0].length + (again?.[0].length ?? 0)) : undefined;
      if (range && second && !/^[-–]\d/u.test(text.slice(second.end, second.end + 2))) {
        low =
          again || scaled !== undefined ? moneyWords(read, currency, scaled, false) : sayNumber(speech, read);
        high = second;
        end = second.end;
        const scale2 = matchAt(scale, text, end);
        scaled = undefined;
        if (scale2) {
          scaled = speech.scales[scale2[1]!]![1];
          end += scale2[0].length;
        }
      }
    } else {
      const after = matchAt(suffix, text, end);
      if (!after) return undefined;
      currency = speech.currencies[after[1] ?? after[2]!];
      end += after[0].length;
    }
    if (!currency) return undefined;
    // `a $5 bill`, `a 20-dollar note`: the noun counts nothing.
    const attributive =
      speech.language === 'en' &&
      /^(?:a|an|each|every|another|per)$/u.test(lead) &&
      (high.decimals === undefined || scaled !== undefined) &&
      /^[\s-]\p{Ll}/u.test(text.slice(end, end + 2)) &&
      !/^(?:and|or|is|was|in|for|to|on|from|a|per|at|of|today|each|with|but|more|less|off)$/u.test(
        wordAfter(text, end),
      );
    const said = moneyWords(high, currency, scaled, attributive);
    const spoken =
      scaled !== undefined && attributive ? said.replace(currency.main[1], currency.main[0]) : said;
    const signWord = sign || inner ? `${/\+/u.test(sign?.[0] ?? '') ? words.plus : words.minus} ` : '';
    return { end, spoken: signWord + (low === undefined ? spoken : `${low} ${words.to} ${spoken}`) };
  };

  return money;
}

import { matchAt, type Rule } from './rule.ts';
import type { Speech } from './speech.ts';

const states: Readonly<Record<string, string>> = {
  AL: 'Alabama',
  AK: 'Alaska',
  AZ: 'Arizona',
  AR: 'Arkansas',
  CA: 'California',
  CO: 'Colorado',
  CT: 'Connecticut',
  DE: 'Delaware',
  FL: 'Florida',
  GA: 'Georgia',
  HI: 'Hawaii',
  ID: 'Idaho',
  IL: 'Illinois',
  IN: 'Indiana',
  IA: 'Iowa',
  KS: 'Kansas',
  KY: 'Kentucky',
  LA: 'Louisiana',
  ME: 'Maine',
  MD: 'Maryland',
  MA: 'Massachusetts',
  MI: 'Michigan',
  MN: 'Minnesota',
  MS: 'Mississippi',
  MO: 'Missouri',
  MT: 'Montana',
  NE: 'Nebraska',
  NV: 'Nevada',
  NH: 'New Hampshire',
  NJ: 'New Jersey',
  NM: 'New Mexico',
  NY: 'New York',
  NC: 'North Carolina',
  ND: 'North Dakota',
  OH: 'Ohio',
  OK: 'Oklahoma',
  OR: 'Oregon',
  PA: 'Pennsylvania',
  RI: 'Rhode Island',
  SC: 'South Carolina',
  SD: 'South Dakota',
  TN: 'Tennessee',
  TX: 'Texas',
  UT: 'Utah',
  VT: 'Vermont',
  VA: 'Virginia',
  WA: 'Washington',
  WV: 'West Virginia',
  WI: 'Wisconsin',
  WY: 'Wyoming',
};

const signNames: Readonly<Record<string, string>> = {
  '∪': 'union',
  '∩': 'intersection',
  '∀': 'for all',
  '∃': 'there exists',
  '∴': 'therefore',
  '∵': 'because',
  '∫': 'the integral of',
  '∂': 'partial',
  '∝': 'is proportional to',
  '⊂': 'is a subset of',
  '∉': 'not in',
  '∅': 'the empty set',
  '≡': 'is equivalent to',
};

/** What only English writes: feet and inches side by side, books of the Bible in parts, states before their postcodes. */
export function createEnglishRules(speech: Speech) {
  const { words } = speech;
  const cardinal = (digits: string) => speech.cardinal(BigInt(digits));
  const size = (written: string) => {
    const [whole, decimals] = written.split('.') as [string, string?];
    return decimals === undefined
      ? cardinal(whole)
      : `${cardinal(whole)} ${speech.point} ${speech.decimals(decimals)}`;
  };
  const length = (written: string, mark: string) => {
    const feet = /['′’]/u.test(mark);
    const one = written === '1';
    return `${size(written)} ${feet ? (one ? words.foot : words.feet) : one ? words.inch : words.inches}`;
  };

  /** `12' x 15'`, `3" by 5"`, `2' high`. */
  const sizes: Rule = ({ text, at }) => {
    const sides = matchAt(
      /(\d{1,4}(?:\.\d{1,3})?)(['′’"″”])\s?(?:[x×]|by(?=\s))\s?(\d{1,4}(?:\.\d{1,3})?)(['′’"″”])(?!\p{L})(?:\s?(?:[x×]|by(?=\s))\s?(\d{1,4}(?:\.\d{1,3})?)(['′’"″”])(?!\p{L}))?/uy,
      text,
      at,
    );
    if (sides) {
      const said = [length(sides[1]!, sides[2]!), length(sides[3]!, sides[4]!)];
      if (sides[5] !== undefined) said.push(length(sides[5], sides[6]!));
      return { end: at + sides[0].length, spoken: said.join(` ${words.by} `) };
    }
    const one = matchAt(
      /(\d{1,4}(?:\.\d{1,3})?)(['′’"″”])(?=\s(?:high|tall|wide|long|deep|thick|across|in diameter)(?!\p{L}))/uy,
      text,
      at,
    );
    return one ? { end: at + one[0].length, spoken: length(one[1]!, one[2]!) } : undefined;
  };

  /** `due 5/6`, `by 1/11.`: a day, where no noun follows that it could be a part of. */
  const day: Rule = ({ text, at, lead }) => {
    if (!/^(?:on|by|due|until|till|before|since|dated|deadline)$/u.test(lead)) return undefined;
    const found = matchAt(
      /(\d{1,2})\/(\d{1,2})(?=\s*$|[.,;:!?)]|\s(?:at|or|and|by|from|in|\p{Lu}))(?![.,]\d)/uy,
      text,
      at,
    );
    if (!found) return undefined;
    const [first, second] = [Number(found[1]), Number(found[2])];
    const [month, date] = speech.dayFirst ? [second, first] : [first, second];
    if (month < 1 || month > 12 || date < 1 || date > 31) return undefined;
    const said = speech.date({ day: date, month, year: undefined, lead, dayFirst: speech.dayFirst });
    return { end: at + found[0].length, spoken: said };
  };

  /** `1 Cor. 13`, `2 Kings 3:4`. */
  const bookPart: Rule = ({ text, at }) => {
    const found = matchAt(
      /([123])(?=\s(?:Cor|Corinthians|Kings|Kgs|Sam|Samuel|Chr|Chron|Chronicles|Thess|Thessalonians|Tim|Timothy|Pet|Peter|John|Jn|Macc|Maccabees)\.?\s\d)/uy,
      text,
      at,
    );
    if (!found || /[\d.:]$/u.test(text.slice(Math.max(0, at - 1), at))) return undefined;
    return { end: at + 1, spoken: ['First', 'Second', 'Third'][Number(found[1]) - 1]! };
  };

  /** `the 1s and 0s`. */
  const digitPlurals: Rule = ({ text, at, lead }) => {
    const found = matchAt(/(\d)s(?![\p{L}\d])/uy, text, at);
    if (!found || !/^(?:the|and|of|all|all|these|those|two|three|four|five|binary|double)$/u.test(lead))
      return undefined;
    const said = cardinal(found[1]!);
    return { end: at + 2, spoken: said === 'six' ? 'sixes' : `${said}s` };
  };

  /** `Springfield, IL 62704`. */
  const state: Rule = ({ text, at }) => {
    const found = matchAt(/([A-Z]{2})(?=\s\d{5}(?!\d))/uy, text, at);
    const name = found && states[found[1]!];
    return name && /,\s$/u.test(text.slice(Math.max(0, at - 2), at))
      ? { end: at + 2, spoken: name }
      : undefined;
  };

  /** `Roe v. Wade`. */
  const against: Rule = ({ text, at, leadRaw }) => {
    const found = matchAt(/v\.?(?=\s\p{Lu})/uy, text, at);
    return found && /^\p{Lu}|^(?:al|others)$/u.test(leadRaw)
      ? { end: at + found[0].length, spoken: 'versus' }
      : undefined;
  };

  const logic: Rule = ({ text, at }) => {
    const name = signNames[text[at]!];
    return name === undefined ? undefined : { end: at + 1, spoken: name };
  };

  return {
    forDigit: [sizes, day, bookPart, digitPlurals],
    forLetter: [state, against],
    forSign: [logic],
    last: [],
  };
}

import { acronyms, initialisms } from './english-words.ts';
import { matchAt, type Rule } from './rule.ts';
import type { Speech } from './speech.ts';

const caps = /(\p{Lu}[\p{Lu}\p{N}]{1,14})(['’]?s)?(?![\p{L}\p{N}])/uy;
const mixed =
  /(?:(?:\p{Lu}{1,6}|\p{Ll})\d{1,4}[\p{Lu}\d]{0,8}|\d{1,4}\p{Lu}{1,4}\d{0,4}|\p{Lu}{2,6}-?\d{1,4})(?:s)?(?![\p{L}\p{N}])/uy;
const hyphenated = /(\p{Lu}{1,6}|[A-Z][a-z]+)-(\d{1,4})(s)?(?![\d\p{L}]|[-.,/:]\d)/uy;

/** Words of capitals, and of letters and digits: said, or spelled out. */
export function createLettersRules(speech: Speech) {
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

  /** Letters and digits in one: `MP3`, `4K`, `COVID-19`. */
  const alphanumeric: Rule = ({ text, at }) => {
    const joined = matchAt(hyphenated, text, at);
    if (joined) {
      const [all, head, digits, plural = ''] = joined;
      const said = /^\p{Lu}+$/u.test(head!) && !acronyms.has(head!) ? [...head!].join(' ') : head!;
      return {
        end: at + all.length,
        spoken:
          `${said} ${digits!.startsWith('0') ? [...digits!].map((d) => speech.cardinal(BigInt(d))).join(' ') : speech.cardinal(BigInt(digits!))}${plural}`
            .replace(/xs$/u, 'xes')
            .replace(/ys$/u, 'ies'),
      };
    }
    const found = matchAt(mixed, text, at);
    if (!found || /^\d+(?:ST|ND|RD|TH)$/u.test(found[0])) return undefined;
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

  return { capitals, degrees, alphanumeric };
}

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

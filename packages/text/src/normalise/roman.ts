import { matchAt, type Rule, wordAfter } from './rule.ts';
import type { Speech } from './speech.ts';

const values: Readonly<Record<string, number>> = { I: 1, V: 5, X: 10, L: 50, C: 100, D: 500, M: 1000 };
const wellFormed = /^M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})$/u;

/** The number that a Roman numeral writes; nothing if it is not one. */
export function romanValue(numeral: string): number | undefined {
  if (numeral === '' || !wellFormed.test(numeral)) return undefined;
  let sum = 0;
  for (let at = 0; at < numeral.length; at++) {
    const value = values[numeral[at]!]!;
    sum += value < (values[numeral[at + 1] ?? ''] ?? 0) ? -value : value;
  }
  return sum;
}

const numeral = /([IVXLCDM]{1,15}|[ivxlcdm]{1,15})(?![\p{L}\p{N}])/uy;
/** `Ier`, `XIXe`, `IIIrd`; never `Le`, `Ce`, `De`, which are words. */
const afterNumber =
  /(?:(I)(?:er|re|ère)|([VX]|[IVX]{2,8}|[IVXLC]{3,8})(?:e|ème)|([IVX]{2,8}|[IVXLC]{3,8})(?:th|st|nd|rd))(?![\p{L}\p{N}])/uy;
const verbs =
  /^(?:was|is|had|has|of|and|died|reigned|ruled|became|married|who|did|would|could|made|came|went|gave|took|left|in|to|or|von|de|et|y|war|wurde|hatte|hat|starb|ist|fut|est|avait|a|était|mourut|era|fue|es|murió|tuvo|on|at|signed|founded|succeeded|ascended|called|built|ordered|from|the|king)$/u;
const regnal =
  /^(?:king|queen|pope|emperor|empress|prince|princess|tsar|czar|kaiser|könig|königin|papst|roi|reine|pape|empereur|rey|reina|papa|emperador)$/u;

/**
 * Roman numerals where they are numbers: behind a word that is counted, a ruler's name, or by themselves if nothing else is
 * written so. `I` is a word, `MIX` and `CD` are others.
 */
export function createRomanRule(speech: Speech): Rule {
  return (place) => {
    const { text, at, lead, leadRaw, shouting } = place;
    const marked = matchAt(afterNumber, text, at);
    if (marked) {
      const n = romanValue((marked[1] ?? marked[2] ?? marked[3])!);
      if (n !== undefined && (speech.language === 'fr' || speech.language === 'en'))
        return {
          end: at + marked[0].length,
          spoken: speech.ordinal(BigInt(n), /re$/u.test(marked[0]) ? 're' : 'e'),
        };
    }
    const found = matchAt(numeral, text, at);
    if (!found) return undefined;
    const written = found[1]!;
    const end = at + written.length;
    const n = romanValue(written.toUpperCase());
    if (n === undefined) return undefined;
    const next = wordAfter(text, text[end] === '.' && speech.language === 'de' ? end + 1 : end);
    const upper = written === written.toUpperCase();
    const leadWord = lead.replace(/\.$/u, '');
    if (!upper) {
      const small =
        /^(?:p|pp|page|pages|chapters|chapter|ch|vol|part|section|scene|act|book|appendix|footnote|note|s|seite|seiten|pág|kapitel)$/u.test(
          leadWord,
        );
      if (
        !small ||
        n >= 400 ||
        !(
          written.length > 1 ||
          /^[vx]$/u.test(written) ||
          (written === 'i' && /^(?:scene|act)$/u.test(leadWord))
        )
      )
        return undefined;
      const until = matchAt(/\s?[-–]\s?([ivxlc]{1,9})(?![\p{L}\d])/uy, text, end);
      const last = until && romanValue(until[1]!.toUpperCase());
      const first = speech.cardinal(BigInt(n));
      return last
        ? {
            end: end + until[0].length,
            spoken: `${first} ${speech.words.to} ${speech.cardinal(BigInt(last))}`,
          }
        : { end, spoken: first };
    }
    const dotted =
      speech.language === 'de' && text[end] === '.' && /^\.\s*\S/u.test(text.slice(end, end + 3));
    const medical =
      /^(?:drip|drips|fluids?|line|lines|bag|bags|needle|antibiotics?|therapy|injections?|infusions?|pole|access|medications?|treatment)$/u;
    if (written === 'IV' && medical.test(next)) return undefined;
    if (leadWord === 'malcolm' && written === 'X') return undefined;
    if (speech.rulers.has(leadWord) && !/[.,]$/u.test(leadRaw) && n < 100) {
      const possessive = /^['’]s?\b/u.test(text.slice(end, end + 2));
      const stands =
        written.length > 1 ||
        possessive ||
        next === '' ||
        verbs.test(next) ||
        dotted ||
        /^[,;:.)]/u.test(text.slice(end, end + 1));
      const isWord =
        written === 'I' &&
        /^(?:am|was|had|have|think|do|did|would|could|will)$/u.test(next) &&
        !regnal.test(wordBefore(text, at, 2));
      if (
        stands &&
        !(written === 'I' && isWord && next !== 'was' && next !== 'had' && next !== 'did' && next !== 'would')
      )
        return { end: end + (dotted ? 1 : 0), spoken: speech.romanRuler(n, leadWord) };
    }
    if (
      speech.centuries.has(next.toLowerCase()) ||
      (speech.centuries.has(leadWord) && speech.language === 'es')
    )
      return {
        end: end + (dotted ? 1 : 0),
        spoken: speech.language === 'es' ? speech.cardinal(BigInt(n)) : speech.ordinal(BigInt(n), lead),
      };
    if (
      dotted &&
      n < 40 &&
      (written.length > 1 ||
        /^(?:Weltkrieg|Reich|Republik|Senat|Zivilsenat|Strafsenat|Internationale|Akt|Teil|Abschnitt|Kapitel|Stock|Quartal|Liga)\p{Ll}{0,3}$/u.test(
          next,
        ))
    )
      return { end: end + 1, spoken: speech.ordinal(BigInt(n), lead) };
    if (/^an?$/u.test(lead) && speech.language === 'en') return undefined;
    // `Appendix C`, `Section D` are letters.
    if (
      /^[CDLM]$/u.test(written) &&
      !/^(?:chapter|canto|psalm|sonnet|kapitel|chapitre|capítulo)$/u.test(leadWord)
    )
      return undefined;
    // `John Smith III`.
    if (
      speech.language === 'en' &&
      /^(?:II|III|IV|V)$/u.test(written) &&
      /^\p{Lu}\p{Ll}+$/u.test(leadRaw) &&
      !speech.romanLeads.has(leadWord) &&
      hasFirstName(text, at, speech)
    )
      return { end, spoken: speech.romanRuler(n, leadWord) };
    if (
      speech.romanLeads.has(leadWord) &&
      !(
        written === 'I' &&
        /^(?:am|was|had|have|think|like|read|saw|wrote|want|know|love|got|did|do|can|will|would|could|must|need|found|bought|never)$/u.test(
          next,
        ) &&
        !/^(?:chapter|act|part|book|volume|section|war)$/u.test(leadWord)
      )
    )
      return { end, spoken: speech.cardinal(BigInt(n)) };
    if (shouting && !/^[IVX]{2,}$/u.test(written)) return undefined;
    // Alone: I, V and X by themselves are letters; with L, C, D or M there are too many words and initials.
    if (
      /^(?:II|III|IV|VI|VII|VIII|IX|X{1,3}(?:IX|IV|V?I{1,3})|XX|XXX|X{0,3}V(?=I)|XV|XXV|XI{0,3})$/u.test(
        written,
      ) &&
      written.length > 1
    )
      return { end, spoken: speech.cardinal(BigInt(n)) };
    if (written.length >= 4 && /[MDCL]/u.test(written) && /[XVI]/u.test(written) && n > 1000)
      return { end, spoken: n < 2200 ? speech.year(n) : speech.cardinal(BigInt(n)) };
    if (written.length >= 5 && /^[LXVIC]+$/u.test(written))
      return { end, spoken: speech.cardinal(BigInt(n)) };
    if (/^\p{Lu}\p{Ll}/u.test(leadRaw) && /^M{1,3}(?:CM|D?C{0,3})?(?:X|L)/u.test(written))
      return { end, spoken: speech.year(n) };
    return undefined;
  };
}

/** Whether what stands before is a family name behind a title, an initial or a first name. */
function hasFirstName(text: string, at: number, speech: Speech): boolean {
  const found = /(\p{Lu}[\p{L}]*)(\.?)\s+\p{Lu}[\p{L}'’-]+\s$/u.exec(text.slice(Math.max(0, at - 48), at));
  if (!found) return false;
  const first = found[1]!.toLowerCase();
  return (
    (first.length === 1 && found[2] === '.') ||
    /^(?:mr|mrs|ms|dr|prof|rev|sir|senator|judge|thomas|samuel|walter|harry|frank|arthur|albert|jack|sammy)$/u.test(
      first,
    ) ||
    (speech.rulers.has(first) && !/^(?:king|queen|pope|prince)$/u.test(first))
  );
}

function wordBefore(text: string, at: number, back: number): string {
  const said =
    text
      .slice(Math.max(0, at - 40), at)
      .toLowerCase()
      .match(/\p{L}+/gu) ?? [];
  return said.at(-back) ?? '';
}

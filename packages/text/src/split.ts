import { joinTokens, type Token } from './spoken.ts';

/**
 * Parts tokens into groups whose spoken text measures at most `most`: as few as can be, of like length, cut after a clause
 * rather than between words. A token is never cut, but for one that alone is too long: that falls into words of its
 * script, then into graphemes.
 */
export function splitTokens(
  tokens: readonly Token[],
  most: number,
  measure: (spoken: string) => number,
  locale: string,
): (readonly Token[])[] {
  const spoken = joinTokens(tokens, 0).text;
  const total = measure(spoken);
  if (total <= most || spoken === '') return [tokens];
  const perUnit = total / spoken.length;
  const longest = Math.max(1, Math.floor(most / perUnit));
  const small = tokens.flatMap((token) =>
    token.spoken.length > longest ? breakToken(token, longest, locale) : [token],
  );
  if (small.length < 2) return [small];
  const groups = balance(small, longest);
  const middle = small.length >> 1;
  const parts = groups.length > 1 ? groups : [small.slice(0, middle), small.slice(middle)];
  return parts.flatMap((part) => splitTokens(part, most, measure, locale));
}

function balance(tokens: readonly Token[], longest: number): (readonly Token[])[] {
  const lengths = tokens.map(({ spoken, space }) => (space ? 1 : spoken.length));
  let left = lengths.reduce((sum, length) => sum + length, 0);
  const groups: (readonly Token[])[] = [];
  let from = 0;
  while (left > longest) {
    const target = left / Math.ceil(left / longest);
    let best = -1;
    let bestCost = Number.POSITIVE_INFINITY;
    let length = 0;
    for (let at = from; at < tokens.length - 1; at++) {
      length += lengths[at]!;
      if (length > longest && best >= 0) break;
      const cost = Math.abs(length - target) / target + cutCost(tokens, at, from);
      if (cost < bestCost) {
        bestCost = cost;
        best = at;
      }
      if (length > longest) break;
    }
    if (best < 0) break;
    groups.push(tokens.slice(from, best + 1));
    for (let at = from; at <= best; at++) left -= lengths[at]!;
    from = best + 1;
  }
  groups.push(tokens.slice(from));
  return groups.filter((group) => group.length > 0);
}

const joiners =
  /^(?:and|but|or|nor|so|yet|because|although|though|while|when|where|which|who|that|if|unless|until|und|aber|oder|denn|weil|dass|wenn|et|mais|ou|donc|car|que|qui|quand|y|pero|o|porque|cuando)$/iu;

/** How bad it is to cut after `tokens[at]`: 0 after a stop, 4 inside a word. */
function cutCost(tokens: readonly Token[], at: number, from: number): number {
  const token = tokens[at]!;
  const next = tokens[at + 1]!;
  if (next.space) return 4;
  if (token.space) {
    let last = at - 1;
    while (last > from && tokens[last]!.spoken === '') last--;
    const said = tokens[last]?.spoken ?? '';
    if (/[.!?…;:—–]["'”’»)\]]*$/u.test(said)) return 0;
    if (/[,،、]["'”’»)\]]*$/u.test(said)) return 0.2;
    if (joiners.test(next.spoken)) return 0.5;
    return 1;
  }
  if (/[。！？；：，、…—।؟،]$/u.test(token.spoken)) return 0.1;
  if (uncased.test(token.spoken) && uncased.test(next.spoken)) return 1.2;
  return 4;
}

const uncased =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/** A token too long by itself: a run of a script without spaces, or one endless word. */
function breakToken(token: Token, longest: number, locale: string): Token[] {
  if (token.space || token.end - token.start !== token.spoken.length) return [token];
  const pieces: Token[] = [];
  for (const { segment, index } of wordsOf(token.spoken, locale)) {
    const start = token.start + index;
    if (segment.length <= longest) pieces.push({ start, end: start + segment.length, spoken: segment });
    else {
      for (const grapheme of graphemesOf(segment))
        pieces.push({
          start: start + grapheme.index,
          end: start + grapheme.index + grapheme.segment.length,
          spoken: grapheme.segment,
        });
    }
  }
  return pieces;
}

function wordsOf(text: string, locale: string): Iterable<{ segment: string; index: number }> {
  return segmenter(locale, 'word').segment(text);
}

function graphemesOf(text: string): Iterable<{ segment: string; index: number }> {
  return segmenter('en', 'grapheme').segment(text);
}

function segmenter(locale: string, granularity: 'word' | 'grapheme'): Intl.Segmenter {
  try {
    return new Intl.Segmenter(locale, { granularity });
  } catch {
    return new Intl.Segmenter('en', { granularity });
  }
}

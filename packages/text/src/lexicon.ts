import { createHash } from 'node:crypto';
import { RhapsodeError } from '@rhapsode/contracts';

export interface LexiconRule {
  /** What is written. */
  readonly grapheme: string;
  /** What is said for it: other words, or sounds in IPA. One of the two. */
  readonly alias?: string;
  readonly ipa?: string;
  /** By default case does not matter, and what stands before and after must not be a letter or a digit. */
  readonly caseSensitive?: boolean;
  readonly anywhere?: boolean;
}

export interface LexiconMatch {
  readonly start: number;
  readonly end: number;
  readonly rule: LexiconRule;
}

/** A list of words that are said otherwise. Never changes: a new version is a new lexicon. */
export interface Lexicon {
  readonly version: string;
  /** Of the rules: part of the content key of every segment that was planned with them. */
  readonly digest: string;
  readonly size: number;
  /** The longest rule at each place, first come first; matches do not overlap. */
  find(text: string): LexiconMatch[];
}

export const lexiconLimits = { rules: 50_000, graphemeLength: 200, spokenLength: 1000 } as const;

interface Node {
  readonly next: Map<string, Node>;
  readonly rules: LexiconRule[];
}

export function createLexicon(rules: readonly LexiconRule[], version = '1'): Lexicon {
  if (rules.length > lexiconLimits.rules)
    throw new RhapsodeError('invalid_request', {
      message: `a lexicon has at most ${lexiconLimits.rules} rules`,
    });
  const root: Node = { next: new Map(), rules: [] };
  for (const rule of rules) {
    check(rule);
    let node = root;
    for (const char of fold(rule.grapheme)) {
      let next = node.next.get(char);
      if (!next) {
        next = { next: new Map(), rules: [] };
        node.next.set(char, next);
      }
      node = next;
    }
    node.rules.push(rule);
  }

  function longestAt(text: string, folded: string, at: number): LexiconMatch | undefined {
    let node: Node | undefined = root;
    let best: LexiconMatch | undefined;
    for (let end = at; end <= folded.length; end++) {
      for (const rule of node.rules) {
        if (rule.caseSensitive && text.slice(at, end) !== rule.grapheme) continue;
        if (!rule.anywhere && (joined(text, at) || joined(text, end))) continue;
        best = { start: at, end, rule };
        break;
      }
      node = end < folded.length ? node.next.get(folded[end]!) : undefined;
      if (!node) break;
    }
    return best;
  }

  return {
    version,
    digest: createHash('sha256')
      .update(
        JSON.stringify(
          rules.map((rule) => [
            rule.grapheme,
            rule.alias,
            rule.ipa,
            rule.caseSensitive ?? false,
            rule.anywhere ?? false,
          ]),
        ),
      )
      .digest('hex'),
    size: rules.length,
    find(text) {
      const matches: LexiconMatch[] = [];
      if (rules.length === 0) return matches;
      const folded = fold(text);
      for (let at = 0; at < folded.length; ) {
        const found = root.next.has(folded[at]!) ? longestAt(text, folded, at) : undefined;
        if (found) matches.push(found);
        at = found ? found.end : at + 1;
      }
      return matches;
    },
  };
}

/** Lower case, code unit by code unit: offsets stay. */
function fold(text: string): string {
  const lower = text.toLowerCase();
  if (lower.length === text.length) return lower;
  return Array.from({ length: text.length }, (_, at) => {
    const char = text[at]!;
    const small = char.toLowerCase();
    return small.length === 1 ? small : char;
  }).join('');
}

/** Whether a word goes on over `at`. */
const joined = (text: string, at: number): boolean =>
  at > 0 &&
  at < text.length &&
  /[\p{L}\p{N}\p{M}]/u.test(text.slice(Math.max(0, at - 1), at)) &&
  /^[\p{L}\p{N}\p{M}]/u.test(text.slice(at, at + 2));

function check({ grapheme, alias, ipa }: LexiconRule): void {
  const wrong = (message: string) =>
    new RhapsodeError('invalid_request', { message: `lexicon: ${message}`, param: 'lexicon' });
  if (grapheme === '' || grapheme.length > lexiconLimits.graphemeLength)
    throw wrong(`a written form has 1 to ${lexiconLimits.graphemeLength} characters`);
  if ((alias === undefined) === (ipa === undefined))
    throw wrong(`'${grapheme}' needs an alias or IPA, not both`);
  if ((alias ?? ipa!).length > lexiconLimits.spokenLength)
    throw wrong(`'${grapheme}' says more than ${lexiconLimits.spokenLength} characters`);
}

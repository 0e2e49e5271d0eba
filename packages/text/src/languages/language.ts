/**
 * What the segmenter knows of a language. An entry matches any case, or with `=` in front exactly; the stop that follows is
 * left out.
 */
export interface SentenceWords {
  /** Their stop never ends a sentence: `Mr.`, `e.g.` */
  readonly joins: ReadonlySet<string>;
  /** Their stop does not end a sentence before a number: `No.`, `p.` */
  readonly joinsNumber: ReadonlySet<string>;
  /** Their stop ends a sentence only before a word that often starts one: `Inc.`, `etc.` */
  readonly mayEnd: ReadonlySet<string>;
  /** Words that start sentences far more often than they follow an abbreviation. */
  readonly starters: ReadonlySet<string>;
  /** `"Run!" Tom shouted`: the sentence goes on after the quotation. */
  readonly speechVerbs: ReadonlySet<string>;
  /** A day's number with a stop is an ordinal before these: German `3. Oktober`. */
  readonly ordinalNouns: ReadonlySet<string>;
  /** A number with a stop is an ordinal after these: German `der 3. Versuch`. */
  readonly ordinalLeads: ReadonlySet<string>;
}

/** A set from words parted by white space. */
export const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/u));

export const noWords: ReadonlySet<string> = new Set();

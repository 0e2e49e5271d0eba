import { languageOf, sentenceWords } from './languages/sentence-words.ts';
import { lineBreakAt } from './lines.ts';
import {
  countBreaks,
  lineBefore,
  lookahead,
  matchEnd,
  maxSentence,
  type SentenceCut,
  tokenBefore,
  type Verdict,
  type View,
} from './view.ts';

const anyCandidate =
  /[\p{Sentence_Terminal}…‥๚๛\n\r\u000b\u000c\u0085\u2028\u2029]|\s(?=[(]?(?:\d{1,3}|[a-z])[.)]|[•⁃‣▪◦●])/gu;
const anyTerminators = /(?:[\p{Sentence_Terminal}…‥๚๛]|(?<=[.…]) (?=\.)|[\p{M}\u200b-\u200f\u2060\ufeff])+/uy;
/** Greek asks with a semicolon. */
const greekCandidate = new RegExp(`${anyCandidate.source}|[;\u037e]`, 'gu');
const greekTerminators = new RegExp(anyTerminators.source.replace('[', '[;\u037e'), 'uy');
const closers =
  /(?:["'”’»›)\]}」』】）〉》〕*_~`¹²³⁴-⁹⁰]|\[\d{1,4}\]|[“‘«‹](?=[\s,;:)]|$)|\[(?:note|citation needed)[^\]\n]{0,12}\]|[\p{M}\u200b-\u200f\u2060\ufeff])+/uy;
const frenchCloser = /[ \u00a0\u202f]»/uy;
const spaces = /[\s\u0085]+/uy;
const openers = /^["'“”‘’«»‹›([{「『【（〈《¿¡*_~`„‚–—-]+\s*/u;

/**
 * Finds where sentences end, in text that may still be arriving.
 *
 * The candidates are every Sentence_Terminal of Unicode, every line break and a list's next number; our rules take most of
 * them away again. `Intl.Segmenter` would have to read the whole text again for each piece that arrives.
 *
 * Invariant: a decision reads at most `maxSentence` code units back and `lookahead` forward, and is taken only when all
 * that it reads is there, or no more will come. So the cuts do not depend on the pieces in which the text arrived.
 */
export function createSentenceFinder(locale: string) {
  const language = languageOf(locale);
  const candidate = language === 'el' ? greekCandidate : anyCandidate;
  const terminators = language === 'el' ? greekTerminators : anyTerminators;
  const known = sentenceWords(locale);

  /** The first end after `from`; or where to go on when more of the text is there. */
  function next(view: View, from: number): { cut: SentenceCut } | { scanned: number } {
    const { text } = view;
    let decided = from;
    candidate.lastIndex = from;
    for (;;) {
      const found = candidate.exec(text);
      // A list's next number is recognised by what follows it, which may be half there.
      if (!found || found.index >= maxSentence) return { scanned: Math.max(decided, text.length - 8) };
      const at = found.index;
      const space = matchEnd(spaces, text, at);
      const after = space > at ? space : matchEnd(terminators, text, at);
      if (after === text.length && after < maxSentence && !view.final) return { scanned: at };
      const verdict = space > at ? judgeSpace(view, at, space) : judgeStop(view, at, after);
      if (verdict === 'wait') return { scanned: at };
      if (verdict !== 'no') return { cut: verdict };
      decided = Math.max(after, at + 1);
      candidate.lastIndex = decided;
    }
  }

  function judgeSpace(view: View, at: number, after: number): Verdict {
    return countBreaks(view.text.slice(at, after)) > 0 ? lineBreakAt(view, at, after) : inlineItem(view, at);
  }

  function judgeStop(view: View, at: number, runEnd: number): Verdict {
    const { text } = view;
    let end = matchEnd(closers, text, runEnd);
    // `[1]` may be half there.
    if (!view.final && text[end] === '[' && /^\[[^\]\n]{0,28}$/u.test(text.slice(end))) return 'wait';
    if (language === 'fr') end = matchEnd(frenchCloser, text, end);
    const after = matchEnd(spaces, text, end);
    if (after >= maxSentence) return 'no';
    if (after === text.length) return view.final ? { end: after, ends: 'end' } : 'wait';
    const space = text.slice(end, after);
    const breaks = countBreaks(space);
    const run = text.slice(at, runEnd);
    const closing = text.slice(runEnd, end);
    const sentence: SentenceCut = {
      end: after,
      ends: breaks > 1 ? 'paragraph' : breaks === 1 ? 'line' : 'sentence',
    };
    // `... and then`: nothing has been said yet.
    if (at < 64 && !/[\p{L}\p{N}]/u.test(text.slice(0, at)) && breaks === 0 && /^[.…]/u.test(run))
      return 'no';
    if (breaks > 1) return sentence;
    // CJK, Indic, Arabic and other stops end a sentence with or without a space.
    // `「はい。」と言った`: who says it belongs to it.
    if (/[」』]$/u.test(closing) && !view.final && view.text.length < end + 2) return 'wait';
    if (/[」』]$/u.test(closing) && /^(?:と|って)/u.test(view.text.slice(end, end + 2))) return 'no';
    if (!/[.!?…‥]/u.test(run)) return sentence;
    const rest = text.slice(after, after + lookahead);
    const complete = view.final || rest.length >= lookahead;
    if (space === '') return unspaced(view, at, run, closing, rest, complete, sentence);

    const token = /^\S+/u.exec(rest)?.[0] ?? '';
    const tokenComplete = complete || token.length < rest.length;
    if (!tokenComplete) return 'wait';
    // What stands in brackets, and what `I` does, decides: it must be there.
    if (!complete && (/^[([]/u.test(rest) || /^\P{L}*I\s*$/u.test(rest))) return 'wait';
    const bare = token.replace(openers, '');
    // A dash or a bracket by itself: the word behind it decides, and must be there whole.
    if (bare === '' && !complete && !/^\S+\s+\S+\s/u.test(rest)) return 'wait';
    const word = bare || (/^\S+\s+(\S+)/u.exec(rest)?.[1] ?? '');

    if (
      /[[(（]$/u.test(text.slice(Math.max(0, at - 1), at)) &&
      /^[.…\s]+$/u.test(run) &&
      /^[\])）]/u.test(closing)
    )
      return 'no';
    if (/^[,;:)\]}%§¶]|^[=×÷≠≈<>+](?:\s|$)/u.test(token)) return 'no';
    const lower = /^\p{Ll}/u.test(word) && !/^\p{Ll}\p{Lu}/u.test(word);
    if (lower) {
      if (breaks === 1 && lineEndsShort(text, at)) return sentence;
      return casual(text, at) && !abbreviated(view, at, run) && closing === '' ? sentence : 'no';
    }
    if (/[!?]/u.test(run) || /["”»]/u.test(closing)) {
      const quoted = /["'”’»]/u.test(closing);
      const named = /^(?:Yahoo!|Jeopardy!|Wham!|Joomla!|Panic!|Therapy\?)$/u.test(tokenBefore(text, runEnd));
      if (named && /^(?:Inc|Corp|Finance|Mail|News|Answers|Japan|At)\b/u.test(word)) return 'no';
      if (/[!?]/u.test(run)) return quoted && breaks === 0 ? attributed(rest, complete, sentence) : sentence;
    }
    if (run.replace(/[^.…‥]/gu, '').length > 1 || /[…‥]/u.test(run)) return ellipsis(run, word, sentence);
    return stop(view, at, word, rest, sentence, closing);
  }

  /** `"Run!" Tom shouted.` goes on; `"Run!" Tom ran.` does not. */
  function attributed(rest: string, complete: boolean, sentence: SentenceCut): Verdict {
    const [, , second, gap] = /^(\S+)\s+(\S+)(\s)?/u.exec(rest) ?? [];
    if (second === undefined || gap === undefined) {
      if (!complete) return /^\S+\s/u.test(rest) || !/\s/u.test(rest) ? 'wait' : sentence;
      if (second === undefined) return sentence;
    }
    const verb = second.toLowerCase().replace(/\P{L}+$/u, '');
    return known.speechVerbs.has(verb) && /^\p{Lu}[\p{L}'’-]*$/u.test(/^\S+/u.exec(rest)![0])
      ? 'no'
      : sentence;
  }

  function unspaced(
    view: View,
    at: number,
    run: string,
    closing: string,
    rest: string,
    complete: boolean,
    sentence: SentenceCut,
  ): Verdict {
    if (!complete && (rest === '' || (run === '.' && /^\p{Lu}\p{Ll}*$/u.test(rest)))) return 'wait';
    // A stop of one script before a letter of another: `OK!你好`, `好.你`.
    const han = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}「『（《【]/u.test(rest);
    if (
      han &&
      run === '.' &&
      closing === '' &&
      /(?:^|[^\p{L}])(?:\p{Lu}\.)+\p{Lu}$/u.test(view.text.slice(Math.max(0, at - 12), at))
    )
      return 'no';
    if (han) return /[!?]/u.test(run) || closing !== '' || run.length === 1 ? sentence : 'no';
    if (/^[\p{Emoji_Presentation}]/u.test(rest)) return sentence;
    if (/["”»]/u.test(closing) && /^["“«\p{Lu}]/u.test(rest)) return sentence;
    // `He left.The end`: the space was forgotten.
    const next = /^(\p{Lu}\p{Ll}+)\s/u.exec(rest)?.[1];
    if (
      run === '.' &&
      closing === '' &&
      next !== undefined &&
      has(known.starters, next) &&
      /(?:^|\s)\p{Ll}{3,}$/u.test(view.text.slice(Math.max(0, at - 24), at)) &&
      !abbreviated(view, at, run)
    )
      return sentence;
    if (/[!?]/u.test(run) && /^\p{Lu}\p{Ll}/u.test(rest) && !/[/@=&#]/u.test(tokenBefore(view.text, at))) {
      return /\p{Ll}$/u.test(view.text.slice(Math.max(0, at - 2), at)) ? sentence : 'no';
    }
    return 'no';
  }

  function ellipsis(run: string, word: string, sentence: SentenceCut): Verdict {
    const dots = run.replace(/[^.]/gu, '').length;
    if (dots < 4 && / /u.test(run) && /^I(?:['’]\p{Ll}+)?$/u.test(word)) return 'no';
    return sentence;
  }

  /** One full stop, white space, and a word that is not in lower case. */
  function stop(
    view: View,
    at: number,
    word: string,
    rest: string,
    sentence: SentenceCut,
    closing: string,
  ): Verdict {
    const before = tokenBefore(view.text, at)
      .replace(/^["'“”‘’«»‹›([{「¿¡*_„‚–—•⁃‣▪◦●-]+/u, '')
      .replace(/^.*[—–…("“[]/u, '');
    const opensSegment = view.text.slice(0, at).replace(/^[\s•⁃‣▪◦●*–-]+/u, '') === before;
    const bare = word.replace(/[^\p{L}\p{N}'’]+$/u, '');
    const plain = bare.toLowerCase().replace(/’/gu, "'");
    const starter = has(known.starters, bare) || has(known.starters, plain.replace(/'s$/u, ''));
    const digits = /^\d/u.test(word);
    if (closing !== '' && !/^['’)\]]/u.test(closing)) return sentence;
    if (before === '') return sentence;
    // `U.S.A.F. (Ret.), died`.
    if (/^[([][^()[\]]{1,24}[)\]](?:[,;:]|\s\p{Ll})/u.test(rest) && /[.]|^\p{Lu}/u.test(before)) return 'no';
    // `120 km/h.`
    if (/^\p{L}{1,4}\/\p{L}{1,4}[²³]?$/u.test(before)) return sentence;

    if (/^(?:\d{1,3}|\p{L}|[ivxlIVXL]{1,5})$/u.test(before) && opensSegment && /\S/u.test(word))
      return before === 'I' && starter ? sentence : 'no';
    if (/\d$/u.test(before)) {
      if (/^\d{1,4}$/u.test(before) && known.ordinalNouns.size > 0) {
        if (has(known.ordinalNouns, bare)) return 'no';
        const lead = wordBefore(view.text, at - before.length);
        if (has(known.ordinalLeads, lead) && !starter && !digits) return 'no';
      }
      // `N°. 1026`, `3. 14`: never. A number then a stop ends the sentence.
      return sentence;
    }
    // `د. أحمد`: one letter of a script without capitals is a short form.
    if (/^(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}])\p{Lo}$/u.test(before))
      return 'no';
    if (/^[NnCc][°º]$/u.test(before) && digits) return 'no';
    if (/^[IVXLC]+$/u.test(before) && has(known.ordinalNouns, bare)) return 'no';
    const abbreviation = before
      .replace(/^.*(?:[/—–…("“‘[«»]|\.-)/u, '')
      .replace(/^\p{L}{1,4}['’](?=\p{L}{2})/u, '');
    if (
      units.has(abbreviation) &&
      (language === 'de' || abbreviation !== 'St') &&
      /\d[\s\u00a0]?$/u.test(view.text.slice(0, at - before.length))
    ) {
      // Signs of units have no stop of their own; what cooks measure by has, and a name may follow.
      if (language !== 'de' && /^\p{Lu}/u.test(word) && !kitchen.has(abbreviation)) return sentence;
      return starter || !/^[\p{L}\d€$£]/u.test(word) ? sentence : 'no';
    }
    // `on Main St. It is quiet`: a street behind a name, and a word that only begins a sentence.
    if (
      language === 'en' &&
      /^(?:St|Dr|Mt)$/u.test(abbreviation) &&
      starter &&
      bare !== 'I' &&
      /(?:\p{Lu}\p{Ll}+|\d(?:st|nd|rd|th))\s$/u.test(
        view.text.slice(Math.max(0, at - 24), at - before.length),
      )
    )
      return sentence;
    if (has(known.joins, abbreviation)) return 'no';
    if (
      digits &&
      (has(known.joinsNumber, abbreviation) || (language === 'de' && /str$/iu.test(abbreviation)))
    )
      return 'no';
    // `I said no. I left.`
    const speaker = bare === 'I' && /^\S*I\s+\p{Ll}/u.test(rest);
    if (has(known.joinsNumber, abbreviation) && /^[IVXLC]+\b/u.test(bare) && !speaker) return 'no';
    if (
      /^\p{L}$/u.test(before) ||
      /(?:^|[.\-‐])\p{Lu}$/u.test(before) ||
      /^(?:\p{L}{1,2}\.)+\p{L}{1,2}$/u.test(before)
    ) {
      if (/^\p{Ll}$/u.test(before)) return has(known.starters, before) && starter ? sentence : 'no';
      if (/^[ap]\.m$/iu.test(before)) return meridiem(view, at, before, word, starter, sentence);
      if (/^(?:U\.S|A|C|N\.Z|H\.K)$/u.test(before) && /^[$€£]\d/u.test(rest)) return 'no';
      if (/^(?:[[(“"'‘«]|\p{S})/u.test(rest) && !/^["“'‘«(]\p{Lu}\./u.test(rest) && before.includes('.'))
        return sentence;
      if (
        before === 'I' &&
        /\b(?:and|or|than|am|as|you)\s+I$/u.test(view.text.slice(Math.max(0, at - 12), at))
      )
        return starter ? sentence : 'no';
      // `347 U.S. 483`.
      if (digits && /\d\s$/u.test(view.text.slice(0, at - before.length))) return 'no';
      if (digits) return before.includes('.') && !/^a\.d$/iu.test(before) ? sentence : 'no';
      if (!/^\p{Lu}/u.test(bare)) return sentence;
      return starter ? sentence : 'no';
    }
    if (has(known.mayEnd, abbreviation)) {
      // `et al. (2019)`, `Apple Inc. (AAPL)`.
      if (/^[([]/u.test(rest) && !/^[([]\p{Lu}\p{Ll}+\s\p{Ll}/u.test(rest)) return 'no';
      if (digits) return /^(?:inc|ltd|etc|al)$/iu.test(abbreviation) ? sentence : 'no';
      if (language === 'en' && abbreviation === 'etc' && /^\p{Lu}/u.test(word)) return sentence;
      return starter || !/^[\p{Lu}&]/u.test(word) ? sentence : 'no';
    }
    // No German word is without a vowel: `frdl.`, `Bhf.`, `Pckg.`
    if (
      language === 'de' &&
      /^\p{L}?[bcdfghjklmnpqrstvwxzß]{1,6}$/u.test(abbreviation) &&
      !/[aeiouyäöü]/iu.test(abbreviation) &&
      !/^(?:hm+|ps+t|br+|tsk|mhm|gr+|sch+)$/iu.test(abbreviation) &&
      !starter
    )
      return 'no';
    if (/^&/u.test(word)) return 'no';
    return sentence;
  }

  /** `At 5 a.m. Mr. Smith went` goes on: nothing but a preposition and a time has been said. */
  function meridiem(
    view: View,
    at: number,
    before: string,
    word: string,
    starter: boolean,
    sentence: SentenceCut,
  ): Verdict {
    const said = view.text.slice(0, at - before.length).trim();
    if (
      /^(?:At|By|Around|About|Before|After|Until|Till|Since|From|On|It was|It is|It's|Between)\s+[\d:.\s]{1,8}$/iu.test(
        said,
      )
    )
      return 'no';
    const day =
      /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b|^(?:E|C|M|P|A)[SD]?T\b|^(?:GMT|UTC|BST|CET|Eastern|Pacific|Central)\b/u;
    return day.test(word) && !starter ? 'no' : sentence;
  }

  /** `1) The first 2) The second`: the next number of the list that this sentence opened. */
  function inlineItem(view: View, at: number): Verdict {
    const { text } = view;
    const marker = /^\s*(?:([•⁃‣▪◦●])\s*)?(?:[(]?(\d{1,3}|[a-z])(\.\)|[.)])\s*)?/u.exec(text.slice(0, 24));
    if (!marker || (marker[1] === undefined && marker[2] === undefined)) return 'no';
    if (at < marker[0].trimEnd().length + 1) return 'no';
    const rest = text.slice(at, at + 24);
    if (rest.length < 24 && !view.final) {
      const enough = /^\s\S{1,6}\s+\S/u.test(rest);
      if (!enough) return 'wait';
    }
    const next = /^\s(?:([•⁃‣▪◦●])\s*)?(?:[(]?(\d{1,3}|[a-z])(\.\)|[.)])\s*)?(?=\S)/u.exec(rest);
    if (!next) return 'no';
    const item: SentenceCut = { end: at + 1, ends: 'item' };
    if (marker[1] !== undefined) return next[1] === marker[1] ? item : 'no';
    if (next[1] !== undefined || next[3] !== marker[3] || next[2] === undefined) return 'no';
    if (/^[a-z]$/u.test(marker[2]!) && marker[3] === '.' && !/\s$/u.test(next[0])) return 'no';
    const follows = /\d/u.test(marker[2]!)
      ? Number(next[2]) === Number(marker[2]) + 1
      : next[2].charCodeAt(0) === marker[2]!.charCodeAt(0) + 1;
    return follows ? item : 'no';
  }

  const abbreviated = (view: View, at: number, run: string) => {
    if (run !== '.') return false;
    const before = tokenBefore(view.text, at).replace(/^\P{L}+/u, '');
    return (
      before.length < 3 ||
      before.includes('.') ||
      units.has(before) ||
      [known.joins, known.joinsNumber, known.mayEnd].some((set) => has(set, before))
    );
  };

  return { next };
}

/** Short forms of units: behind a number their stop ends no sentence by itself. */
const units = new Set(
  'lb lbs oz ft in yd yds mi km kg mg ml gal gals qt qts pt pts tsp tbsp doz hr hrs min mins sec secs yr yrs mo mos wk wks sq cu bbl bbls cm mm bu cwt dwt gr Std Min Sek Mio Mrd Tsd Pfd St Stk'.split(
    ' ',
  ),
);

const kitchen = new Set('lb lbs oz pt pts qt qts gal gals tsp tbsp doz'.split(' '));

export type SentenceFinder = ReturnType<typeof createSentenceFinder>;

const has = (set: ReadonlySet<string>, word: string): boolean =>
  set.has(word.toLowerCase()) || set.has(`=${word}`);

const wordBefore = (text: string, at: number): string =>
  /(\p{L}+)\s*$/u.exec(text.slice(Math.max(0, at - 24), at))?.[1] ?? '';

/** A writer who uses no capitals: lower case then says nothing. */
const casual = (text: string, at: number): boolean => !/\p{Lu}/u.test(text.slice(Math.max(0, at - 256), at));

const lineEndsShort = (text: string, at: number): boolean => {
  const line = lineBefore(text, at);
  return line.length < 30 && !/\p{Lu}/u.test(line);
};

import {
  countBreaks,
  lineBefore,
  lookahead,
  maxSentence,
  type SentenceCut,
  type Verdict,
  type View,
} from './view.ts';

/**
 * Whether a line break inside a sentence ends it. A line of a hard-wrapped paragraph does not; a heading, a list item, a
 * line of verse and an address line do, although they have no stop.
 */
export function lineBreakAt(view: View, at: number, after: number): Verdict {
  const { text, final } = view;
  if (after >= maxSentence) return 'no';
  if (after === text.length) return final ? { end: after, ends: 'end' } : 'wait';
  const said = text.slice(0, at);
  if (!/\S/u.test(said)) return 'no';
  const blank = countBreaks(text.slice(at, after)) > 1;
  const line = lineBefore(text, at).trim();
  const first = said.slice(0, 512).trimStart();
  const heading = isHeading(first, line);
  if (blank) return { end: after, ends: heading ? 'heading' : 'paragraph' };

  const rest = text.slice(after, after + lookahead);
  const token = /^\S+/u.exec(rest)?.[0] ?? '';
  const complete = final || rest.length >= lookahead || /^\S+\s+\S/u.test(rest);
  if (!complete) return 'wait';
  const cut = (ends: SentenceCut['ends']): Verdict => ({ end: after, ends });

  if (heading) return cut('heading');
  if (opensItem(rest)) return cut('item');
  if (isRule(line) || isRule(token)) return cut('line');
  if (/^[-–—]\s?\p{Lu}|^[-–—]\s/u.test(rest)) return cut('line');
  if (line.endsWith(':')) return cut('line');
  if (/[-‐]$/u.test(line) && /^\p{Ll}/u.test(token)) return 'no';

  const wide = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u.test(line);
  const length = wide ? line.length * 2 : line.length;
  const word = token.replace(/^["'“”‘’«»‹›([{「『【（〈《¿¡*_~`„‚]+/u, '');
  if (/^\p{Ll}/u.test(word))
    return length < 30 && !isItem(first) && !/\p{Lu}/u.test(said) ? cut('line') : 'no';
  if (isItem(first)) return cut('item');
  if (length < 60 || length >= 90) return cut('line');
  return 'no';
}

const itemMark =
  /^\s*(?:[-*+•⁃‣▪◦●–]\s+\S|[(]?(?:\d{1,3}|[a-z]|[ivx]{1,4})(?:\.\)|[.)])\s+\S|[•⁃‣▪◦●]\S|>\s?\S|\[[ xX]\]\s)/u;
const opensItem = (rest: string) => itemMark.test(rest) || /^#{1,6}\s/u.test(rest);
const isItem = (first: string) => itemMark.test(first);
const isRule = (line: string) => /^(?:[-=*_~#.·•—–]\s?){3,}$/u.test(line);

/** `Chapter 4`, `IV.`, `# Title`, `PART ONE`: a line that names what follows. */
export function isHeading(first: string, line: string): boolean {
  if (first.trim() !== line) return /^#{1,6}\s\S/u.test(first) && !/[\n\r]/u.test(first);
  if (/^#{1,6}\s\S/u.test(line)) return true;
  if (line.length > 80) return false;
  if (chapterName.test(line)) return true;
  return (
    line.length >= 3 &&
    /\p{Lu}{3}/u.test(line) &&
    !/\p{Ll}/u.test(line) &&
    !/[.!?,;:]$/u.test(line) &&
    line.split(/\s+/u).length <= 10
  );
}

const number =
  '(?:\\d{1,4}|[IVXLC]{1,8}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty(?:-\\w+)?|thirty(?:-\\w+)?|forty(?:-\\w+)?|fifty(?:-\\w+)?|the (?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|last)|first|second|third|fourth|fifth|eins|zwei|drei|vier|fünf|premier|première|un|deux|trois|primero|primera|uno|dos|tres)';
const divisions =
  'chapter|part|book|volume|act|scene|section|canto|letter|stave|kapitel|teil|buch|band|akt|aufzug|auftritt|szene|abschnitt|chapitre|partie|livre|tome|acte|scène|capítulo|capitulo|capitolo|parte|libro|tomo|acto|escena|atto|scena|hoofdstuk|deel|kapittel|rozdział|kapitola|część|глава|часть|книга';
const single =
  'prologue|epilogue|preface|foreword|introduction|afterword|contents|acknowledg(?:e?)ments|dedication|interlude|appendix(?:\\s+\\w{1,4})?|prolog|epilog|vorwort|nachwort|einleitung|anhang|prologue|épilogue|préface|avant-propos|postface|prólogo|epílogo|prefacio|introducción';
export const chapterName = new RegExp(
  `^(?:(?:the\\s+)?(?:${divisions})\\s+${number}(?:\\s*[.:–—-]\\s*\\S.{0,60}|\\.)?|(?:\\d{1,3}\\.|(?:erste|zweite|dritte|vierte|fünfte|sechste|sieb(?:en)?te|achte|neunte|\\p{L}{2,20}(?:zehn|ßig|zig|ölf|elf)(?:s)?te|elfte|zwölfte|zehnte)[rs]?)\\s+(?:kapitel|buch|teil|akt|aufzug|auftritt|szene|abschnitt)|(?:premi(?:er|ère)|deuxième|seconde?|troisième|quatrième|cinquième)\\s+(?:partie|chapitre|livre|acte)|(?:primera|segunda|tercera|cuarta|prima|seconda|terza)\\s+parte|第[一二三四五六七八九十百千零〇\\d]{1,6}[章节節回部卷話话](?:\\s.{0,40})?|(?:${single})(?:\\s*[.:–—-]\\s*\\S.{0,60})?|[IVXLC]{1,7}\\.?|\\d{1,3}\\.?)$`,
  'iu',
);

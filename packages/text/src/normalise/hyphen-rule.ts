import { matchAt, type Rule, type Said } from './rule.ts';

const broken =
  /(\p{L}{2,40})(?:[-‐]|\u00ad)[ \t]*(?:\r\n|[\n\r\u000b\u0085\u2028])[ \t]*(\p{Ll}[\p{L}\p{M}]{0,40})/uy;
/** `Ein-\nund Ausgang`: the hyphen stands for what both share. */
const shared = /^(?:and|or|und|oder|bzw|sowie|bis|et|ou|y|o|e|en|of)$/u;
/** First parts that keep their hyphen wherever the line ends. */
const compounds =
  /^(?:well|ill|self|half|all|cross|high|low|long|short|old|new|great|ex|non|mid|vice|semi|quasi|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|one|two|three|four|five|six|seven|eight|nine|ten|mother|father|sister|brother|son|daughter|good|blue|red|black|white|dark|light|broad|open|hard|soft|cold|warm|hot|quick|slow|ever|never|so|by|forget|step|first|second|third|near|far|full|wide|deep|fair|free|ready|grand|quatre|vingt|peut|est|sont|dit|celui|celle|là|chef|arrière|avant|après|demi|grands|petit)$/iu;

/** A word that the end of a line parts: `won-\nderful`, as scanned and hard-wrapped texts have it. */
export function sayBroken(text: string, at: number): Said | undefined {
  const found = matchAt(broken, text, at);
  if (!found || shared.test(found[2]!)) return undefined;
  const keeps = compounds.test(found[1]!) && !found[0].includes('\u00ad');
  return { end: at + found[0].length, spoken: `${found[1]}${keeps ? '-' : ''}${found[2]}` };
}

export const hyphenRule: Rule = ({ text, at }) => sayBroken(text, at);

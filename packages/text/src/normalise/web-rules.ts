import { initialisms } from './english-words.ts';
import { matchAt, type Rule } from './rule.ts';
import type { Speech } from './speech.ts';

const domains =
  'com|org|net|edu|gov|mil|int|info|biz|io|ai|app|dev|co|me|tv|us|uk|de|fr|es|it|nl|eu|ch|at|be|ca|au|nz|jp|cn|in|ru|br|mx|pl|se|no|dk|fi|ie|pt|cz|gr|tr|kr|za|ar|cl|xyz|online|site|tech|cloud|blog|shop|store|news|example|test|local';
const url = /(?:(?:https?|ftp|wss?|file):\/\/|www\.)[^\s<>"'“”‘’«»(){}[\]]{1,400}/iuy;
const email =
  /(?:mailto:)?[\p{L}\p{N}][\p{L}\p{N}._%+-]{0,63}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,5}/uy;
const bare = new RegExp(
  `(?:[\\p{L}\\p{N}](?:[\\p{L}\\p{N}-]{0,62}[\\p{L}\\p{N}])?\\.){1,5}(?:${domains})(?![\\p{L}\\p{N}-]|\\.[\\p{L}\\p{N}])(?:/[^\\s<>"'“”]{0,300})?`,
  'iuy',
);
const file =
  /[\p{L}\p{N}_][\p{L}\p{N}_-]{0,60}\.(pdf|html?|txt|docx?|xlsx?|pptx?|jpe?g|png|gif|svg|mp3|mp4|wav|zip|tar|gz|exe|js|ts|py|json|xml|csv|md|yaml|yml|css|sh|rs|cpp|java|epub|log|ini|cfg|toml|sql|php|rb)(?![\p{L}\p{N}])/uy;
const handle = /@([\p{L}\p{N}_]{1,40})(?![\p{L}\p{N}])/uy;
const hashtag = /#(\p{L}[\p{L}\p{N}_]{0,60})/uy;
const path =
  /(?:(?:~|\.{1,2})(?:\/[\p{L}\p{N}_.-]{1,60}){1,12}|(?:\/[\p{L}\p{N}_.-]{1,60}){2,12})\/?(?![\p{L}\p{N}])/uy;

const spokenEndings = new Set(
  'com org net gov info biz app dev site tech cloud blog shop store news online example test local'.split(
    ' ',
  ),
);

/** Of two letters, and words in a path all the same. */
const smallWords = new Set('to in of on my we me go up at by or an as be do he if so'.split(' '));

export function createWebRules(speech: Speech): Rule[] {
  const { words } = speech;
  const signs: Readonly<Record<string, string>> = {
    '.': words.dot,
    '@': words.at,
    '/': words.slash,
    '-': words.dash,
    _: words.underscore,
    ':': words.colon,
    '?': words.question,
    '=': words.equals,
    '&': words.and,
    '#': words.hash,
    '+': words.plus,
    '%': words.percent,
    '~': 'tilde',
    '\\': words.backslash,
  };

  const word = (part: string, last: boolean): string => {
    const lower = part.toLowerCase();
    if (lower === 'www') return 'W W W';
    if (last && spokenEndings.has(lower)) return lower;
    if (!last && smallWords.has(part)) return part;
    if (part.length <= 2 && /^\p{L}+$/u.test(part)) return [...part.toUpperCase()].join(' ');
    if (initialisms.has(part.toUpperCase()) && part.length < 5) return [...part.toUpperCase()].join(' ');
    if (!/[aeiouyäöüéèáíóú]/iu.test(part) && part.length < 6) return [...part.toUpperCase()].join(' ');
    return part.replace(/(?<=\p{Ll})(?=\p{Lu})/gu, ' ');
  };

  const digits = (part: string) =>
    part.length < 3 && !part.startsWith('0')
      ? speech.cardinal(BigInt(part))
      : /^(?:19|20)\d\d$/u.test(part)
        ? speech.year(Number(part))
        : [...part].map((d) => speech.cardinal(BigInt(d))).join(' ');

  function say(address: string): string {
    const parts = address.match(/\p{L}+|\d+|[^\p{L}\d]/gu) ?? [];
    return parts
      .map((part, n) => {
        if (/^\d/u.test(part)) return digits(part);
        if (/^\p{L}/u.test(part)) return word(part, parts[n - 1] === '.');
        return signs[part] ?? '';
      })
      .filter((part) => part !== '')
      .join(' ');
  }

  const web: Rule = ({ text, at }) => {
    const found = matchAt(url, text, at) ?? matchAt(bare, text, at);
    if (!found) return undefined;
    const address = found[0].replace(/[.,;:!?*_~]+$/u, '').replace(/\/$/u, (sign) => sign);
    const spokenPart = address.replace(/^(?:https?|ftp|wss?|file):\/\//iu, '').replace(/\/$/u, '');
    return spokenPart === '' ? undefined : { end: at + address.length, spoken: say(spokenPart) };
  };

  const mail: Rule = ({ text, at }) => {
    const found = matchAt(email, text, at);
    if (!found) return undefined;
    return { end: at + found[0].length, spoken: say(found[0].replace(/^mailto:/u, '')) };
  };

  const others: Rule = ({ text, at }) => {
    const name = matchAt(file, text, at);
    if (name) {
      const ending = name[1]!;
      const stem = name[0].slice(0, -ending.length - 1);
      const said =
        /^(?:html?|docx?|xlsx?|pptx?|pdf|txt|js|ts|py|xml|csv|md|mp3|mp4|css|sh|rs|gz|jpg|png|gif|svg|sql|php|rb|exe|yml|cpp|cfg|ini)$/u.test(
          ending,
        )
          ? [...ending.toUpperCase()]
              .map((char) => (/\d/u.test(char) ? speech.cardinal(BigInt(char)) : char))
              .join(' ')
          : ending;
      return { end: at + name[0].length, spoken: `${say(stem)} ${words.dot} ${said}` };
    }
    if (/[\p{L}\p{N}]/u.test(text.slice(Math.max(0, at - 1), at))) return undefined;
    const user = matchAt(handle, text, at);
    if (user) return { end: at + user[0].length, spoken: `${words.at} ${say(user[1]!)}` };
    const tag = matchAt(hashtag, text, at);
    if (tag)
      return {
        end: at + tag[0].length,
        spoken: `${words.hash === 'hash' ? 'hashtag' : 'Hashtag'} ${say(tag[1]!).replaceAll(` ${words.underscore} `, ' ')}`,
      };
    const place = matchAt(path, text, at);
    if (place && !/^\/\d/u.test(place[0])) {
      const address = place[0].replace(/[.]+$/u, '');
      return { end: at + address.length, spoken: say(address) };
    }
    return undefined;
  };

  return [mail, web, others];
}

import { sayDigits, sayWhole } from './number.ts';
import type { Numerals } from './numerals.ts';
import { matchAt, type Rule } from './rule.ts';

/** Numbers that count nothing: versions, verses, codes, ratios, types. */
export function createLabelRules({ speech }: Numerals) {
  const { words } = speech;

  /** `Matt. 5:3–12`. */
  const verse: Rule = ({ text, at, lead }) => {
    if (speech.language !== 'en' || !bibleBooks.test(lead)) return undefined;
    const found = matchAt(
      /(\d{1,3}):(\d{1,3})(?:\s?[-–]\s?(\d{1,3}))?(?![\d\p{L}:]|\s?[ap]\.?m)/uy,
      text,
      at,
    );
    if (!found) return undefined;
    const [all, chapter, first, last] = found;
    const said = `${speech.cardinal(BigInt(chapter!))} ${speech.cardinal(BigInt(first!))}`;
    return {
      end: at + all.length,
      spoken: last === undefined ? said : `${said} ${words.to} ${speech.cardinal(BigInt(last))}`,
    };
  };

  /** `00:1A:2B:3C:4D:5E`, `fe80::1`: addresses of devices, sign by sign. */
  const hexadecimal: Rule = ({ text, at }) => {
    const found =
      matchAt(/[\dA-Fa-f]{2}(?:([:-])[\dA-Fa-f]{2})(?:\1[\dA-Fa-f]{2}){4}(?![\p{L}\d:-])/uy, text, at) ??
      matchAt(/0x[\dA-Fa-f]{1,16}(?![\p{L}\d])/uy, text, at) ??
      matchAt(/[\dA-Fa-f]{1,4}(?:::?[\dA-Fa-f]{1,4}){2,7}(?![\p{L}\d:])/uy, text, at);
    if (!found || !/[A-Fa-fx]/u.test(found[0]) || !/\d/u.test(found[0])) return undefined;
    const spoken = [...found[0]]
      .map((sign) =>
        /\d/u.test(sign)
          ? speech.cardinal(BigInt(sign))
          : sign === ':'
            ? words.colon
            : sign === '-'
              ? words.dash
              : sign === 'x'
                ? sign
                : sign.toUpperCase(),
      )
      .join(' ');
    return { end: at + found[0].length, spoken };
  };

  /** `0600 hours`. */
  const military: Rule = ({ text, at }) => {
    const found =
      speech.language === 'en'
        ? matchAt(/([01]\d|2[0-4])([0-5]\d)\s(?:hours|hrs)(?!\p{L})/uy, text, at)
        : null;
    if (!found) return undefined;
    const two = (digits: string) =>
      digits.startsWith('0') ? `oh ${speech.cardinal(BigInt(digits))}` : speech.cardinal(BigInt(digits));
    return {
      end: at + found[0].length,
      spoken: `${found[2] === '00' ? `${two(found[1]!)} hundred` : `${two(found[1]!)} ${two(found[2]!)}`} hours`,
    };
  };

  /** `Boeing 747s`. */
  const plural: Rule = ({ text, at, leadRaw }) => {
    const niners = speech.language === 'en' ? matchAt(/(\d{2})ers(?!\p{L})/uy, text, at) : null;
    if (niners) {
      const said = speech.cardinal(BigInt(niners[1]!));
      return { end: at + niners[0].length, spoken: `${said}${said.endsWith('e') ? 'rs' : 'ers'}` };
    }
    const found = /^\p{Lu}/u.test(leadRaw) ? matchAt(/(\d{2,4})s(?![\p{L}\d])/uy, text, at) : null;
    return found && speech.language === 'en'
      ? { end: at + found[0].length, spoken: `${speech.cardinal(BigInt(found[1]!))}s` }
      : undefined;
  };

  /** `ZIP 90210`, a card's number. */
  const code: Rule = ({ text, at, lead, leadRaw }) => {
    const card = matchAt(/\d{4}(?:[ -]\d{4}){2,4}(?!\d)/uy, text, at);
    if (card)
      return {
        end: at + card[0].length,
        spoken: card[0]
          .split(/[ -]/u)
          .map((part) => sayDigits(speech, part))
          .join(', '),
      };
    const zip = matchAt(/\d{5}(?:-\d{4})?(?![\d\p{L}]|[.,]\d)/uy, text, at);
    const known =
      /^(?:zip|zipcode|postcode|plz)$/u.test(lead) ||
      /\bzip(?:\s?code)?(?:\sis)?[:\s]+$/iu.test(text.slice(Math.max(0, at - 16), at)) ||
      (/^\p{Lu}{2}$/u.test(leadRaw) && /,\s\p{Lu}{2}\s$/u.test(text.slice(Math.max(0, at - 5), at)));
    return zip && known
      ? {
          end: at + zip[0].length,
          spoken: zip[0]
            .split('-')
            .map((part) => sayDigits(speech, part))
            .join(', '),
        }
      : undefined;
  };

  const version: Rule = ({ text, at, lead }) => {
    const named = matchAt(/[vV](?:er(?:sion)?\.?\s?)?(?=\d)/uy, text, at);
    const from = named ? at + named[0].length : at;
    const dots = matchAt(
      /\d{1,6}(?:\.\d{1,8}){2,8}(?:-?(?:alpha|beta|rc|dev|pre|canary|next)[.-]?\d{0,5})?(?![\d\p{L}])/uy,
      text,
      from,
    );
    const software =
      /^(?:version|versions|release|python|node|ios|android|windows|macos|chrome|firefox|java|php|ruby|linux|kernel|ubuntu|debian|redis|postgres|postgresql|mysql|django|rails|react|angular|vue|typescript|go|rust|kubernetes|docker|bluetooth|usb|http|tls|html|css|opengl|directx|vulkan|build|v|update|patch|swift|kotlin|gradle|nats)$/u;
    if (!dots) {
      const two =
        named || software.test(lead) ? matchAt(/(\d{1,4})\.(\d{1,4})(?![\d\p{L}]|\.\d)/uy, text, from) : null;
      const single =
        named && !two ? matchAt(/\d{1,4}(?![\d\p{L}.])|\d{1,4}(?=\.(?:\s|$))/uy, text, from) : null;
      const said = two ? [two[1]!, two[2]!] : single ? [single[0]] : undefined;
      if (!said) return undefined;
      const spoken = said
        .map((part) => sayWhole(speech, part))
        .join(` ${words.dot === 'dot' ? 'point' : speech.point} `);
      return {
        end: from + (two ?? single)![0].length,
        spoken: named ? `${words.version} ${spoken}` : spoken,
      };
    }
    const [digits, tag] = /^([\d.]+?)(?:-?([a-z]+)[.-]?(\d*))?$/u.exec(dots[0])?.slice(1) ?? [
      dots[0],
      undefined,
    ];
    const parts = digits!.split('.');
    const thousands =
      parts[0]!.length < 4 &&
      parts.slice(1).every((part) => part.length === 3) &&
      (speech.group.includes('.') || parts.length === 3);
    if (thousands && !named && speech.group.includes('.')) return undefined;
    if (thousands && !named && !software.test(lead))
      return { end: from + dots[0].length, spoken: sayWhole(speech, parts.join('')) };
    const address =
      parts.length === 4 && !named && !software.test(lead) && parts.every((part) => Number(part) < 256);
    const spoken = address
      ? parts.map((part) => sayDigits(speech, part)).join(` ${words.dot} `)
      : parts.map((part) => sayWhole(speech, part)).join(` ${speech.point} `);
    const suffixTag =
      tag === undefined
        ? ''
        : ` ${tag === 'rc' ? 'R C' : tag}${/\d+$/u.exec(dots[0].slice(digits!.length))?.[0] === undefined ? '' : ` ${sayWhole(speech, /\d+$/u.exec(dots[0])![0])}`}`;
    return { end: from + dots[0].length, spoken: `${named ? `${words.version} ` : ''}${spoken}${suffixTag}` };
  };

  const ratio: Rule = ({ text, at }) => {
    const found = matchAt(
      /(\d{1,6}):(\d{1,3}(?:[.,'’\u00a0\u202f]\d{3}){1,4}|\d{1,6})(?::(\d{1,6}))?(?![\d\p{L}:])/uy,
      text,
      at,
    );
    if (!found) return undefined;
    // `ISO 9001:2015`: the year of an edition.
    if (found[1]!.length > 2 && found[3] === undefined && /^(?:19|20)\d\d$/u.test(found[2]!))
      return {
        end: at + found[0].length,
        spoken: `${sayWhole(speech, found[1]!)}, ${speech.year(Number(found[2]))}`,
      };
    const parts = found.slice(1).flatMap((part) => (part === undefined ? [] : [part.replace(/\D/gu, '')]));
    return {
      end: at + found[0].length,
      spoken: parts.map((part) => sayWhole(speech, part)).join(` ${words.ratio} `),
    };
  };

  return { hexadecimal, verse, military, plural, code, version, ratio };
}

const bibleBooks =
  /^(?:gen|genesis|ex|exodus|lev|leviticus|num|numbers|deut|deuteronomy|josh|joshua|judges|ruth|sam|samuel|kings|chr|chronicles|ezra|neh|nehemiah|esther|job|ps|psalm|psalms|prov|proverbs|eccl|ecclesiastes|isa|isaiah|jer|jeremiah|ezek|ezekiel|dan|daniel|hos|hosea|joel|amos|jonah|mic|micah|matt|matthew|mark|luke|john|acts|rom|romans|kgs|judg|jas|tit|macc|maccabees|chron|mk|lk|jn|mt|cor|corinthians|gal|galatians|eph|ephesians|phil|philippians|col|colossians|thess|thessalonians|tim|timothy|titus|heb|hebrews|james|pet|peter|jude|rev|revelation)$/u;

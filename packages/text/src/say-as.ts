import type { Speech } from './normalise/speech.ts';
import type { Normaliser } from './normaliser.ts';
import { joinTokens } from './spoken.ts';

/** What SSML's `say-as` wants said. Nothing if the kind is not known or the text is not of it. */
export function sayAs(
  kind: string,
  format: string,
  text: string,
  speech: Speech | undefined,
  normaliser: Normaliser,
): string | undefined {
  const written = text.replace(/\s+/gu, ' ').trim();
  const usual = (as: string) => joinTokens(normaliser.tokens(as), 0).text;
  const digits = (as: string) =>
    [...as]
      .map((char) => (speech && /\d/u.test(char) ? speech.cardinal(BigInt(char)) : char))
      .filter((char) => char.trim() !== '')
      .join(' ');
  switch (kind.toLowerCase()) {
    case 'characters':
    case 'spell-out':
    case 'verbatim':
    case 'spell':
    case 'letters':
      return digits(written.replace(/\p{Ll}/gu, (c) => c.toUpperCase()));
    case 'digits':
      return digits(written.replace(/\D/gu, ''));
    case 'cardinal':
    case 'number': {
      if (kind === 'number' && format === 'ordinal') return sayAs('ordinal', '', written, speech, normaliser);
      if (kind === 'number' && format === 'digits') return digits(written.replace(/\D/gu, ''));
      const whole = /^[-−]?[\d.,\s]+$/u.test(written) ? written.replace(/(?<=\d)[,\s](?=\d{3})/gu, '') : '';
      if (speech && /^[-−]?\d{1,18}$/u.test(whole)) {
        const said = speech.cardinal(BigInt(whole.replace(/^[-−]/u, '')));
        return /^[-−]/u.test(whole) ? `${speech.words.minus} ${said}` : said;
      }
      return usual(written);
    }
    case 'ordinal': {
      const whole = written.replace(/\D+$/u, '').replace(/[,.\s]/gu, '');
      return speech && /^\d{1,15}$/u.test(whole) ? speech.ordinal(BigInt(whole), '') : undefined;
    }
    case 'date':
      return sayDate(written, format, speech) ?? usual(written);
    case 'time':
    case 'duration':
    case 'currency':
    case 'money':
    case 'unit':
    case 'measure':
    case 'fraction':
    case 'address':
    case 'name':
    case 'net':
    case 'acronym':
    case 'vxml:currency':
      return usual(written);
    case 'telephone':
    case 'phone':
      return written
        .split(/[^\d+]+/u)
        .filter((part) => part !== '')
        .map((part) =>
          digits(part.replace('+', '')).replace(
            /^/u,
            part.startsWith('+') && speech ? `${speech.words.plus} ` : '',
          ),
        )
        .join(', ');
    case 'expletive':
    case 'bleep':
      return 'beep';
    default:
      return undefined;
  }
}

function sayDate(written: string, format: string, speech: Speech | undefined): string | undefined {
  const numbers = written.match(/\d+/gu)?.map(Number) ?? [];
  if (!speech || numbers.length === 0 || numbers.length > 3) return undefined;
  const order =
    format === ''
      ? numbers.length === 3 && numbers[0]! > 31
        ? 'ymd'
        : speech.dayFirst
          ? 'dmy'
          : 'mdy'
      : format.toLowerCase();
  const parts: { d?: number; m?: number; y?: number } = {};
  [...order].slice(0, numbers.length).forEach((letter, n) => {
    if (letter === 'd' || letter === 'm' || letter === 'y') parts[letter] = numbers[n]!;
  });
  const { d, m, y } = parts;
  if (d === undefined || m === undefined || m < 1 || m > 12 || d < 1 || d > 31) return undefined;
  const year = y === undefined ? undefined : y < 100 ? y + (y < 50 ? 2000 : 1900) : y;
  return speech.date({ day: d, month: m, year, lead: '', dayFirst: speech.dayFirst });
}

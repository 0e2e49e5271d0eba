import { matchAt, type Rule } from './rule.ts';
import type { Speech } from './speech.ts';

const half = '(?:\\s?([AaPp])\\.?\\s?[Mm]\\b\\.?)';
const clock = new RegExp(
  `(\\d{1,2}):(\\d\\d)(?::(\\d\\d)(?:[.,]\\d{1,3})?)?${half}?(?![\\d\\p{L}]|:\\d|[.,]\\d{3})`,
  'uy',
);
const bareHour = new RegExp(`(\\d{1,2})${half}(?!\\p{L})`, 'uy');
const dotted = new RegExp(`(\\d{1,2})\\.(\\d\\d)${half}(?!\\p{L})`, 'uy');
const oneTime = '\\d{1,2}(?:[:]\\d\\d)?(?:\\s?[AaPp]\\.?[Mm]\\b)?';
const timeRange = new RegExp(`(${oneTime})\\s?[-–—]\\s?(${oneTime})(?![\\d\\p{L}:]|[-–/]\\d)`, 'uy');
const german = /(\d{1,2})(?:[:.](\d\d))?(?::(\d\d))?\s?(?:Uhr|h)(?!\p{L})(?:\s(\d{1,2})(?!\d|[.,]\d))?/uy;
const french = /(\d{1,2})\s?(?:h|heures?)(?:\s?(\d\d)(?!\d))?(?!\p{L})/uy;

export function createTimeRules(speech: Speech): Rule[] {
  const withClock: Rule = ({ text, at, lead, math }) => {
    const found = matchAt(clock, text, at) ?? matchAt(dotted, text, at);
    if (!found) return undefined;
    const isDot = found[0].includes('.') && !found[0].includes(':');
    const [all, h, m, third, fourth] = found;
    const seconds = isDot ? undefined : third;
    const meridiem = isDot ? third : fourth;
    const hours = Number(h);
    const minutes = Number(m);
    if (hours > 24 || minutes > 59 || Number(seconds ?? 0) > 59 || math) return undefined;
    if (/^(?:ratio|score|odds|scale)$/u.test(lead)) return undefined;
    const hasStop = stopIsOurs(all, text, at);
    const end = at + all.length - (hasStop ? 0 : 1);
    if (seconds !== undefined && h!.length === 1 && meridiem === undefined && speech.language === 'en') {
      const count = (n: number, name: string) => `${speech.cardinal(BigInt(n))} ${name}${n === 1 ? '' : 's'}`;
      return {
        end,
        spoken: `${count(hours, 'hour')}, ${count(minutes, 'minute')} and ${count(Number(seconds), 'second')}`,
      };
    }
    const spoken = speech.time({
      hours,
      minutes,
      meridiem,
      ...(seconds === undefined || seconds === '00' ? {} : { seconds: Number(seconds) }),
    });
    const uhr =
      speech.language === 'de' || speech.language === 'es'
        ? matchAt(/\s?(?:Uhr|hrs?|h|horas)(?!\p{L})\.?/uy, text, end)
        : null;
    return { end: end + (uhr?.[0].length ?? 0), spoken };
  };

  const bare: Rule = ({ text, at }) => {
    const found = matchAt(bareHour, text, at);
    if (!found || Number(found[1]) > 12 || Number(found[1]) === 0) return undefined;
    const end = at + found[0].length - (stopIsOurs(found[0], text, at) ? 0 : 1);
    return { end, spoken: speech.time({ hours: Number(found[1]), minutes: 0, meridiem: found[2] }) };
  };

  const local: Rule = ({ text, at }) => {
    const pattern = speech.language === 'de' ? german : speech.language === 'fr' ? french : undefined;
    const found = pattern && matchAt(pattern, text, at);
    if (!found) return undefined;
    const [all, h, m, s, late] = found;
    const minutes = m ?? (speech.language === 'de' ? late : undefined);
    if (Number(h) > 24 || Number(minutes ?? 0) > 59) return undefined;
    // `100 km/h`, `5 h` alone in German is a length of time.
    if (speech.language === 'de' && !all.includes('Uhr')) return undefined;
    return {
      end: at + all.length,
      spoken: speech.time({
        hours: Number(h),
        minutes: Number(minutes ?? 0),
        ...(s === undefined ? {} : { seconds: Number(s) }),
      }),
    };
  };

  /** `9:00-17:00`, `9am–5pm`, `9-5pm`. */
  const range: Rule = (place) => {
    const found = matchAt(timeRange, place.text, place.at);
    if (!found) return undefined;
    const [all, first, second] = found;
    if (!/[:apAP]/u.test(first! + second!) || !/[:]|[apAP]\.?[mM]/u.test(second!)) return undefined;
    const say = (written: string): string | undefined => {
      const part = { ...place, text: written, at: 0, lead: '' };
      const said = withClock(part) ?? bare(part);
      if (said && said.end >= written.length) return said.spoken.replace(/ o'clock$/u, '');
      return /^\d{1,2}$/u.test(written) ? speech.cardinal(BigInt(written)) : undefined;
    };
    const [from, to] = [say(first!), say(second!)];
    if (from === undefined || to === undefined) return undefined;
    return { end: place.at + all.length, spoken: `${from} ${speech.words.to} ${to}` };
  };

  return [range, local, withClock, bare];
}

/** Whether the last stop belongs to `p.m.`: not if it is the sentence's own. */
function stopIsOurs(found: string, text: string, at: number): boolean {
  if (!found.endsWith('.')) return true;
  return /\S/u.test(text.slice(at + found.length, at + found.length + 8).replace(/["'”’)\]]/gu, ''));
}

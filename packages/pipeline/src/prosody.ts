import type { PlanWarning } from '@rhapsode/text';

const rates: Readonly<Record<string, number>> = {
  'x-slow': 0.5,
  slow: 0.75,
  medium: 1,
  default: 1,
  fast: 1.25,
  'x-fast': 1.6,
};

/**
 * The pace that SSML's `rate` asks for, as a multiple of the utterance's own: a word, a percentage (`80%` of it, or `+20%`
 * more), or a factor. What can't be read, or is beyond what the voice can, is told to `warn`.
 */
export function speedOf(
  rate: string,
  speed: number,
  range: { readonly min: number; readonly max: number } | undefined,
  warn: (warning: PlanWarning) => void,
): number | undefined {
  const factor = factorOf(rate.trim());
  if (factor === undefined) {
    warn({
      code: 'ssml_invalid_value',
      message: `'${rate.slice(0, 40)}' is no rate; use slow, fast, 80% or +20%`,
    });
    return undefined;
  }
  const { min, max } = range ?? { min: 1, max: 1 };
  const wanted = speed * factor;
  const possible = Math.min(max, Math.max(min, wanted));
  if (possible !== wanted)
    warn({
      code: 'voice_cannot',
      message: `the voice speaks at speed ${min} to ${max}; a rate of ${rate.slice(0, 40)} is brought within`,
    });
  return possible;
}

const volumes: Readonly<Record<string, number>> = {
  silent: Number.NEGATIVE_INFINITY,
  'x-soft': -12,
  soft: -6,
  medium: 0,
  default: 0,
  loud: 6,
  'x-loud': 12,
};
const mostDb = 40;

/**
 * What SSML's `volume` asks for, as a factor of each sample: a word, or a change in decibels (`-6dB`), or several that add up.
 * What can't be read is told to `warn`.
 */
export function gainOf(volume: string, warn: (warning: PlanWarning) => void): number | undefined {
  let db = 0;
  for (const part of volume.trim().split(/\s+/u)) {
    const change = /^[+-]?\d{1,3}(?:\.\d{1,4})?(?=dB$)/iu.exec(part);
    const level = Object.hasOwn(volumes, part) ? volumes[part] : undefined;
    if (change) db += Number(change[0]);
    else if (level !== undefined) db = level;
    else {
      warn({
        code: 'ssml_invalid_value',
        message: `'${part.slice(0, 40)}' is no volume; use silent, x-soft, soft, medium, loud, x-loud or -6dB`,
      });
      return undefined;
    }
  }
  if (db > mostDb)
    warn({
      code: 'ssml_invalid_value',
      message: `a volume of ${db} dB is more than there can be; it is +${mostDb} dB`,
    });
  return 10 ** (Math.min(mostDb, db) / 20);
}

function factorOf(rate: string): number | undefined {
  if (Object.hasOwn(rates, rate)) return rates[rate];
  const found = /^([+-]?)(\d{1,4}(?:\.\d{1,4})?)(%?)$/.exec(rate);
  if (!found) return undefined;
  const [, sign, digits, percent] = found;
  // Without a percent sign a change would be by a factor, which has no sign.
  if (sign !== '' && percent === '') return undefined;
  const value = percent === '' ? Number(digits) : Number(digits) / 100;
  const factor = sign === '+' ? 1 + value : sign === '-' ? 1 - value : value;
  return factor > 0 ? factor : undefined;
}

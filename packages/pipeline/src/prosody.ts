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

import { type AudioFormat, formatFacts } from '@rhapsode/audio';
import { RhapsodeError } from '@rhapsode/contracts';
import { z } from 'zod';

/** How LMNT's names are made: one of our formats, and what is done to its bytes. */
interface FormatRecipe {
  readonly encoder: AudioFormat;
  readonly as?: 'float32' | 'ulaw';
  readonly contentType: string;
}

const recipe = (encoder: AudioFormat): FormatRecipe => ({
  encoder,
  contentType: formatFacts(encoder).contentType,
});

const recipes: Readonly<Record<string, FormatRecipe>> = {
  mp3: recipe('mp3'),
  aac: recipe('aac'),
  wav: recipe('wav'),
  raw: recipe('pcm'),
  pcm_s16le: recipe('pcm'),
  pcm_f32le: { ...recipe('pcm'), as: 'float32' },
  ulaw: { encoder: 'pcm', as: 'ulaw', contentType: 'audio/wav' },
};
/** Vercel's AI SDK has names of its own. */
const others: Readonly<Record<string, string>> = { mulaw: 'ulaw' };

const rates = [8000, 16_000, 24_000] as const;

export interface Wanted extends FormatRecipe {
  readonly wantedRateHz: number;
}

/** A form's fields are strings. */
const rate = z.coerce.number();
/** Python's clients write flags as its `str` does. */
export const flag = z.union([z.boolean(), z.stringbool({ truthy: ['true'], falsy: ['false'] })]);

export const formatFields = {
  format: z.string().nullish(),
  response_format: z.string().nullish(),
  sample_rate: rate.nullish(),
};

export function parseFormat({
  response_format,
  format = response_format,
  sample_rate,
}: {
  format?: string | null | undefined;
  response_format?: string | null | undefined;
  sample_rate?: number | null | undefined;
}): Wanted {
  const name = format ?? 'mp3';
  const known = Object.hasOwn(others, name) ? others[name]! : name;
  const found = Object.hasOwn(recipes, known) ? recipes[known]! : undefined;
  if (!found)
    throw new RhapsodeError('unsupported_format', {
      message: `'format' cannot be '${name.slice(0, 40)}'; use one of ${Object.keys(recipes).join(', ')}`,
      param: 'format',
    });
  const wantedRateHz = sample_rate ?? (found.as === 'ulaw' ? 8000 : 24_000);
  if (!(rates as readonly number[]).includes(wantedRateHz))
    throw new RhapsodeError('unsupported_format', {
      message: `'sample_rate' cannot be ${wantedRateHz}; use one of ${rates.join(', ')}`,
      param: 'sample_rate',
    });
  return { ...found, wantedRateHz };
}

import { z } from 'zod';

/** The `.onnx.json` beside a Piper voice; fields that are not used here may be anything. */
export const piperConfig = z.object({
  audio: z.object({ sample_rate: z.int().min(8_000).max(48_000), quality: z.string().optional() }),
  espeak: z.object({ voice: z.string() }).optional(),
  language: z.object({ code: z.string().optional() }).loose().optional(),
  dataset: z.string().optional(),
  phoneme_type: z.enum(['espeak', 'text']).default('espeak'),
  num_symbols: z.int().min(1).max(65_536),
  num_speakers: z.int().min(0).max(100_000).default(1),
  speaker_id_map: z.record(z.string(), z.int().min(0)).default({}),
  phoneme_id_map: z
    .record(z.string(), z.array(z.int().min(0)))
    .refine((map) => Object.values(map).some((ids) => ids.length > 0), 'must name phonemes'),
  inference: z
    .object({
      noise_scale: z.number().min(0).max(2).default(0.667),
      length_scale: z.number().min(0.2).max(5).default(1),
      noise_w: z.number().min(0).max(2).default(0.8),
    })
    .prefault({}),
  /** Our own: a graph of another make says here where it may be cut. */
  rhapsode: z
    .object({
      split: z
        .object({ latent: z.string(), context: z.int().min(0).max(1_000), hop: z.int().min(1).max(4_096) })
        .optional(),
    })
    .optional(),
});
export type PiperConfig = z.infer<typeof piperConfig>;

/** Some published voices say 22500 where 22050 is meant. */
export const sampleRateOf = (config: PiperConfig): number =>
  config.audio.sample_rate === 22_500 ? 22_050 : config.audio.sample_rate;

export const languageOf = (config: PiperConfig): string =>
  (config.language?.code ?? config.espeak?.voice ?? 'und').replace('_', '-');

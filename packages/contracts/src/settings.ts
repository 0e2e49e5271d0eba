import * as z from 'zod';

/** Limits of each setting for every voice; a voice's own may be narrower, or it may not have the setting at all. */
export const settingLimits = {
  /** How much the sound of a voice varies. */
  noise_scale: { min: 0, max: 2 },
  /** How much the length of its phonemes varies. */
  noise_w: { min: 0, max: 2 },
  /** Silence after a sentence. A longer pause that the text asks for, as after a paragraph, stays. */
  sentence_silence_seconds: { min: 0, max: 10 },
  /**
   * Audio in each chunk but the last of a sentence, and what a listener waits for at first: the shorter, the sooner, and
   * the more work in all.
   */
  chunk_seconds: { min: 0.1, max: 1 },
} as const;
export type SettingName = keyof typeof settingLimits;
export const settingNames = Object.keys(settingLimits) as SettingName[];

const within = ({ min, max }: { min: number; max: number }) => z.number().min(min).max(max).optional();

/**
 * How a sentence is to be spoken, beyond its speed: the same names in requests, on the queue and in a voice's
 * capabilities. What is left out is as the voice's makers set it.
 */
export const speechSettings = z.strictObject({
  noise_scale: within(settingLimits.noise_scale),
  noise_w: within(settingLimits.noise_w),
  sentence_silence_seconds: within(settingLimits.sentence_silence_seconds),
  chunk_seconds: within(settingLimits.chunk_seconds),
});
export type SpeechSettings = z.infer<typeof speechSettings>;

export const settingRange = z.object({
  min: z.number(),
  max: z.number(),
  /** What the voice takes if nothing is said, where that is a number. */
  default: z.number().optional(),
});
export type SettingRange = z.infer<typeof settingRange>;

/** What the pipeline does itself, for every voice. */
export const commonSettings = {
  sentence_silence_seconds: settingLimits.sentence_silence_seconds,
  chunk_seconds: settingLimits.chunk_seconds,
} as const satisfies Partial<Record<SettingName, SettingRange>>;

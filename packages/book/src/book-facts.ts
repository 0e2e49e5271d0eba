import type { BookRecord } from '@rhapsode/store';
import { z } from 'zod';

/** What the store of books holds of a book as JSON: enough to tell of it without opening an artefact. */
export const bookFacts = z.object({
  v: z.literal(1),
  /** Names the folder of the book, and that of the plan. */
  home: z.string(),
  plan: z.string(),
  title: z.string(),
  chapters: z.int(),
  sentences: z.int(),
  characters: z.int(),
  estimatedMs: z.int(),
  sampleRateHz: z.int(),
  voice: z.string(),
  /** Raised when sentences that failed are to be tried again. */
  round: z.int(),
  /** Tells who made the newest edition that it was they, and not somebody else at the same time. */
  revision: z.string().optional(),
});
export type BookFacts = z.infer<typeof bookFacts>;

/** What who works on a book tells of it; of display only. */
export const bookProgress = z.object({
  /** What is told of another edition is of no use any more. */
  edition: z.int().optional(),
  stage: z.enum(['speaking', 'rendering']),
  characters: z.int(),
  sentences: z.int(),
  /** Of those: spoken for this edition, and not found in the store. */
  synthesized: z.int(),
  chapters: z.int(),
  audioMs: z.int(),
  /** Characters of manuscript a second, measured; absent while nothing was measured. */
  charactersPerSecond: z.number().optional(),
  etaSeconds: z.number().optional(),
});
export type BookProgress = z.infer<typeof bookProgress>;

/** How an edition ended: counted from the state of every sentence. */
export const bookOutcome = z.object({
  state: z.enum(['succeeded', 'partially_succeeded', 'failed']),
  sentences: z.object({ spoken: z.int(), silence: z.int(), fallback: z.int() }),
  synthesized: z.int(),
  audioMs: z.int(),
  elapsedMs: z.int(),
  endedAtMs: z.number(),
  /** Why it failed. */
  error: z.object({ code: z.string(), message: z.string(), sentence: z.int().optional() }).optional(),
});
export type BookOutcome = z.infer<typeof bookOutcome>;

/** What was told of this edition, by whoever worked on it last. */
export function progressOf({
  edition,
  progress,
}: Pick<BookRecord, 'edition' | 'progress'>): BookProgress | undefined {
  const told = progress === undefined ? undefined : readJson(bookProgress, progress);
  return told?.edition === edition ? told : undefined;
}

export function readJson<T>(schema: z.ZodType<T>, json: string): T {
  return schema.parse(JSON.parse(json));
}

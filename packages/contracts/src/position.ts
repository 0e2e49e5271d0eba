import * as z from 'zod';

/** Where a listener is: the next sample to be heard. Ordered by segment, then by sample within its audio and pause. */
export interface Position {
  readonly segment: number;
  readonly sample: number;
}

export const start: Position = { segment: 0, sample: 0 };

export const position = z.object({ segment: z.int().min(0), sample: z.int().min(0) });

/** `3:4410` is sample 4410 of segment 3. */
export const positionText = z
  .string()
  .regex(/^\d{1,9}:\d{1,12}$/, 'must be <segment>:<sample>, for example 3:4410')
  .transform((text): Position => {
    const [segment, sample] = text.split(':').map(Number);
    return { segment: segment!, sample: sample! };
  });

export const formatPosition = (at: Position): string => `${at.segment}:${at.sample}`;

export const comparePositions = (a: Position, b: Position): number =>
  a.segment - b.segment || a.sample - b.sample;

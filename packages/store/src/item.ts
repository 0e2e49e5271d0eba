import { maxGeneration, RhapsodeError, type Segment, segment as segmentSchema } from '@rhapsode/contracts';

/** The same text for equal segments, so that a repeated append can be told from another one. */
export const encodeSegment = (segment: Segment): string => JSON.stringify(segmentSchema.parse(segment));

/** What a sentence counts for in fairness and backlog. At least 1: who has something in flight has some load. */
export const costMs = (segment: Segment): number => Math.max(1, segment.estimatedMs);

export type AppendRefusal = 'utterance_not_found' | 'cancelled' | 'utterance_sealed' | 'gap' | 'conflict';

export function appendError(refusal: AppendRefusal, id: string, at: number): RhapsodeError {
  if (refusal === 'gap')
    return new RhapsodeError('internal_error', {
      message: `segments before ${at} of utterance ${id} are missing`,
    });
  if (refusal === 'conflict')
    return new RhapsodeError('internal_error', {
      message: `other segments than these are stored at ${at} of utterance ${id}`,
    });
  return new RhapsodeError(refusal);
}

export function checkGeneration(segment: number, generation: number): void {
  if (generation >= maxGeneration)
    throw new RhapsodeError('audio_lost', {
      message: `segment ${segment} has been made too often`,
      segment,
    });
}

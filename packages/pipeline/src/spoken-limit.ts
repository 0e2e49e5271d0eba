import { RhapsodeError, type Segment } from '@rhapsode/contracts';

export interface SpokenLimits {
  readonly segments: number;
  /** UTF-16 code units that are spoken of an utterance: rules of a lexicon can make much of a short text. */
  readonly spokenLength: number;
}

/** Counts what a text has become, and refuses what goes beyond. */
export function createSpokenLimit(limits: SpokenLimits) {
  let segments = 0;
  let spoken = 0;
  const tooLong = (message: string) => new RhapsodeError('text_too_long', { message, param: 'input' });
  return {
    get segments() {
      return segments;
    },
    add(planned: readonly Segment[]): void {
      segments += planned.length;
      for (const { text } of planned) spoken += text.length;
      if (segments > limits.segments)
        throw tooLong(`the text has more than ${limits.segments} sentences; send it in parts`);
      if (spoken > limits.spokenLength)
        throw tooLong(
          `more than ${limits.spokenLength} characters would be spoken; use shorter rules, or send it in parts`,
        );
    },
  };
}

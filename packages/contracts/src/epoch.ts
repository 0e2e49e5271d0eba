/**
 * The fence of an attempt: `generation << 16 | attemptsStarted`. A sentence that is dispatched again under a new
 * job id gets a higher generation; a job that is started again gets a higher attempt. Highest epoch wins.
 */
export type Epoch = number;

const attemptsPerGeneration = 65_536;
/** Kept below 2^31, so that an epoch is a small integer everywhere. */
export const maxGeneration = 32_767;

export function epochOf(generation: number, attempt: number): Epoch {
  if (!Number.isInteger(generation) || generation < 0 || generation > maxGeneration)
    throw new RangeError(`generation ${generation} is not in 0..${maxGeneration}`);
  if (!Number.isInteger(attempt) || attempt < 0 || attempt >= attemptsPerGeneration)
    throw new RangeError(`attempt ${attempt} is not in 0..${attemptsPerGeneration - 1}`);
  return generation * attemptsPerGeneration + attempt;
}

export const generationOf = (epoch: Epoch): number => Math.floor(epoch / attemptsPerGeneration);
export const attemptOf = (epoch: Epoch): number => epoch % attemptsPerGeneration;

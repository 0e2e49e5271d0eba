import { invalid } from './errors.ts';

export interface StreamConfig {
  /** Samples of a chunk of audio; only the last one of a stream is shorter. 0, the default: as they come, without waiting. */
  readonly chunkSize: number;
  /** Most UTF-16 code units of text in one message to the server. */
  readonly maxTextChunk: number;
  /** Share of `bufferSize` from which on `bufferFull()` is true and `feed` makes its caller wait. */
  readonly bufferThreshold: number;
  /** UTF-16 code units of text that were fed and not heard yet. Beyond it `feed` throws `BufferError`. */
  readonly bufferSize: number;
}

export const defaultStreamConfig: StreamConfig = {
  chunkSize: 0,
  maxTextChunk: 2_000,
  bufferThreshold: 0.75,
  bufferSize: 65_536,
};

/**
 * The server holds up to a sentence until it ends. A stream that made its feeder wait while less than that is on its way
 * would wait for ever, so it is never full below this.
 */
export const leastFull = 2_048;

const ranges: { readonly [K in keyof StreamConfig]: readonly [least: number, most: number] } = {
  chunkSize: [0, 1 << 20],
  maxTextChunk: [1, 10_000],
  bufferThreshold: [0.01, 1],
  bufferSize: [leastFull, 1 << 24],
};

/** `base` with what `changes` says; throws what names the field and its limits. */
export function changeStreamConfig(base: StreamConfig, changes: Partial<StreamConfig>): StreamConfig {
  for (const [name, value] of Object.entries(changes)) {
    if (!Object.hasOwn(ranges, name))
      throw invalid(
        name,
        `'${name}' is not a setting of a stream; they are ${Object.keys(ranges).join(', ')}`,
      );
    const [least, most] = ranges[name as keyof StreamConfig];
    const whole = name !== 'bufferThreshold';
    if (
      typeof value !== 'number' ||
      !(value >= least && value <= most) ||
      (whole && !Number.isInteger(value))
    )
      throw invalid(
        name,
        `'${name}' must be a ${whole ? 'whole ' : ''}number from ${least} to ${most}, and is ${String(value)}`,
      );
  }
  return { ...base, ...changes };
}

/** From how much unheard text on a feeder is to wait. */
export const fullMark = ({ bufferSize, bufferThreshold }: StreamConfig): number =>
  Math.max(leastFull, Math.floor(bufferSize * bufferThreshold));

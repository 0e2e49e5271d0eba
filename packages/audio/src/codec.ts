/**
 * One format at one sample rate that it knows. Bytes that are returned are the caller's, but for PCM's, which share memory with
 * what was pushed. The same samples give the same bytes in the end, however they were divided into pushes.
 */
export interface Codec {
  /** A push of any length lets others of this thread work meanwhile, for it is encoded elsewhere. */
  readonly takesAll?: boolean;
  /** What comes before the first sample: as many bytes whether `samples`, the whole length, is known or not. */
  header(samples?: number): Uint8Array;
  push(pcm: Int16Array): Uint8Array | Promise<Uint8Array>;
  /** What comes after the last sample. `original`: how many there were before they were brought to this rate, and at which. */
  finish(original: Original): Uint8Array | Promise<Uint8Array>;
  /** Gives back what it holds; called once, also in the middle. */
  close(): void | Promise<void>;
}

export interface Original {
  readonly samples: number;
  readonly sampleRateHz: number;
}

export const nothing = new Uint8Array(0);

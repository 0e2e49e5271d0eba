import { floatBytes } from '@rhapsode/audio';
import { RhapsodeError } from '@rhapsode/contracts';

/** As `SynthesizerConfig.AudioEncoding` numbers them. */
const bytesPerSample = { 0: 2, 1: 4 } as const;
export type Encoding = keyof typeof bytesPerSample;
const float32: Encoding = 1;

/** Largest message of a stream: a client's library has to hold it as a whole. */
const mostFrameBytes = 16 << 20;

/** PCM as the client wants it: its encoding, in frames of just as many samples as it said. */
export interface Framer {
  push(pcm: Uint8Array): Iterable<Uint8Array>;
  /** What is left, if anything. */
  finish(): Iterable<Uint8Array>;
}

export function parseEncoding(encoding: number): Encoding {
  if (encoding === 0 || encoding === float32) return encoding;
  throw new RhapsodeError('unsupported_format', {
    message: `'config.encoding' is ${encoding}; use RAW_LINEAR16 (0) or RAW_FLOAT32 (1)`,
    param: 'config.encoding',
  });
}

/** `samples`: of each frame but the last; 0: frames as they come. */
export function createFramer(encoding: Encoding, samples: bigint): Framer {
  const width = bytesPerSample[encoding];
  const most = mostFrameBytes / width;
  if (samples > most)
    throw new RhapsodeError('invalid_request', {
      message: `'config.n_samples' is ${samples}; at most ${most} samples of this encoding fit into a message`,
      param: 'config.n_samples',
    });
  const encode = encoding === float32 ? floatBytes : (pcm: Uint8Array) => pcm;
  const frameBytes = Number(samples) * width;
  let held: Uint8Array[] = [];
  let heldBytes = 0;

  function* push(pcm: Uint8Array): Generator<Uint8Array> {
    const bytes = encode(pcm);
    if (frameBytes === 0) {
      if (bytes.length > 0) yield bytes;
      return;
    }
    let at = 0;
    while (heldBytes + bytes.length - at >= frameBytes) {
      const end = at + frameBytes - heldBytes;
      held.push(bytes.subarray(at, end));
      yield Buffer.concat(held);
      held = [];
      heldBytes = 0;
      at = end;
    }
    if (at < bytes.length) held.push(bytes.slice(at));
    heldBytes += bytes.length - at;
  }

  return {
    push,
    *finish() {
      if (heldBytes > 0) yield Buffer.concat(held);
      held = [];
      heldBytes = 0;
    },
  };
}

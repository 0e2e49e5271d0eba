import { type AudioFormat, createEncoder, type EncoderOptions } from '../src/index.ts';

/** The bytes of a whole stream that is pushed in pieces. `samples`: what the header is told of its length. */
export async function encode(
  format: AudioFormat,
  options: EncoderOptions,
  pieces: readonly Int16Array[],
  samples?: number,
): Promise<Buffer> {
  const encoder = await createEncoder(format, options);
  try {
    const bytes = [Buffer.from(encoder.header(samples))];
    for (const piece of pieces) bytes.push(Buffer.from(await encoder.push(piece)));
    bytes.push(Buffer.from(await encoder.finish()));
    return Buffer.concat(bytes);
  } finally {
    await encoder.close();
  }
}

/** Cuts `whole` at the given places, wherever they are. */
export function cutAt(whole: Int16Array, places: readonly number[]): Int16Array[] {
  const cuts = [0, ...places.map((p) => p % (whole.length + 1)).sort((a, b) => a - b), whole.length];
  return cuts.slice(1).map((end, i) => whole.subarray(cuts[i]!, end));
}

/** A box of an MP4 file, or bytes within one: its size is known before its bytes are made, so that files need no seeking. */
export interface Box {
  readonly size: number;
  bytes(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

export type Content = Uint8Array | Box;

const asBox = (content: Content): Box =>
  content instanceof Uint8Array ? { size: content.length, bytes: () => [content] } : content;

/** Four letters; `©` is one byte in MP4. */
export const fourLetters = (type: string): Uint8Array => Buffer.from(type, 'latin1');

export function box(type: string, ...contents: readonly Content[]): Box {
  const boxes = contents.map(asBox);
  const inner = boxes.reduce((sum, { size }) => sum + size, 0);
  const isLarge = inner + 8 > 0xffff_ffff;
  const size = inner + (isLarge ? 16 : 8);
  return {
    size,
    async *bytes() {
      yield isLarge ? join(u32(1), fourLetters(type), u64(size)) : join(u32(size), fourLetters(type));
      for (const each of boxes) yield* each.bytes();
    },
  };
}

/** A box with a version and flags. */
export const fullBox = (type: string, version: number, flags: number, ...contents: readonly Content[]): Box =>
  box(type, u32(version * 0x100_0000 + flags), ...contents);

/** Bytes that are made as they are written; there must be `size` of them. */
export const stream = (size: number, bytes: () => AsyncIterable<Uint8Array>): Box => ({
  size,
  async *bytes() {
    let given = 0;
    for await (const piece of bytes()) {
      given += piece.length;
      yield piece;
    }
    if (given !== size) throw new Error(`a box of ${size} bytes was given ${given}`);
  },
});

export const join = (...parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts);

function number(bytes: number, value: number | bigint): Uint8Array {
  const out = Buffer.alloc(bytes);
  if (bytes === 8) out.writeBigUInt64BE(BigInt(value));
  else out.writeUIntBE(Number(value), 0, bytes);
  return out;
}
export const u8 = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);
export const u16 = (...values: readonly number[]): Uint8Array => join(...values.map((v) => number(2, v)));
export const u32 = (...values: readonly number[]): Uint8Array => join(...values.map((v) => number(4, v)));
export const u64 = (...values: readonly number[]): Uint8Array => join(...values.map((v) => number(8, v)));
export const zeros = (count: number): Uint8Array => new Uint8Array(count);

export async function* boxBytes(boxes: readonly Box[]): AsyncIterable<Uint8Array> {
  for (const each of boxes) yield* each.bytes();
}

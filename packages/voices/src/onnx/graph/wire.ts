/** The protobuf wire format, as much of it as ONNX needs: varints, 32-bit, 64-bit and length-delimited fields. */
export interface Field {
  readonly number: number;
  readonly wireType: number;
  /** Varints and fixed numbers as a number; for length-delimited fields their length. */
  readonly value: number;
  /** The payload of a length-delimited field. */
  readonly bytes: Uint8Array;
  /** Key and payload together: copying it copies the field. */
  readonly raw: Uint8Array;
}

const empty = new Uint8Array(0);

export function* readFields(message: Uint8Array): Generator<Field> {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++];
      if (byte === undefined || shift > 63) throw new Error('the protobuf message is cut short');
      // Numbers above 2^53 (hashes, negative numbers) lose bits; nothing here computes with them.
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const start = at;
    const key = varint();
    const [number, wireType] = [Math.floor(key / 8), key % 8];
    let value = 0;
    let bytes: Uint8Array = empty;
    if (wireType === 0) value = varint();
    else if (wireType === 1 || wireType === 5) {
      const size = wireType === 1 ? 8 : 4;
      if (at + size > message.length) throw new Error('the protobuf message is cut short');
      value = wireType === 1 ? view.getFloat64(at, true) : view.getFloat32(at, true);
      at += size;
    } else if (wireType === 2) {
      value = varint();
      if (at + value > message.length) throw new Error('the protobuf message is cut short');
      bytes = message.subarray(at, at + value);
      at += value;
    } else throw new Error(`protobuf wire type ${wireType} is not supported`);
    if (number === 0) throw new Error('not a protobuf message');
    yield { number, wireType, value, bytes, raw: message.subarray(start, at) };
  }
}

const decoder = new TextDecoder();
export const text = (field: Field): string => decoder.decode(field.bytes);

/** A repeated number: packed in one field, or a field of its own. */
export function* numbers(field: Field): Generator<number> {
  if (field.wireType !== 2) {
    yield signed(field.value);
    return;
  }
  let value = 0;
  let shift = 0;
  for (const byte of field.bytes) {
    value += (byte & 0x7f) * 2 ** shift;
    shift += 7;
    if (byte >= 0x80) continue;
    yield signed(value);
    value = 0;
    shift = 0;
  }
}

/** Negative numbers travel as 64-bit two's complement; small ones come back exactly but for the rounding of 2^64. */
export const signed = (value: number): number => (value >= 2 ** 63 ? -1 : value);

const encoder = new TextEncoder();

export function varint(value: number | bigint): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}

export const numberField = (number: number, value: number | bigint): Uint8Array =>
  concat([varint(number * 8), varint(value)]);

export function floatField(number: number, value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return concat([varint(number * 8 + 5), bytes]);
}

export function bytesField(number: number, payload: Uint8Array | string): Uint8Array {
  const bytes = typeof payload === 'string' ? encoder.encode(payload) : payload;
  return concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

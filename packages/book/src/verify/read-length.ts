import { createHash } from 'node:crypto';

export interface FoundFile {
  readonly bytes: number;
  readonly sha256: string;
  /** What the file itself says that it decodes to, where that can be told from its bytes. */
  readonly samples?: number;
}

/** Enough of a file to find what it says of its length; more where tags and a picture stand before it. */
const headBytes = 1024 * 1024;

/** Reads a file once, whole: its digest, and how long it is. */
export function createLengthReader(format: string) {
  const hash = createHash('sha256');
  const lengthOf = lengths[format];
  let head: Uint8Array = new Uint8Array(0);
  let bytes = 0;
  return {
    push(piece: Uint8Array): void {
      hash.update(piece);
      bytes += piece.length;
      if (lengthOf && head.length < headBytes)
        head = Buffer.concat([head, piece.subarray(0, headBytes - head.length)]);
    },
    result(): FoundFile {
      const samples = lengthOf?.(Buffer.from(head), bytes);
      return { bytes, sha256: hash.digest('hex'), ...(samples === undefined ? {} : { samples }) };
    },
  };
}

const lengths: Readonly<Record<string, (head: Buffer, bytes: number) => number | undefined>> = {
  wav: wavSamples,
  flac: flacSamples,
  m4b: m4bSamples,
};

/** The bytes behind the header, two for a sample. */
function wavSamples(head: Buffer, bytes: number): number | undefined {
  if (head.length < 44 || head.toString('latin1', 36, 40) !== 'data') return undefined;
  return (bytes - 44) / 2;
}

/** 36 bits of its stream info. */
function flacSamples(head: Buffer): number | undefined {
  if (head.length < 26 || head.toString('latin1', 0, 4) !== 'fLaC') return undefined;
  return (head[21]! & 15) * 2 ** 32 + head.readUInt32BE(22);
}

/** The film's length, in its time, which is the sample rate. */
function m4bSamples(head: Buffer): number | undefined {
  const at = head.indexOf('mvhd', 0, 'latin1');
  if (at < 0) return undefined;
  return head[at + 4] === 1 ? Number(head.readBigUInt64BE(at + 28)) : head.readUInt32BE(at + 20);
}

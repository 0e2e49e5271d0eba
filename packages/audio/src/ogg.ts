const capture = Buffer.from('OggS');

/** Ogg's checksum: polynomial 0x04c11db7, not reflected, nothing inverted. */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000_0000 ? (crc << 1) ^ 0x04c1_1db7 : crc << 1;
  return crc >>> 0;
});

function checksum(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) crc = (crc << 8) ^ table[(crc >>> 24) ^ byte]!;
  return crc >>> 0;
}

export interface OggPage {
  readonly packets: readonly Uint8Array[];
  /** Samples up to the end of the last packet. */
  readonly granule: number;
  readonly isLast?: boolean;
}

/**
 * One logical Ogg stream, page after page, of whole packets. The serial number is always the same: the bytes of an utterance
 * must be, whoever encodes them.
 */
export function createOggStream(serial = 0x5268_6170): (page: OggPage) => Uint8Array {
  let sequence = 0;
  return ({ packets, granule, isLast = false }) => {
    const lacing = packets.flatMap((packet) => [
      ...new Array<number>(Math.floor(packet.length / 255)).fill(255),
      packet.length % 255,
    ]);
    if (lacing.length > 255) throw new RangeError(`${packets.length} packets do not fit into one page`);
    const head = Buffer.alloc(27 + lacing.length);
    capture.copy(head);
    head[5] = (sequence === 0 ? 2 : 0) | (isLast ? 4 : 0);
    head.writeBigInt64LE(BigInt(granule), 6);
    head.writeUInt32LE(serial, 14);
    head.writeUInt32LE(sequence++, 18);
    head[26] = lacing.length;
    head.set(lacing, 27);
    const page = Buffer.concat([head, ...packets]);
    page.writeUInt32LE(checksum(page), 22);
    return page;
  };
}

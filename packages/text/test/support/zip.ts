import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipEntry {
  readonly name: string;
  readonly data: string | Uint8Array;
  readonly store?: boolean;
  /** What the directory says, where it lies. */
  readonly declaredSize?: number;
  readonly mode?: number;
  readonly encrypted?: boolean;
  /** Point at the bytes of the entry with this index. */
  readonly sameAs?: number;
}

/** A zip archive, byte by byte, so that it can be a bad one. */
export function zip(entries: readonly ZipEntry[]): Buffer {
  const parts: Buffer[] = [];
  const offsets: number[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const {
    name,
    data,
    store = false,
    declaredSize,
    mode = 0o100644,
    encrypted = false,
    sameAs,
  } of entries) {
    const raw = Buffer.from(data as Uint8Array);
    const packed = store ? raw : deflateRawSync(raw);
    const size = declaredSize ?? raw.length;
    const nameBytes = Buffer.from(name);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(20, 4);
    local.writeUInt16LE(encrypted ? 1 : 0, 6);
    local.writeUInt16LE(store ? 0 : 8, 8);
    local.writeUInt32LE(crc32(raw), 14);
    local.writeUInt32LE(packed.length, 18);
    local.writeUInt32LE(size, 22);
    local.writeUInt16LE(nameBytes.length, 26);
    const offset = sameAs === undefined ? at : offsets[sameAs]!;
    offsets.push(offset);
    if (sameAs === undefined) {
      parts.push(local, nameBytes, packed);
      at += 30 + nameBytes.length + packed.length;
    }
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE((3 << 8) | 20, 4);
    central.writeUInt16LE(20, 6);
    local.copy(central, 8, 6, 28);
    central.writeUInt16LE(nameBytes.length, 28);
    central.writeUInt32LE((mode << 16) >>> 0, 38);
    central.writeUInt32LE(offset, 42);
    directory.push(central, nameBytes);
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length & 0xffff, 8);
  end.writeUInt16LE(entries.length & 0xffff, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, central, end]);
}

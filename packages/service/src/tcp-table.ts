import { open } from 'node:fs/promises';
import { isIPv4, type Socket } from 'node:net';
import { endianness } from 'node:os';

/**
 * From the kernel's list of this machine's TCP connections (`/proc/net/tcp`, Linux): how many bytes of each the other side has
 * not acknowledged. Keys look like the kernel's own: `0100007F:1F90 0100007F:D3A2`.
 */
export type UnacknowledgedBytes = ReadonlyMap<string, number>;

/**
 * Reads the list anew at each call, and tells of those that are asked for and in it. Undefined where the system has no such list.
 * The kernel walks over all its hash buckets for it, which takes milliseconds on a large machine however few connections there are.
 */
export type ReadTcpTable = (keys: ReadonlySet<string>) => Promise<UnacknowledgedBytes | undefined>;

/** One for IPv4, one for IPv6, whose keys are longer. */
const lists = [
  { path: '/proc/net/tcp', keyLength: 27 },
  { path: '/proc/net/tcp6', keyLength: 75 },
] as const;

/**
 * The kernel gives as many lines at a time as fit into a page of memory, which has this many bytes at least. To say that there is
 * nothing more it walks over all its buckets again, so that is not asked for when another line would have fitted.
 */
const pageBytes = 4096;
const longestLineBytes = 256;

/** For one caller, who waits for one answer before asking for the next: it is read many times a second, into the same memory. */
export function createTcpTableReader(): ReadTcpTable {
  let buffer = Buffer.allocUnsafeSlow(4 * pageBytes);

  async function readList(path: string): Promise<Buffer> {
    const file = await open(path);
    try {
      for (let length = 0; ; ) {
        if (buffer.length - length < pageBytes) buffer = Buffer.concat([buffer], 2 * buffer.length);
        const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
        length += bytesRead;
        if (bytesRead < pageBytes - longestLineBytes) return buffer.subarray(0, length);
      }
    } finally {
      await file.close();
    }
  }

  return async (keys) => {
    const found = new Map<string, number>();
    try {
      for (const { path, keyLength } of lists) {
        const wanted = new Set([...keys].filter((key) => key.length === keyLength));
        if (wanted.size > 0) findUnacknowledged(await readList(path), wanted, found);
      }
      return found;
    } catch {
      return undefined;
    }
  };
}

/**
 * A line is `  12: 0100007F:1F90 0100007F:D3A2 01 0003FFF0:00000000 …`: number, local, remote, state, send queue:receive queue.
 * Lines of other ports stay bytes: of a long list that is read often, little is ours. All keys are of one length.
 */
export function findUnacknowledged(list: Buffer, keys: ReadonlySet<string>, into: Map<string, number>): void {
  const keyLength = [...keys][0]!.length;
  const portAt = (keyLength - 1) / 2 - 4;
  const ports = new Set([...keys].map((key) => Number.parseInt(key.slice(portAt, portAt + 4), 16)));
  for (let line = behind(list, newline, 0); ; line = behind(list, newline, line)) {
    const at = behind(list, colon, line) + 1;
    if (at + keyLength > list.length) return;
    if (!ports.has(hexadecimal(list, at + portAt, 4))) continue;
    const key = list.toString('latin1', at, at + keyLength);
    if (keys.has(key)) into.set(key, hexadecimal(list, at + keyLength + ' 01 '.length, 8));
  }
}

const newline = 0x0a;
const colon = 0x3a;

function behind(list: Buffer, byte: number, from: number): number {
  const at = list.indexOf(byte, from);
  return at < 0 ? list.length : at + 1;
}

/** Digits and capital letters. */
function hexadecimal(list: Buffer, from: number, digits: number): number {
  let value = 0;
  for (let at = from; at < from + digits; at++) {
    const code = list[at]!;
    value = 16 * value + code - (code > 0x39 ? 0x37 : 0x30);
  }
  return value;
}

/** The socket's key in the list; undefined when it is not connected any more. */
export function tcpKey({ localAddress, localPort, remoteAddress, remotePort }: Socket): string | undefined {
  if (!localAddress || !localPort || !remoteAddress || !remotePort) return undefined;
  return `${endpoint(localAddress, localPort)} ${endpoint(remoteAddress, remotePort)}`;
}

/** The kernel prints addresses in words of 32 bits in the machine's byte order, the port in the network's. */
function endpoint(address: string, port: number): string {
  const bytes = addressBytes(address);
  let text = '';
  for (let word = 0; word < bytes.length; word += 4) {
    const four = bytes.slice(word, word + 4);
    if (endianness() === 'LE') four.reverse();
    text += Buffer.from(four).toString('hex');
  }
  return `${text}:${port.toString(16).padStart(4, '0')}`.toUpperCase();
}

function addressBytes(address: string): number[] {
  if (isIPv4(address)) return address.split('.').map(Number);
  const withoutZone = address.split('%', 1)[0]!;
  const lastColon = withoutZone.lastIndexOf(':');
  const tail = withoutZone.slice(lastColon + 1);
  if (isIPv4(tail)) {
    const [a, b, c, d] = tail.split('.').map(Number) as [number, number, number, number];
    const words = [(a << 8) | b, (c << 8) | d].map((word) => word.toString(16));
    return addressBytes(`${withoutZone.slice(0, lastColon + 1)}${words.join(':')}`);
  }
  const [head, rest] = withoutZone.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const words =
    rest === undefined ? head! : [...head!, ...Array(8 - head!.length - rest.length).fill('0'), ...rest];
  return words.map((word) => Number.parseInt(word, 16)).flatMap((word) => [word >> 8, word & 0xff]);
}

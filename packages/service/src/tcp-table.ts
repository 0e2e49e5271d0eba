import { open } from 'node:fs/promises';
import { isIPv4, type Socket } from 'node:net';
import { endianness } from 'node:os';

/**
 * The kernel's list of this machine's TCP connections (`/proc/net/tcp`, Linux): how many bytes of each the other side has
 * not acknowledged. Keys look like the kernel's own: `0100007F:1F90 0100007F:D3A2`.
 */
export type UnacknowledgedBytes = ReadonlyMap<string, number>;

const files = { IPv4: '/proc/net/tcp', IPv6: '/proc/net/tcp6' } as const;
export type Family = keyof typeof files;

/**
 * Reads the list of these families anew at each call. Undefined where the system has no such list. The kernel walks over all its
 * hash buckets for it, which takes milliseconds on a large machine however few connections there are.
 */
export type ReadTcpTable = (families: Iterable<Family>) => Promise<UnacknowledgedBytes | undefined>;

/** For one caller, who waits for one answer before asking for the next: it is read many times a second, into the same memory. */
export function createTcpTableReader(): ReadTcpTable {
  let buffer = Buffer.allocUnsafeSlow(16 * 1024);

  async function readList(family: Family): Promise<string> {
    const file = await open(files[family]);
    try {
      for (let length = 0; ; ) {
        const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
        if (bytesRead === 0) return buffer.toString('latin1', 0, length);
        length += bytesRead;
        if (length === buffer.length) buffer = Buffer.concat([buffer], 2 * length);
      }
    } finally {
      await file.close();
    }
  }

  return async (families) => {
    const table = new Map<string, number>();
    try {
      for (const family of families) parseTcpTable(await readList(family), table);
      return table;
    } catch {
      return undefined;
    }
  };
}

/** `  12: 0100007F:1F90 0100007F:D3A2 01 0003FFF0:00000000 …`: number, local, remote, state, send queue:receive queue. */
export function parseTcpTable(text: string, into: Map<string, number>): void {
  for (const [, key, queue] of text.matchAll(/^ *\d+: (\S+ \S+) \S+ ([\dA-F]+):/gm))
    into.set(key!, Number.parseInt(queue!, 16));
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

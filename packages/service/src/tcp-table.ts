import { readFile } from 'node:fs/promises';
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
 * One read for all sockets of these families. Undefined where the system has no such list. The kernel walks over all its
 * hash buckets for it, which takes milliseconds on a large machine however few connections there are.
 */
export async function readTcpTable(families: Iterable<Family>): Promise<UnacknowledgedBytes | undefined> {
  const table = new Map<string, number>();
  try {
    for (const family of families) parseTcpTable(await readFile(files[family], 'latin1'), table);
    return table;
  } catch {
    return undefined;
  }
}

/** `  12: 0100007F:1F90 0100007F:D3A2 01 0003FFF0:00000000 …`: number, local, remote, state, send queue:receive queue. */
export function parseTcpTable(text: string, into: Map<string, number>): void {
  for (const line of text.split('\n').slice(1)) {
    const [, local, remote, , queues] = line.trim().split(/\s+/, 5);
    if (queues !== undefined) into.set(`${local} ${remote}`, Number.parseInt(queues, 16));
  }
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

import { BlockList, isIP } from 'node:net';

/** What is not on the open internet, of version 4: this machine, private and link-local networks, metadata services, tests, groups. */
const closed4 = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  closed4.addSubnet(net, bits, 'ipv4');

/** Of version 6 only global addresses are open, and of them not those that stand for an address of version 4 or for nothing. */
const open6 = new BlockList();
open6.addSubnet('2000::', 3, 'ipv6');
const closed6 = new BlockList();
for (const [net, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  closed6.addSubnet(net, bits, 'ipv6');

/** Whether an address, as a resolver gives it, is of a machine on the open internet. */
export function isPublicAddress(address: string): boolean {
  const version = isIP(address);
  if (version === 4) return !closed4.check(address, 'ipv4');
  // A scope (`%eth0`) is of this machine's own networks.
  if (version !== 6 || address.includes('%')) return false;
  return open6.check(address, 'ipv6') && !closed6.check(address, 'ipv6');
}

/** Endings of names that are of this machine or of the network that it stands in, whoever is asked. */
const closedNames = /(^|\.)(localhost|localdomain|local|internal|intranet|lan|home\.arpa)$/;

/** Whether a name can be of a machine on the open internet; what it resolves to has to be looked at all the same. */
export function isPublicName(name: string): boolean {
  const bare = name.toLowerCase().replace(/\.$/, '');
  // One without a dot is looked for among the neighbours.
  return bare.includes('.') && !closedNames.test(bare);
}

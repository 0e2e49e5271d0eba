import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import type { SessionSettings } from './session.ts';

let known: string | undefined;

/** Why a voice that is computed so may differ in its last bits from run to run, or from worker to worker. */
export function arithmetic({ threads = 1, providers = ['cpu'] }: SessionSettings): string | undefined {
  // Their number decides how a matrix is shared out, and its sums with it: another worker may have another number.
  if (threads > 1) return `it uses ${threads} threads`;
  // Libraries of other processors choose among their ways of computing by trying them.
  if (providers.join() !== 'cpu') return `it is computed by ${providers.join(', ')}`;
  return undefined;
}

/** Part of a digest; nothing for the usual one. */
export const providerNames = ({ providers = ['cpu'] }: SessionSettings): readonly string[] =>
  providers.join() === 'cpu' ? [] : providers;

/** What decides which kernels the runtime uses here: other ones add up in another order. */
export function machineKind(): string {
  known ??= createHash('sha256')
    .update(`${process.platform} ${process.arch} ${features()}`)
    .digest('hex')
    .slice(0, 16);
  return known;
}

function features(): string {
  try {
    const text = readFileSync('/proc/cpuinfo', 'utf8');
    const flags = /^flags\s*:(.*)$/m.exec(text)?.[1]?.trim().split(/\s+/);
    // Of an x86 processor the ways to compute with vectors; the rest changes with the operating system's version.
    if (flags !== undefined)
      return flags
        .filter((flag) => /^(s?sse|avx|fma|f16c|amx)/.test(flag))
        .sort()
        .join(' ');
    const arm = text.match(/^(Features|CPU (implementer|part))\s*:.*$/gm);
    if (arm !== null) return [...new Set(arm)].sort().join(' ');
  } catch {
    // Not Linux.
  }
  return cpus()[0]?.model ?? '';
}

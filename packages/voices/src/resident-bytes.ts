import { readFileSync } from 'node:fs';

/**
 * Resident memory of a process that may be too busy to tell; only where the system has a cheap way. Read at once: no disk is asked,
 * and to wait for another thread costs many times what the kernel needs.
 */
export function residentBytes(pid: number | undefined): number | undefined {
  if (process.platform !== 'linux' || pid === undefined) return undefined;
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]);
    return pages > 0 ? pages * 4096 : undefined;
  } catch {
    return undefined;
  }
}

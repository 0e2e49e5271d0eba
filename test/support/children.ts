import { readdirSync, readFileSync } from 'node:fs';

/** Processes that `pid` has started (Linux). */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      // The name of the program, in parentheses, may hold anything.
      const fields = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
      return Number(fields[1]) === pid ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

/** Processor time that all processes have taken which `pid` has started, and those they have (Linux); it counts in 10 ms. */
export function childrenCpuMs(pid: number): number {
  return childrenOf(pid).reduce((sum, child) => {
    const fields = readFileSync(`/proc/${child}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
    return sum + 10 * (Number(fields[11]) + Number(fields[12])) + childrenCpuMs(child);
  }, 0);
}

/** Resident memory in bytes. */
export function residentBytes(pid: number): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
  return pages * 4096;
}

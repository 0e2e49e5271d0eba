import { execFileSync } from 'node:child_process';
import { childrenOf } from './children.ts';

/** Keeps a process on these cores, with the threads that it has and will have (Linux; `taskset` is part of every Debian). */
export function keepOnCores(pid: number, cores: readonly number[]): void {
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', cores.join(), String(pid)]);
}

/** The same, with all that it has started. */
export function keepAllOnCores(pid: number, cores: readonly number[]): void {
  keepOnCores(pid, cores);
  for (const child of childrenOf(pid)) keepAllOnCores(child, cores);
}

import { readFile } from 'node:fs/promises';

/** Resident memory of a process that may be too busy to tell; only where the system has a cheap way. */
export async function residentBytes(pid: number | undefined): Promise<number | undefined> {
  if (process.platform !== 'linux' || pid === undefined) return undefined;
  const text = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '');
  const pages = Number(text.split(' ')[1]);
  return Number.isFinite(pages) && pages > 0 ? pages * 4096 : undefined;
}

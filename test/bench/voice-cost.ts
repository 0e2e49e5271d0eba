import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { pcmBytes } from '@rhapsode/audio';
import type { Engine, SpeakRequest } from '@rhapsode/voices';

/** What a sentence took. CPU time is the whole process's: other load on the machine does not count. */
export interface Cost {
  /** Until the first audio. */
  readonly firstMs: number;
  readonly firstCpuMs: number;
  readonly totalMs: number;
  readonly cpuMs: number;
  readonly samples: number;
  /** Of the samples. */
  readonly digest: string;
}

/** CPU time of this process so far. */
export function cpuNowMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** CPU time of another process so far, by the kernel's hundredths of a second; Linux only. */
export function cpuOfMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

export async function hear(engine: Engine, request: SpeakRequest): Promise<Cost> {
  const startedMs = performance.now();
  const startedCpuMs = cpuNowMs();
  const hash = createHash('sha256');
  let firstMs = 0;
  let firstCpuMs = 0;
  let samples = 0;
  for await (const piece of engine.speak(request, new AbortController().signal)) {
    if (piece.type !== 'audio') continue;
    if (samples === 0) {
      firstMs = performance.now() - startedMs;
      firstCpuMs = cpuNowMs() - startedCpuMs;
    }
    samples += piece.pcm.length;
    hash.update(pcmBytes(piece.pcm));
  }
  return {
    firstMs,
    firstCpuMs,
    totalMs: performance.now() - startedMs,
    cpuMs: cpuNowMs() - startedCpuMs,
    samples,
    digest: hash.digest('hex'),
  };
}

/** What is done at once, without a listener. */
export async function costOf(work: () => Promise<{ readonly length: number }>): Promise<Cost> {
  const startedMs = performance.now();
  const startedCpuMs = cpuNowMs();
  const { length: samples } = await work();
  const [totalMs, cpuMs] = [performance.now() - startedMs, cpuNowMs() - startedCpuMs];
  return { firstMs: totalMs, firstCpuMs: cpuMs, totalMs, cpuMs, samples, digest: '' };
}

export interface Spread {
  readonly median: number;
  /** Median, and the least and greatest. */
  readonly text: string;
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const [least = Number.NaN, most = Number.NaN] = [sorted[0], sorted.at(-1)];
  return { median, text: `${median.toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)})` };
}

/** Long benches say where they are. */
export const progress = (what: string): void =>
  console.error(`  ${new Date().toISOString().slice(11, 19)} ${what}`);

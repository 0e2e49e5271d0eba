import type { Engine, SpeakRequest } from '@rhapsode/voices';

/** What a sentence took. CPU time is the whole process's: other load on the machine does not count. */
export interface Cost {
  readonly firstMs: number;
  readonly totalMs: number;
  readonly cpuMs: number;
  readonly samples: number;
}

export async function hear(engine: Engine, request: SpeakRequest): Promise<Cost> {
  const startedMs = performance.now();
  const cpu = process.cpuUsage();
  let firstMs = 0;
  let samples = 0;
  for await (const piece of engine.speak(request, new AbortController().signal)) {
    if (piece.type !== 'audio') continue;
    if (samples === 0) firstMs = performance.now() - startedMs;
    samples += piece.pcm.length;
  }
  const { user, system } = process.cpuUsage(cpu);
  return { firstMs, totalMs: performance.now() - startedMs, cpuMs: (user + system) / 1000, samples };
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

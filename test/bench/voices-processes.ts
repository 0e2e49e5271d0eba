import { createEngineHost, type EngineHost } from '@rhapsode/voices';
import type { Row } from './table.ts';
import { cpuOfMs, hear, progress, spread } from './voice-cost.ts';
import { middle, request } from './voice-texts.ts';

/**
 * Two processes of one thread against one of two threads. All three are warm and kept: a process's first long sentence pays for
 * the memory that it works in, and two processes pay twice.
 */
export async function measureProcesses(modelsDir: string, repeats: number): Promise<Row[]> {
  progress('processes and threads: start');
  const open = async (children: number, threads: number) => {
    const catalogue = { modelsDir, espeak: false, sessions: { threads } };
    const host = createEngineHost({ children, catalogue, warm: ['medium'] });
    await host.ready();
    await bulk(host, children);
    return host;
  };
  const [processes, threads] = [await open(2, 1), await open(1, 2)];
  const [byClock, byCpu]: [number[], number[]] = [[], []];
  for (let round = 0; round < repeats; round++) {
    progress(`processes and threads: round ${round + 1} of ${repeats}`);
    const [a, b, c, d] = [
      await bulk(processes, 4),
      await bulk(threads, 4),
      await bulk(threads, 4),
      await bulk(processes, 4),
    ];
    byClock.push((b.ms + c.ms) / (a.ms + d.ms));
    byCpu.push((b.cpuMs + c.cpuMs) / (a.cpuMs + d.cpuMs));
  }
  await processes.close();
  await threads.close();
  const { median, text } = spread(byClock);
  return [
    {
      what: 'bulk audio per second: 2 processes of a thread, relative to one of 2 threads, by the clock',
      got: `${text}; per CPU second ${spread(byCpu).text}`,
      target: '≥ 1.00',
      met: median >= 1,
    },
  ];
}

/** So many sentences at once. */
async function bulk(host: EngineHost, count: number): Promise<{ ms: number; cpuMs: number }> {
  const cpu = () => host.pids().reduce((sum, pid) => sum + cpuOfMs(pid), 0);
  const [startedMs, startedCpuMs] = [performance.now(), cpu()];
  // The same seed: the same samples, so the time is of the same work.
  await Promise.all(Array.from({ length: count }, () => hear(host, request(middle, 'bulk'))));
  return { ms: performance.now() - startedMs, cpuMs: cpu() - startedCpuMs };
}

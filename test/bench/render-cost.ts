import { createEncoder, pcmSamples } from '@rhapsode/audio';
import type { BookAudio } from '@rhapsode/book';
import { applyGain } from '@rhapsode/book/render/gain';
import { createLoudnessMeter } from '@rhapsode/book/render/loudness';

/** What the files of a book cost, in milliseconds of processor time for a second of audio. */
export interface RenderCost {
  readonly all: number;
  readonly reading: number;
  readonly loudness: number;
  readonly gain: number;
  readonly encode: number;
  readonly rest: number;
}

/** Tells what has passed since it was last asked: processor time of this process, its threads included, and time. */
export function createStopwatch() {
  let cpu = process.cpuUsage();
  let startedMs = performance.now();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    const passed = { cpuMs: (user + system) / 1000, wallMs: performance.now() - startedMs };
    cpu = process.cpuUsage();
    startedMs = performance.now();
    return passed;
  };
}

type Pcm = AsyncIterable<Uint8Array>;

/** Does each step again by itself, on the same sound; what `allMs` has besides is the rest. */
export async function renderCost(book: BookAudio, allMs: number, audioSeconds: number): Promise<RenderCost> {
  async function costOf(work: (pcm: Pcm, sampleRateHz: number) => Promise<void>): Promise<number> {
    const stopwatch = createStopwatch();
    for (const chapter of book.chapters) await work(chapter.pcm(), chapter.sampleRateHz);
    return stopwatch().cpuMs / audioSeconds;
  }
  const reading = await costOf(async (pcm) => {
    for await (const _ of pcm);
  });
  const measured = await costOf(async (pcm, sampleRateHz) => {
    const meter = createLoudnessMeter(sampleRateHz);
    for await (const bytes of pcm) meter.push(pcmSamples(bytes));
    meter.result();
  });
  const louder = await costOf(async (pcm) => {
    for await (const _ of applyGain(pcm, -1));
  });
  const encoded = await costOf(async (pcm, sampleRateHz) => {
    const encoder = await createEncoder('aac', { sampleRateHz });
    try {
      for await (const bytes of pcm) await encoder.push(pcmSamples(bytes));
      await encoder.finish();
    } finally {
      await encoder.close();
    }
  });
  const all = allMs / audioSeconds;
  const parts = {
    reading: 2 * reading,
    loudness: measured - reading,
    gain: louder - reading,
    encode: encoded - reading,
  };
  return { all, ...parts, rest: all - parts.reading - parts.loudness - parts.gain - parts.encode };
}

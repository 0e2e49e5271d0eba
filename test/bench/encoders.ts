import { type AudioFormat, audioFormatNames, createEncoder, type EncoderOptions } from '@rhapsode/audio';
import { quantile } from '../support/quantile.ts';
import { ms, type Row } from './table.ts';

const voiceRateHz = 22_050;
const audioSeconds = 20;
const rounds = 5;
/** A core serves fifty listeners of the dearest format. */
const targetMs = 20;

interface Cost {
  readonly cpuMs: number;
  /** The longest that others had to wait. */
  readonly turnMs: number;
}

/** Encodes as a collector does: pieces of half a second, each awaited. */
async function measure(format: AudioFormat, options: EncoderOptions, pcm: Int16Array): Promise<Cost> {
  const encoder = await createEncoder(format, options);
  const before = process.cpuUsage();
  let turnMs = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    turnMs = Math.max(turnMs, performance.now() - last - 1);
    last = performance.now();
  }, 1);
  const piece = voiceRateHz / 2;
  for (let at = 0; at < pcm.length; at += piece) {
    await encoder.push(pcm.subarray(at, at + piece));
    await new Promise(setImmediate);
  }
  await encoder.finish();
  clearInterval(timer);
  const { user, system } = process.cpuUsage(before);
  await encoder.close();
  return { cpuMs: (user + system) / 1000 / audioSeconds, turnMs };
}

/** What a listener's format costs, in CPU time for a second of audio; the formats take turns, so that a busy machine is fair to all. */
export async function measureEncoders(): Promise<Row[]> {
  const pcm = Int16Array.from({ length: audioSeconds * voiceRateHz }, (_, i) =>
    Math.round(
      6000 * Math.sin(i * 0.05 + Math.sin(i * 1e-4) * 40) + 3000 * Math.sin(i * 0.31) * Math.sin(i * 7e-4),
    ),
  );
  const kinds = audioFormatNames.flatMap((format) => [
    { format, options: { sampleRateHz: voiceRateHz } },
    { format, options: { sampleRateHz: voiceRateHz, wantedRateHz: 16_000 } },
  ]);
  const costs = kinds.map((): Cost[] => []);
  for (let round = 0; round <= rounds; round++)
    for (const [i, { format, options }] of kinds.entries()) {
      const cost = await measure(format, options, pcm);
      // The first round warms the compiler up.
      if (round > 0) costs[i]!.push(cost);
    }
  return kinds.map(({ format, options }, i) => {
    const of = (pick: (cost: Cost) => number) => quantile(costs[i]!.map(pick), 0.5);
    const cpuMs = of(({ cpuMs }) => cpuMs);
    return {
      what: `CPU for a second of ${format}${options.wantedRateHz ? ` at ${options.wantedRateHz} Hz` : ''}`,
      got: `${ms(cpuMs)}, longest turn ${ms(of(({ turnMs }) => turnMs))}`,
      target: `≤ ${targetMs} ms`,
      met: cpuMs <= targetMs,
    };
  });
}

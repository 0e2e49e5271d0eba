import { setTimeout as delay } from 'node:timers/promises';
import { commonSettings, RhapsodeError, type VoiceInfo } from '@rhapsode/contracts';
import { estimateMarks } from './estimate-marks.ts';
import type { SpeakRequest, SpeechPiece } from './port.ts';
import { parseToneText, type ToneDirective } from './tone-text.ts';
import type { LoadedVoice, VoiceSource } from './voice-source.ts';

/**
 * The test engine: every sample tells whose it is. It sounds like noise.
 * Texts may hold directives (tone-text.ts) that make it fail in chosen ways; so it is listed only where test voices are.
 */
export const toneRateHz = 16_000;
const samplesPerCharacter = 960;
const leastSamples = 1_600;
const pieceSizes = [1_600, 4_000, 800, 16_000, 2_399, 8_000, 1, 5_000] as const;

export interface ToneOptions {
  /** Seconds of work per second of audio, for every sentence; waits, does not compute. 0: as fast as it can. */
  readonly realTimeFactor?: number | undefined;
  /** Starts of this engine's process before this one; `crash=1` spares a process that has been restarted once. */
  readonly incarnation?: number | undefined;
  /** Whether to really block and kill the process. Only where it is the engine's own. */
  readonly ownProcess?: boolean | undefined;
}

function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

const stream = (seed: number, segment: number): number =>
  mix(mix(seed ^ 0x9e3779b9) + Math.imul(segment + 1, 0x632be5ab));

/** Sample `offset` of the stream: 1 to 8192 with either sign, never 0, so that it can't be taken for a pause. */
function sampleOf(base: number, offset: number): number {
  const h = mix(base + Math.imul(offset + 1, 0x9e3779b1));
  return h < 0 ? -1 - (h & 0x1fff) : 1 + (h & 0x1fff);
}

export const toneSample = (seed: number, segment: number, offset: number): number =>
  sampleOf(stream(seed, segment), offset);

/** Samples [from, to) of a sentence. */
export function toneSamples(seed: number, segment: number, from: number, to: number): Int16Array {
  const base = stream(seed, segment);
  const pcm = new Int16Array(to - from);
  for (let i = 0; i < pcm.length; i++) pcm[i] = sampleOf(base, from + i);
  return pcm;
}

/** How long the tone speaks a text (directives are not spoken). */
export function toneLength(text: string, speed = 1): number {
  const { spoken } = parseToneText(text);
  if (text.trim() === '') return 0;
  return Math.max(leastSamples, Math.round((spoken.length * samplesPerCharacter) / speed));
}

const info = (id: string, deterministic: boolean): VoiceInfo => ({
  id,
  name: deterministic ? 'Test tone' : 'Test tone that differs from run to run',
  engine: 'tone',
  language: 'mul',
  sampleRateHz: toneRateHz,
  speakers: [],
  digest: `${id}-1`,
  deterministic,
  capabilities: {
    speed: { min: 0.25, max: 4 },
    settings: commonSettings,
    streaming: true,
    marks: 'estimated',
  },
  licence: 'Apache-2.0',
});

/** `tone` repeats exactly; `tone-random` has other samples and another length in every run, and says so. */
export function toneVoices(options: ToneOptions = {}): VoiceSource[] {
  return [
    { info: info('tone', true), load: async () => createTone(options, false) },
    { info: info('tone-random', false), load: async () => createTone(options, true) },
  ];
}

function createTone(options: ToneOptions, random: boolean): LoadedVoice {
  let runs = 0;
  return {
    bytes: 0,
    speak: (request, signal) => speak(request, signal, options, random, runs++),
    close: async () => {},
  };
}

async function* speak(
  request: SpeakRequest,
  signal: AbortSignal,
  options: ToneOptions,
  random: boolean,
  run: number,
): AsyncGenerator<SpeechPiece> {
  const { spoken, directives, slow } = parseToneText(request.text);
  const seed = random ? Math.floor(Math.random() * 2 ** 32) : request.seed;
  const usual = toneLength(request.text, request.speed);
  const length = random ? Math.round(usual * (0.9 + Math.random() / 5)) : usual;
  const msPerSample = ((slow ?? options.realTimeFactor ?? 0) * 1000) / toneRateHz;
  const startedMs = performance.now();
  const waiting = [...directives];
  const hoard: Buffer[] = [];
  let at = 0;
  // The sizes go on from run to run: a repeated sentence comes in other pieces.
  for (let piece = run; at < length; piece++) {
    signal.throwIfAborted();
    const next = waiting[0];
    if (next !== undefined && next.at <= at) {
      waiting.shift();
      await misbehave(next, options, signal, hoard);
      continue;
    }
    const end = Math.min(length, at + pieceSizes[piece % pieceSizes.length]!, next?.at ?? Infinity);
    const waitMs = startedMs + end * msPerSample - performance.now();
    if (waitMs > 0) await wait(waitMs, signal);
    yield { type: 'audio', pcm: toneSamples(seed, request.segment, at, end) };
    at = end;
  }
  signal.throwIfAborted();
  for (const directive of waiting) await misbehave(directive, options, signal, hoard);
  yield {
    type: 'end',
    facts: { samples: length, marksFrom: 'estimated', marks: estimateMarks(spoken, length) },
  };
}

async function misbehave(
  directive: ToneDirective,
  options: ToneOptions,
  signal: AbortSignal,
  hoard: Buffer[],
): Promise<void> {
  if ((options.incarnation ?? 0) >= directive.incarnations) return;
  switch (directive.kind) {
    case 'fail':
      throw new RhapsodeError('synthesis_failed', { message: 'the test tone was told to fail' });
    case 'nan':
      throw new RhapsodeError('engine_output_invalid', { message: 'the test tone was told to give NaN' });
    case 'hog':
      hoard.push(Buffer.alloc(directive.value * 2 ** 20, 1));
      return;
    case 'crash':
      if (options.ownProcess) process.kill(process.pid, 'SIGKILL');
      throw new RhapsodeError('engine_crashed', { message: 'the test tone was told to crash' });
    case 'hang':
      if (options.ownProcess) block();
      await wait(2 ** 31 - 1, signal);
  }
}

/** Blocks the thread as a synchronous inference would, without using the processor, for as long as the parent lives. */
function block(): never {
  const parent = process.ppid;
  const never = new Int32Array(new SharedArrayBuffer(4));
  while (process.ppid === parent) Atomics.wait(never, 0, 0, 500);
  process.kill(process.pid, 'SIGKILL');
  throw new Error('unreachable');
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {});
  signal.throwIfAborted();
}

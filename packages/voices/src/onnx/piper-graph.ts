import { RhapsodeError } from '@rhapsode/contracts';
import { noiseBlock } from '../noise.ts';
import { type WindowPlan, windowEnds } from '../window-plan.ts';
import { float32, int64, type Session, type TensorData } from './session.ts';

export interface SentenceInput {
  readonly ids: readonly number[];
  /** In Piper's order. */
  readonly scales: { readonly noise: number; readonly length: number; readonly noiseW: number };
  readonly speaker: number | undefined;
  readonly seed: number;
}

/** Computes when it is this sentence's turn. */
export type Compute = <T>(work: () => Promise<T>) => Promise<T>;

export interface RunningSentence {
  /** Frames of each id, if the graph tells them. */
  readonly durations: Float32Array | undefined;
  readonly hop: number;
  readonly windows: AsyncGenerator<Float32Array>;
}

/** Longer sentences are refused before the expensive part. */
const mostSeconds = 300;

/** What split.ts found, as it is kept: names, contexts and shapes, but no bytes. */
export interface SplitLayout {
  readonly output: string;
  readonly latent: string;
  readonly frames: readonly string[];
  readonly durations: string | undefined;
  readonly textNoises: readonly { readonly name: string; readonly rows: number }[];
  readonly flow: { readonly noise: string; readonly rows: number; readonly context: number } | undefined;
  readonly vocoder: { readonly context: number; readonly hop: number };
}

export interface SplitSessions {
  readonly text: Session;
  readonly flow: Session | undefined;
  readonly vocoder: Session;
}

export const feedsOf = ({ ids, scales, speaker }: SentenceInput): Record<string, TensorData> => ({
  input: int64(ids, [1, ids.length]),
  input_lengths: int64([ids.length], [1]),
  scales: float32(Float32Array.of(scales.noise, scales.length, scales.noiseW), [3]),
  ...(speaker === undefined ? {} : { sid: int64([speaker], [1]) }),
});

/** Noise streams: the durations' from 0, the flow's. */
export const flowStream = 100;

export const textNoise = (layout: SplitLayout, input: SentenceInput): Record<string, TensorData> =>
  Object.fromEntries(
    layout.textNoises.map(({ name, rows }, stream) => [
      name,
      float32(noiseBlock(input.seed, rows, 0, input.ids.length, stream), [1, rows, input.ids.length]),
    ]),
  );

/**
 * Speaks a sentence with a split graph, window by window. Each window is computed with as many frames around it as its
 * values depend on, so that it is what the whole graph would have given. The flow runs ahead of the vocoder in longer
 * windows, as its context is longer.
 */
export async function runSplit(
  sessions: SplitSessions,
  layout: SplitLayout,
  input: SentenceInput,
  plan: WindowPlan,
  sampleRateHz: number,
  compute: Compute,
): Promise<RunningSentence> {
  const base = feedsOf(input);
  const text = await compute(() => sessions.text.run({ ...base, ...textNoise(layout, input) }));
  const given = layout.frames.map((name) => ({ name, tensor: text[name]! }));
  const frames = given[0]!.tensor.dims.at(-1)!;
  const { hop, context } = layout.vocoder;
  if (frames * hop > mostSeconds * sampleRateHz)
    throw new RhapsodeError('text_too_long', { message: `the sentence is longer than ${mostSeconds} s` });
  const durations =
    layout.durations === undefined ? undefined : (text[layout.durations]!.data as Float32Array);

  async function latents(from: number, to: number): Promise<TensorData> {
    if (layout.flow === undefined) return columns(given[0]!.tensor, from, to);
    const { noise, rows, context: around } = layout.flow;
    const [left, right] = [Math.max(0, from - around), Math.min(frames, to + around)];
    const feeds: Record<string, TensorData> = {
      ...base,
      [noise]: float32(noiseBlock(input.seed, rows, left, right, flowStream), [1, rows, right - left]),
    };
    for (const { name, tensor } of given)
      feeds[name] = tensor.dims.at(-1) === frames ? columns(tensor, left, right) : tensor;
    const result = await compute(() => sessions.flow!.run(feeds));
    return columns(result[layout.latent]!, from - left, to - left);
  }

  async function* windows(): AsyncGenerator<Float32Array> {
    let from = 0;
    let known: { tensor: TensorData; from: number; to: number } | undefined;
    for (const to of windowEnds(plan, frames)) {
      const [left, right] = [Math.max(0, from - context), Math.min(frames, to + context)];
      if (known === undefined || known.to < right) {
        // Twice this window ahead, so that the next one or two need no flow of their own.
        const start = known?.to ?? 0;
        const end = Math.min(frames, start === 0 ? right : Math.max(right, start + 2 * (to - from)));
        const more = await latents(start, end);
        const kept =
          known === undefined ? undefined : columns(known.tensor, left - known.from, start - known.from);
        known = {
          tensor: kept === undefined ? more : joined(kept, more),
          from: kept === undefined ? start : left,
          to: end,
        };
      }
      const latent = columns(known.tensor, left - known.from, right - known.from);
      const result = await compute(() => sessions.vocoder.run({ ...base, [layout.latent]: latent }));
      const audio = result[layout.output]!.data as Float32Array;
      yield audio.subarray((from - left) * hop, (to - left) * hop);
      from = to;
    }
  }
  return { durations, hop, windows: windows() };
}

/** Speaks a sentence with a graph as it is: all of it at once. */
export async function runWhole(
  session: Session,
  output: string,
  input: SentenceInput,
  compute: Compute,
): Promise<RunningSentence> {
  async function* windows(): AsyncGenerator<Float32Array> {
    const result = await compute(() => session.run(feedsOf(input)));
    yield result[output]!.data as Float32Array;
  }
  return { durations: undefined, hop: 0, windows: windows() };
}

/** Columns [from, to) of a [1, rows, columns] tensor. */
function columns(tensor: TensorData, from: number, to: number): TensorData {
  const all = tensor.dims.at(-1)!;
  if (from === 0 && to === all) return tensor;
  const rows = tensor.data.length / all;
  const data = new Float32Array(rows * (to - from));
  const source = tensor.data as Float32Array;
  for (let row = 0; row < rows; row++)
    data.set(source.subarray(row * all + from, row * all + to), row * (to - from));
  return float32(data, [...tensor.dims.slice(0, -1), to - from]);
}

function joined(a: TensorData, b: TensorData): TensorData {
  const [left, right] = [a.dims.at(-1)!, b.dims.at(-1)!];
  const rows = b.data.length / right;
  const data = new Float32Array(rows * (left + right));
  for (let row = 0; row < rows; row++) {
    data.set((a.data as Float32Array).subarray(row * left, (row + 1) * left), row * (left + right));
    data.set((b.data as Float32Array).subarray(row * right, (row + 1) * right), row * (left + right) + left);
  }
  return float32(data, [...b.dims.slice(0, -1), left + right]);
}

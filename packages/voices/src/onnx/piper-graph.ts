import { RhapsodeError } from '@rhapsode/contracts';
import { noiseBlock } from '../noise.ts';
import { nextEnd, type WindowPace } from '../window-plan.ts';
import { columns } from './columns.ts';
import { discard, float32, int64, type Session, type TensorData } from './session.ts';
import type { Feeds } from './stacked.ts';
import { type ColumnSource, createStage } from './stage.ts';

export interface SentenceInput {
  readonly ids: readonly number[];
  /** In Piper's order. */
  readonly scales: { readonly noise: number; readonly length: number; readonly noiseW: number };
  readonly speaker: number | undefined;
  readonly seed: number;
}

/** Computes when it is this sentence's turn. */
export interface Compute {
  alone<T>(work: () => Promise<T>): Promise<T>;
  /** A stage behind the first, which may be computed in one run with windows of other sentences. */
  readonly together?: ((stage: number, feeds: Feeds) => Promise<TensorData>) | undefined;
}

export interface RunningSentence {
  /** Frames of each id, if the graph tells them. */
  readonly durations: Float32Array | undefined;
  readonly hop: number;
  /** Each is gone when the next one is asked for. */
  readonly windows: AsyncGenerator<Float32Array>;
}

/** Longer sentences are refused before the expensive part. */
const mostSeconds = 300;

/** What split.ts found, as it is kept: names, contexts and shapes, but no bytes. */
export interface SplitLayout {
  readonly output: string;
  readonly frames: readonly string[];
  readonly durations?: string | undefined;
  readonly textNoises: readonly { readonly name: string; readonly rows: number }[];
  readonly lateNoise?: { readonly name: string; readonly rows: number } | undefined;
  readonly stages: readonly { readonly output: string; readonly context: number; readonly rate: number }[];
}

export interface SplitSessions {
  readonly text: Session;
  readonly stages: readonly Session[];
}

export const feedsOf = ({ ids, scales, speaker }: SentenceInput): Record<string, TensorData> => ({
  input: int64(ids, [1, ids.length]),
  input_lengths: int64([ids.length], [1]),
  scales: float32(Float32Array.of(scales.noise, scales.length, scales.noiseW), [3]),
  ...(speaker === undefined ? {} : { sid: int64([speaker], [1]) }),
});

/** Noise streams: the durations' from 0, the flow's. */
export const lateStream = 100;

export const textNoise = (
  { textNoises }: Pick<SplitLayout, 'textNoises'>,
  input: SentenceInput,
): Record<string, TensorData> =>
  Object.fromEntries(
    textNoises.map(({ name, rows }, stream) => [
      name,
      float32(noiseBlock(input.seed, rows, 0, input.ids.length, stream), [1, rows, input.ids.length]),
    ]),
  );

/**
 * Speaks a sentence with a split graph, window by window. Each stage is computed with as many columns around a window as its
 * values depend on, so that it is what the whole graph would have given. Inner stages run ahead of the last one, as their
 * context is longer.
 */
export async function runSplit(
  sessions: SplitSessions,
  layout: SplitLayout,
  input: SentenceInput,
  pace: WindowPace,
  sampleRateHz: number,
  compute: Compute,
): Promise<RunningSentence> {
  const base = feedsOf(input);
  const text = await compute.alone(() => sessions.text.run({ ...base, ...textNoise(layout, input) }));
  const given = layout.frames.map((name) => ({ name, tensor: text[name]! }));
  const frames = given[0]!.tensor.dims.at(-1)!;
  const hop = layout.stages.reduce((product, { rate }) => product * rate, 1);
  if (frames * hop > mostSeconds * sampleRateHz)
    throw new RhapsodeError('text_too_long', { message: `the sentence is longer than ${mostSeconds} s` });
  const durations =
    layout.durations === undefined ? undefined : (text[layout.durations]!.data as Float32Array);

  function firstFeeds(from: number, to: number): Record<string, TensorData> {
    const feeds: Record<string, TensorData> = {};
    for (const { name, tensor } of given)
      feeds[name] = tensor.dims.at(-1) === frames ? columns(tensor, from, to) : tensor;
    if (layout.lateNoise === undefined) return feeds;
    const { name, rows } = layout.lateNoise;
    const noise = noiseBlock(input.seed, rows, from, to, lateStream);
    return { ...feeds, [name]: float32(noise, [1, rows, to - from]) };
  }

  const { runStep = 1 } = pace;
  const sources: ColumnSource[] = [];
  let total = frames;
  for (const [i, { output, context, rate }] of layout.stages.entries()) {
    const before = sources.at(-1);
    const session = sessions.stages[i]!;
    const mayJoin = i > 0 && compute.together !== undefined;
    const isLast = i === layout.stages.length - 1;
    const stage = createStage({
      context,
      rate,
      total,
      ahead: isLast ? 1 : i === 0 ? pace.aheadFirst : pace.ahead,
      mostAhead: (pace.mostAhead * total) / frames,
      widthStep: mayJoin ? (runStep * total) / frames : 1,
      nextWidthStep: (runStep * total * rate) / frames,
      async run(from, to) {
        const taken = await before?.read(from, to);
        const feeds = taken === undefined ? firstFeeds(from, to) : { [layout.stages[i - 1]!.output]: taken };
        const all = { ...base, ...feeds };
        const made = mayJoin
          ? await compute.together!(i, all)
          : (await compute.alone(() => session.run(all)))[output]!;
        if (taken !== undefined) before!.free(taken);
        return made;
      },
    });
    sources.push(stage);
    total *= rate;
  }

  async function* windows(): AsyncGenerator<Float32Array> {
    const last = sources.at(-1)!;
    let previous: number | undefined;
    for (let from = 0; from < frames; ) {
      const to = nextEnd(pace, frames, from, previous);
      const audio = await last.read(from * hop, to * hop);
      previous = to - from;
      from = to;
      yield audio.data as Float32Array;
      last.free(audio);
    }
    for (const source of sources) source.close();
    for (const { tensor } of given) discard(tensor);
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
    const audio = (await compute.alone(() => session.run(feedsOf(input))))[output]!;
    yield audio.data as Float32Array;
    discard(audio);
  }
  return { durations: undefined, hop: 0, windows: windows() };
}

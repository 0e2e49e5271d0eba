import { z } from 'zod';
import { peakOf } from '../loudness.ts';
import { noiseBlock } from '../noise.ts';
import { runStep, type WindowPace, windowPaces } from '../window-plan.ts';
import { type DeclaredSplit, type PiperGraph, readPiperGraph } from './graph/split.ts';
import { withTwoDimensions } from './graph/two-dimensional.ts';
import {
  type Compute,
  feedsOf,
  lateStream,
  type RunningSentence,
  runSplit,
  runWhole,
  type SentenceInput,
  type SplitLayout,
  type SplitSessions,
  textNoise,
} from './piper-graph.ts';
import { createSession, float32, type Session, type SessionSettings, type TensorData } from './session.ts';
import { isStackable, stackedStage } from './stacked.ts';

const layout = z.object({
  output: z.string(),
  frames: z.array(z.string()),
  durations: z.string().optional(),
  textNoises: z.array(z.object({ name: z.string(), rows: z.int() })),
  lateNoise: z.object({ name: z.string(), rows: z.int() }).optional(),
  stages: z.array(z.object({ output: z.string(), context: z.int(), rate: z.int() })).min(1),
});

/** What is known of a voice's graph once it was tried; kept beside the model. */
export const preparedRecord = z.object({
  output: z.string(),
  multiSpeaker: z.boolean(),
  /** Undefined: it speaks whole sentences, for the `reason`. */
  layout: layout.optional(),
  reason: z.string().optional(),
  deterministic: z.boolean(),
  /** Whether a sentence has the same bits in whatever windows it is decoded; then they may follow what is measured. */
  windowsAgree: z.boolean(),
  /** What computing windows of several sentences in one run changes: `nothing`, or the `last bits`. Not tried, or not possible, if absent. */
  batching: z.enum(['nothing', 'last bits']).optional(),
  /** Peak of the calibration sentence. */
  peak: z.number(),
});
export type PreparedRecord = z.infer<typeof preparedRecord>;

export interface Prepared {
  readonly record: PreparedRecord;
  /** The parts as models; none if the voice can't be split. */
  readonly parts: { readonly text: Uint8Array; readonly stages: readonly Uint8Array[] } | undefined;
}

export interface Calibration {
  readonly ids: readonly number[];
  readonly scales: SentenceInput['scales'];
  readonly sampleRateHz: number;
  readonly split: DeclaredSplit | undefined;
}

/** Windows of other lengths, longer and shorter than a listener's; one of them of odd lengths. */
const otherPaces: readonly WindowPace[] = [
  windowPaces.bulk,
  { first: 41, growth: 1.3, most: 97, ahead: 1, aheadFirst: 2, mostAhead: 90 },
  { first: 9, growth: 1.7, most: 60, ahead: 3, aheadFirst: 3, mostAhead: 333 },
];

const atOnce: Compute = { alone: (work) => work() };

/**
 * Splits a graph and believes nothing until it was tried: the windowed output has to be the whole graph's within one step of
 * 16-bit PCM, and the same again in a second run. A voice that fails is used whole.
 */
export async function preparePiper(
  bytes: Uint8Array,
  calibration: Calibration,
  settings: SessionSettings,
): Promise<Prepared> {
  const graph = readPiperGraph(bytes, calibration.split);
  const input: SentenceInput = {
    ids: calibration.ids,
    scales: calibration.scales,
    speaker: graph.multiSpeaker ? 0 : undefined,
    seed: 12_345,
  };
  const reasons: string[] = [];
  for (const rewrite of [withTwoDimensions, (stage: Uint8Array) => stage]) {
    const split = await trySplit(graph, input, calibration.sampleRateHz, settings, rewrite);
    if (typeof split !== 'string') return split;
    reasons.push(split);
  }
  const [split = ''] = reasons.slice(-1);
  return { record: await tryWhole(bytes, graph, input, split, settings), parts: undefined };
}

async function trySplit(
  graph: PiperGraph,
  input: SentenceInput,
  sampleRateHz: number,
  settings: SessionSettings,
  rewrite: (stage: Uint8Array) => Uint8Array,
): Promise<Prepared | string> {
  const { split, seeded } = graph;
  if (split === undefined || seeded === undefined) return graph.reason ?? 'it could not be split';
  const open: Session[] = [];
  const load = async (model: Uint8Array) => {
    const session = await createSession(model, settings);
    open.push(session);
    return session;
  };
  try {
    const rowsOf =
      seeded.shapes === undefined
        ? new Map<string, number>()
        : await noiseRows(await load(seeded.shapes), input);
    const textNoises = split.textNoises.map(({ name, like }) => ({ name, rows: rowsOf.get(like) ?? 0 }));
    if (textNoises.some((noise) => noise.rows === 0)) return 'the shape of its noise is not that of its text';
    const stages = split.stages.map(({ bytes }) => rewrite(bytes));
    const sessions: SplitSessions = {
      text: await load(split.text),
      stages: await inTurn(stages, load),
    };
    const text = await sessions.text.run({ ...feedsOf(input), ...textNoise({ textNoises }, input) });
    const { lateNoise } = split;
    const shape = lateNoise && (text[lateNoise.like] ?? text[split.frames[0]!])!.dims;
    const frames = text[split.frames[0]!]!.dims.at(-1)!;
    const layout: SplitLayout = {
      output: graph.output,
      frames: split.frames,
      durations: split.durations,
      textNoises,
      lateNoise: lateNoise && shape && { name: lateNoise.name, rows: shape.at(-2)! },
      stages: split.stages.map(({ output, context, rate }) => ({ output, context, rate })),
    };
    const inWindows = async (pace: WindowPace, compute = atOnce) =>
      collectWindows(await runSplit(sessions, layout, input, pace, sampleRateHz, compute));
    const first = await inWindows(windowPaces.interactive);

    const late: Record<string, TensorData> = {};
    if (layout.lateNoise !== undefined) {
      const { rows, name } = layout.lateNoise;
      late[name] = float32(noiseBlock(input.seed, rows, 0, frames, lateStream), [1, rows, frames]);
    }
    const reference = await load(seeded.bytes);
    const whole = (await reference.run({ ...feedsOf(input), ...textNoise(layout, input), ...late }))[
      graph.output
    ]!.data as Float32Array;
    const peak = peakOf(whole);
    if (!Number.isFinite(peak) || whole.length !== first.length)
      return 'its parts give another length than the whole';
    const step = Math.max(peak, 1e-4) / 32_768;
    const isNear = (audio: Float32Array) =>
      audio.length === whole.length && audio.every((value, i) => Math.abs(value - whole[i]!) <= step);
    if (!isNear(first)) return 'its parts give another sound than the whole';
    const isFirst = (audio: Float32Array) => first.every((value, i) => value === audio[i]);
    const deterministic = isFirst(await inWindows(windowPaces.interactive));
    let windowsAgree = true;
    for (const pace of otherPaces) windowsAgree &&= isFirst(await inWindows(pace));
    const stacked = await stackedAudio(sessions, layout, settings.batchWindows ?? 1, (compute) =>
      inWindows({ ...windowPaces.interactive, runStep: windowsAgree ? runStep : 1 }, compute),
    );
    const batching =
      stacked === undefined || !isNear(stacked) ? undefined : isFirst(stacked) ? 'nothing' : 'last bits';
    return {
      record: {
        output: graph.output,
        multiSpeaker: graph.multiSpeaker,
        batching,
        layout: layout as PreparedRecord['layout'],
        deterministic,
        windowsAgree,
        peak,
      },
      parts: { text: split.text, stages },
    };
  } catch (error) {
    return `splitting it failed: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    for (const session of open) await session.close();
  }
}

/** What is heard when each window is run with others that are unlike it, up to `most` in a run; undefined if that can't be. */
async function stackedAudio(
  { stages }: SplitSessions,
  layout: SplitLayout,
  most: number,
  speak: (compute: Compute) => Promise<Float32Array>,
): Promise<Float32Array | undefined> {
  const behind = stages.slice(1);
  if (most === 1 || behind.length === 0) return undefined;
  if (!behind.every((session, i) => isStackable(session, layout.stages[i]!.output))) return undefined;
  const stacked = stages.map((session, i) => stackedStage(session, layout.stages[i]!.output));
  let runs = 0;
  const together: Compute['together'] = async (stage, feeds) => {
    const { output } = layout.stages[stage - 1]!;
    const { data, dims } = feeds[output]!;
    const unlike = { ...feeds, [output]: float32((data as Float32Array).toReversed(), dims) };
    const others = 1 + (runs++ % (most - 1));
    const results = await stacked[stage]!.run([...Array<typeof feeds>(others).fill(unlike), feeds]);
    return results.at(-1)!;
  };
  return speak({ ...atOnce, together }).catch(() => undefined);
}

async function tryWhole(
  bytes: Uint8Array,
  graph: PiperGraph,
  input: SentenceInput,
  reason: string,
  settings: SessionSettings,
): Promise<PreparedRecord> {
  const session = await createSession(bytes, settings);
  try {
    const run = async () => collectWindows(await runWhole(session, graph.output, input, atOnce));
    const [first, second] = [await run(), await run()];
    const deterministic = first.length === second.length && first.every((value, i) => value === second[i]);
    return {
      output: graph.output,
      multiSpeaker: graph.multiSpeaker,
      reason,
      deterministic,
      windowsAgree: true,
      peak: peakOf(first),
    };
  } finally {
    await session.close();
  }
}

/** Rows of the noises that are as long as the text, by the value they are like. */
async function noiseRows(shapes: Session, input: SentenceInput): Promise<Map<string, number>> {
  const rows = new Map<string, number>();
  const results = await shapes.run(feedsOf(input));
  for (const [name, { dims }] of Object.entries(results))
    if (dims.length === 3 && dims[0] === 1 && dims[2] === input.ids.length) rows.set(name, dims[1]!);
  return rows;
}

async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}

async function collectWindows(sentence: RunningSentence): Promise<Float32Array> {
  const windows: Float32Array[] = [];
  for await (const window of sentence.windows) windows.push(window.slice());
  const all = new Float32Array(windows.reduce((sum, window) => sum + window.length, 0));
  let at = 0;
  for (const window of windows) {
    all.set(window, at);
    at += window.length;
  }
  return all;
}

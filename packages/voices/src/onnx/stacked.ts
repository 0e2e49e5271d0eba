import { discard, type Session, type TensorData } from './session.ts';

export type Feeds = Readonly<Record<string, TensorData>>;

/** Runs several windows of a stage in one. */
export interface StackedStage {
  /** Windows with the same one can be stacked. */
  shapeOf(feeds: Feeds): string;
  /** Their outputs, in order. */
  readonly run: (windows: readonly Feeds[]) => Promise<readonly TensorData[]>;
}

/** Whether a stage takes nothing but columns of the one before it and a speaker: inputs that have one row for each sentence. */
export const isStackable = (session: Session, previous: string): boolean =>
  session.inputs.every((name) => name === previous || name === 'sid');

export const stackedStage = (session: Session, output: string): StackedStage => ({
  shapeOf: (feeds) => session.inputs.map((name) => feeds[name]?.dims.join()).join(' '),
  async run(windows) {
    const [first] = windows as [Feeds];
    if (windows.length === 1) return [(await session.run(first))[output]!];
    const feeds: Record<string, TensorData> = {};
    for (const name of session.inputs) feeds[name] = stack(windows.map((window) => window[name]!));
    const made = (await session.run(feeds))[output]!;
    const apart = unstack(made, windows.length);
    for (const stacked of [...Object.values(feeds), made]) discard(stacked);
    return apart;
  },
});

function stack(tensors: readonly TensorData[]): TensorData {
  const [{ type, data, dims }] = tensors as [TensorData];
  const all = new (data.constructor as Float32ArrayConstructor)(data.length * tensors.length);
  for (const [i, one] of tensors.entries()) all.set(one.data as Float32Array, i * data.length);
  return { type, data: all, dims: [tensors.length, ...dims.slice(1)] };
}

/** Copies, which have owners of their own. */
function unstack({ type, data, dims }: TensorData, count: number): TensorData[] {
  if (dims[0] !== count) throw new Error('the stage does not keep its windows apart');
  const length = data.length / count;
  return Array.from({ length: count }, (_, i) => ({
    type,
    data: data.slice(i * length, (i + 1) * length),
    dims: [1, ...dims.slice(1)],
  }));
}

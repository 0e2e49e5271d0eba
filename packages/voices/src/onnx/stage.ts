import { gather, type Piece } from './columns.ts';
import { discard, type TensorData } from './session.ts';

export interface ColumnSource {
  /** Columns [from, to) of a value, computed as they are asked for. `from` goes back by as much as a run is widened at most. */
  read(from: number, to: number): Promise<TensorData>;
  /** What `read` gave is not looked at again. To be called before the next `read`. */
  free(columns: TensorData): void;
  /** Nothing more is read. */
  close(): void;
}

export interface StageOptions {
  /** Columns of its input on each side that its output depends on. */
  readonly context: number;
  /** Columns of output for each of input. */
  readonly rate: number;
  /** Columns of its whole input. */
  readonly total: number;
  /** How many times what is asked for is computed at once, since every window costs its context again … */
  readonly ahead: number;
  /** … up to so many columns of the input. */
  readonly mostAhead: number;
  /** Runs are so many columns wide or a multiple, if there are so many: runs of one width can be stacked. */
  readonly widthStep: number;
  /** The same of the stage that takes this one's output. */
  readonly nextWidthStep: number;
  /** Computes the output of the input's columns [from, to), as if there were nothing else. */
  readonly run: (from: number, to: number) => Promise<TensorData>;
}

/**
 * The library's matrix kernels add up in another order when a matrix has fewer columns than this (MLAS takes its products in
 * strides of 128 rows, and in longer ones for matrices of 64 columns or less). Runs at least so wide give the same bits in
 * whatever windows; more context makes a narrow window wide.
 */
const leastColumns = 72;

/**
 * A part of a graph that is run window by window, each with as much around it as its values depend on. The first window is as
 * short as can be.
 */
export function createStage({
  context,
  rate,
  total,
  ahead,
  mostAhead,
  widthStep,
  nextWidthStep,
  run,
}: StageOptions): ColumnSource {
  let known: Piece[] = [];
  let end = 0;

  /** Computes from `end` on, in columns of the input. */
  async function compute(to: number): Promise<void> {
    const from = end;
    let [left, right] = [Math.max(0, from - context), Math.min(total, to + context)];
    const width = Math.ceil(Math.max(right - left, leastColumns) / widthStep) * widthStep;
    right = Math.min(total, left + width);
    left = Math.max(0, right - width);
    const tensor = await run(left, right);
    known.push({ tensor, at: left * rate, from: from * rate, to: to * rate });
    end = to;
  }

  /** Forgets what ends before that column of the output. */
  function forget(before: number): void {
    for (const { tensor, to } of known) if (to <= before) discard(tensor);
    known = known.filter((piece) => piece.to > before);
  }

  return {
    async read(from, to) {
      if (end * rate < to) {
        const needed = Math.ceil(to / rate);
        const wish = Math.min(mostAhead, ahead * (needed - end));
        const reach = end === 0 ? needed : Math.max(needed, end + wish);
        // What would be left is less than the context that computing it takes.
        await compute(total - reach < 2 * context ? total : reach);
        forget(from - leastColumns - nextWidthStep);
      }
      return gather(known, from, to);
    },
    free(columns) {
      // A whole piece was given as it is, and may be asked for again.
      if (known.every(({ tensor }) => tensor !== columns)) discard(columns);
    },
    close: () => forget(Infinity),
  };
}

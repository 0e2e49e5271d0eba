import { float32, type TensorData } from './session.ts';

/** Columns [from, to) of something longer, in a [1, rows, columns] tensor that begins at column `at` of it. */
export interface Piece {
  readonly tensor: TensorData;
  readonly at: number;
  readonly from: number;
  readonly to: number;
}

/** Columns [from, to) out of pieces that follow each other. */
export function gather(pieces: readonly Piece[], from: number, to: number): TensorData {
  const parts = pieces.filter((piece) => piece.from < to && piece.to > from);
  const { tensor } = parts[0]!;
  const rowLength = (piece: Piece) => piece.tensor.dims.at(-1)!;
  if (parts.length === 1 && parts[0]!.at === from && rowLength(parts[0]!) === to - from) return tensor;
  const rows = tensor.data.length / tensor.dims.at(-1)!;
  const data = new Float32Array(rows * (to - from));
  for (const piece of parts) {
    const source = piece.tensor.data as Float32Array;
    const length = rowLength(piece);
    const [first, last] = [Math.max(from, piece.from), Math.min(to, piece.to)];
    for (let row = 0; row < rows; row++) {
      const start = row * length - piece.at;
      data.set(source.subarray(start + first, start + last), row * (to - from) + first - from);
    }
  }
  return float32(data, [...tensor.dims.slice(0, -1), to - from]);
}

/** Columns [from, to) of a tensor. */
export const columns = (tensor: TensorData, from: number, to: number): TensorData =>
  gather([{ tensor, at: 0, from: 0, to: tensor.dims.at(-1)! }], from, to);

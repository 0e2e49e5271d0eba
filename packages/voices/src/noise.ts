/**
 * Gaussian noise that any part of a sentence can have without the parts before it: value `(row, column)` is a function of
 * the seed alone. Logarithm and cosine are computed in software by the JavaScript engine, so machines agree on them.
 */
export function noiseBlock(
  seed: number,
  rows: number,
  from: number,
  to: number,
  stream: number,
): Float32Array {
  const columns = to - from;
  const values = new Float32Array(rows * columns);
  const base = mix(mix(seed ^ 0x3c6ef372) + Math.imul(stream + 1, 0x9e3779b1));
  // Box and Muller's way gives two values at once: those of two rows.
  for (let row = 0; row < rows; row += 2) {
    const rowBase = mix(base + Math.imul(row + 1, 0x85ebca77));
    const [even, odd] = [row * columns, (row + 1) * columns];
    for (let i = 0; i < columns; i++) {
      const a = mix(rowBase + Math.imul(from + i + 1, 0x27d4eb2f));
      const angle = (mix(a ^ 0x165667b1) >>> 0) * circlePart;
      const radius = Math.sqrt(-2 * Math.log(((a >>> 0) + 1) * unitPart));
      values[even + i] = radius * Math.cos(angle);
      if (row + 1 < rows) values[odd + i] = radius * Math.sin(angle);
    }
  }
  return values;
}

const unitPart = 1 / 2 ** 32;
const circlePart = (2 * Math.PI) / 2 ** 32;

function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return h ^ (h >>> 16);
}

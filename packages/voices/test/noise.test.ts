import { expect, it } from 'vitest';
import { noiseBlock } from '../src/noise.ts';

it('is Gaussian noise with a mean of 0 and a deviation of 1, in every row', () => {
  const columns = 20_000;
  const block = noiseBlock(7, 3, 0, columns, 0);
  for (let row = 0; row < 3; row++) {
    const values = block.subarray(row * columns, (row + 1) * columns);
    const mean = values.reduce((sum, value) => sum + value, 0) / columns;
    const square = values.reduce((sum, value) => sum + value * value, 0) / columns;
    const within = values.filter((value) => Math.abs(value) < 1).length / columns;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(square - 1)).toBeLessThan(0.05);
    expect(Math.abs(within - 0.6827)).toBeLessThan(0.02);
    expect(values.every(Number.isFinite)).toBe(true);
  }
});

it('gives any part of a sentence what the whole has there', () => {
  const [rows, columns] = [5, 300];
  const whole = noiseBlock(9, rows, 0, columns, 2);
  const part = noiseBlock(9, rows, 100, 180, 2);
  for (let row = 0; row < rows; row++)
    expect(part.subarray(row * 80, row * 80 + 80)).toEqual(
      whole.subarray(row * columns + 100, row * columns + 180),
    );
});

it('differs by seed, stream and row, and is not correlated between neighbours', () => {
  const columns = 20_000;
  const block = noiseBlock(7, 4, 0, columns, 0);
  const row = (of: Float32Array, n: number) => of.subarray(n * columns, (n + 1) * columns);
  const correlation = (a: Float32Array, b: Float32Array) =>
    a.reduce((sum, value, i) => sum + value * b[i]!, 0) / columns;
  const others = [
    row(block, 1),
    row(block, 2),
    row(noiseBlock(8, 1, 0, columns, 0), 0),
    row(noiseBlock(7, 1, 0, columns, 1), 0),
    row(noiseBlock(7, 1, 1, columns + 1, 0), 0),
  ];
  for (const other of others) expect(Math.abs(correlation(row(block, 0), other))).toBeLessThan(0.03);
});

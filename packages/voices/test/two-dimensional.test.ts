import { expect, it } from 'vitest';
import { createGraphBuilder } from '../src/onnx/graph/builder.ts';
import { float, parseModel } from '../src/onnx/graph/model.ts';
import { withTwoDimensions } from '../src/onnx/graph/two-dimensional.ts';
import { createSession, float32 } from '../src/onnx/session.ts';

/** Everything that a vocoder or a flow has: shared weights, residuals, upsampling, masks and splits between convolutions. */
function graph(): Uint8Array {
  const g = createGraphBuilder();
  const weight = (name: string, dims: number[]) =>
    g.weight(
      name,
      dims,
      Float32Array.from({ length: dims.reduce((a, b) => a * b) }, (_, i) => Math.sin(i * 1.3) / 4),
    );
  const x = g.input('x', float, 3);
  const mask = g.input('mask', float, 3);
  const same = { dilations: [2], group: 1, kernel_shape: [3], pads: [2, 2], strides: [1] };
  const shared = weight('shared', [32, 32, 3]);
  let y = g.node('Conv', [x, shared, weight('bias', [32])], same);
  y = g.node('LeakyRelu', [y], { alpha: { float: 0.1 } });
  y = g.node('Add', [g.node('Conv', [y, shared], same), y]);
  g.node('Mul', [y, mask], {}, 'masked');
  const [left, right] = g.nodes('Split', ['masked'], { axis: 1 }, 2) as [string, string];
  y = g.node('Mul', [g.node('Tanh', [left]), g.node('Sigmoid', [right])]);
  y = g.node('Conv', [y, weight('asymmetric', [32, 16, 4])], { ...same, kernel_shape: [4], pads: [5, 1] });
  y = g.node('ConvTranspose', [y, weight('up', [32, 8, 8])], {
    dilations: [1],
    group: 1,
    kernel_shape: [8],
    pads: [2, 2],
    strides: [4],
  });
  g.node('Unsqueeze', [g.node('Tanh', [g.node('Mul', [y, g.scalar(0.5)])]), g.ints([1])], {}, 'output');
  return g.build(['output', 'masked']);
}

it('gives what the graph with one axis gives, in its shapes', async () => {
  const columns = 83;
  const feeds = {
    x: float32(
      Float32Array.from({ length: 32 * columns }, (_, i) => Math.cos(i * 0.7)),
      [1, 32, columns],
    ),
    mask: float32(
      Float32Array.from({ length: columns }, (_, i) => Number(i < 70)),
      [1, 1, columns],
    ),
  };
  const [plain, flat] = [await createSession(graph()), await createSession(withTwoDimensions(graph()))];
  expect(flat.inputs).toEqual(plain.inputs);
  expect(flat.outputs).toEqual(plain.outputs);
  const [wanted, got] = [await plain.run(feeds), await flat.run(feeds)];
  for (const name of ['output', 'masked']) {
    expect(got[name]!.dims).toEqual(wanted[name]!.dims);
    const values = wanted[name]!.data as Float32Array;
    expect(values.some((value) => Math.abs(value) > 0.1)).toBe(true);
    const most = values.reduce(
      (max, value, i) => Math.max(max, Math.abs(value - Number(got[name]!.data[i]))),
      0,
    );
    expect(most).toBeLessThan(1e-5);
  }
  await plain.close();
  await flat.close();
});

it('leaves no convolution in one dimension, and keeps no weight twice', () => {
  const { nodes, weights } = parseModel(withTwoDimensions(graph()));
  const convolutions = nodes.filter(({ op }) => op.startsWith('Conv'));
  expect(convolutions).toHaveLength(4);
  for (const { inputs } of convolutions) expect(weights.get(inputs[1]!)?.dims).toHaveLength(4);
  expect([...weights.keys()].filter((name) => name.startsWith('shared'))).toHaveLength(1);
});

it('leaves a graph without such convolutions as it works', async () => {
  const g = createGraphBuilder();
  g.node('Add', [g.input('x', float, 3), g.scalar(1)], {}, 'output');
  const session = await createSession(withTwoDimensions(g.build(['output'])));
  const { output } = await session.run({ x: float32(Float32Array.of(1, 2), [1, 1, 2]) });
  expect([...(output!.data as Float32Array)]).toEqual([2, 3]);
  await session.close();
});

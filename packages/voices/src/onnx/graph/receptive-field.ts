import type { GraphNode, Model } from './model.ts';
import { type Links, reads } from './part.ts';

export interface ReceptiveField {
  /** Frames of input, on each side, that an output value depends on. */
  readonly radius: number;
  /** Output values per input frame. */
  readonly rate: number;
}

/** Operators that keep places in time apart. */
const pointwise = new Set(
  `Abs Add Cast Clip Concat Cos Div Elu Erf Exp Gather Identity LeakyRelu Log Max Min Mul Neg PRelu Pow Reciprocal Relu
  Sigmoid Sin Slice Softplus Split Sqrt Squeeze Sub Tanh Unsqueeze Where`.split(/\s+/),
);

/**
 * How far an output of the graph looks around in its `from` values, which share one time axis; undefined if that can't be
 * told (an operator that mixes all of time, or one that is not known).
 */
export function receptiveField(
  model: Model,
  links: Links,
  from: readonly string[],
  to: string,
): ReceptiveField | undefined {
  const fields = new Map<string, ReceptiveField>(from.map((name) => [name, { radius: 0, rate: 1 }]));
  for (const node of model.nodes) {
    const known = reads(node).flatMap((input) => fields.get(input) ?? []);
    if (known.length === 0 || node.outputs.some((output) => from.includes(output))) continue;
    if (node.op === 'Shape') continue;
    const step = through(model, node);
    if (step === undefined) continue;
    const rate = known[0]!.rate;
    if (known.some((one) => one.rate !== rate)) continue;
    const radius = Math.max(...known.map((one) => one.radius)) + step.reach / rate;
    for (const output of node.outputs) fields.set(output, { radius, rate: rate * step.stride });
  }
  // A value that was skipped above leaves a gap on the way to the end.
  const gap = [...reachable(links, from, to)].some((value) => !fields.has(value));
  return gap ? undefined : fields.get(to);
}

/** What a node adds: reach in values of its input, and how many values it makes of one. */
function through(model: Model, node: GraphNode): { reach: number; stride: number } | undefined {
  if (pointwise.has(node.op)) return { reach: 0, stride: 1 };
  if (node.op !== 'Conv' && node.op !== 'ConvTranspose') return undefined;
  const kernel =
    node.attributes.get('kernel_shape')?.ints[0] ?? model.weights.get(node.inputs[1] ?? '')?.dims[2];
  const dilation = node.attributes.get('dilations')?.ints[0] ?? 1;
  const stride = node.attributes.get('strides')?.ints[0] ?? 1;
  if (kernel === undefined) return undefined;
  const span = (kernel - 1) * dilation;
  if (node.op === 'ConvTranspose') return { reach: span / 2 / stride + 0.5, stride };
  return stride === 1 ? { reach: span / 2, stride: 1 } : undefined;
}

/** Values on some way from `from` to `to`, shapes of values apart. */
function reachable(links: Links, from: readonly string[], to: string): Set<string> {
  const back = new Set<string>([to]);
  const open = [to];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (from.includes(value)) continue;
    const maker = links.makers.get(value);
    if (maker === undefined || maker.op === 'Shape') continue;
    for (const input of reads(maker))
      if (!back.has(input)) {
        back.add(input);
        open.push(input);
      }
  }
  const forward = new Set<string>(from);
  const next = [...from];
  for (let value = next.pop(); value !== undefined; value = next.pop())
    for (const node of links.users.get(value) ?? [])
      if (node.op !== 'Shape')
        for (const output of node.outputs)
          if (back.has(output) && !forward.has(output)) {
            forward.add(output);
            next.push(output);
          }
  return forward;
}

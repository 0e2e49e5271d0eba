import { type GraphNode, type Model, parseModel, type Weight } from './model.ts';
import { bytesField, concat, numberField, numbers, readFields } from './wire.ts';

/** Operators that treat each value by itself. */
const pointwise = new Set(['Add', 'Div', 'LeakyRelu', 'Mul', 'Relu', 'Sigmoid', 'Sub', 'Tanh']);
const suffix = ':2d';
const toOne = { name: 'rhapsode:to-1d', sizes: [0, 0, -1] };
const toTwo = { name: 'rhapsode:to-2d', sizes: [0, 0, 1, -1] };

/**
 * The same graph with its convolutions over time made convolutions over pictures of height 1: the runtime has its blocked
 * kernels for two dimensions only. Values stay in two dimensions from one convolution to the next; where an operator needs
 * them as they were, they are reshaped, which copies nothing.
 */
export function withTwoDimensions(bytes: Uint8Array): Uint8Array {
  const model = parseModel(bytes);
  const isNumber = singleNumbers(model);
  const nodes: Uint8Array[] = [];
  const used = new Set<string>();
  const weights = new Map([...model.weights].map(([name, { raw }]) => [name, raw]));
  for (const { name, sizes } of [toOne, toTwo]) weights.set(name, sizesField(name, sizes));
  /** Values that there are in two dimensions, and those that there are in one. */
  const flat = new Set<string>();
  const plain = new Set([...model.inputs.keys(), ...model.weights.keys()]);

  function put(
    op: string,
    inputs: readonly string[],
    output: string,
    attributes: readonly Uint8Array[] = [],
  ) {
    for (const name of inputs) used.add(name);
    const names = [...inputs.map((name) => bytesField(1, name)), bytesField(2, output)];
    nodes.push(bytesField(1, concat([...names, bytesField(4, op), ...attributes])));
  }
  function inOne(name: string): void {
    if (plain.has(name) || !flat.has(name)) return;
    put('Reshape', [name + suffix, toOne.name], name);
    plain.add(name);
  }
  function inTwo(name: string): string {
    if (!flat.has(name)) put('Reshape', [name, toTwo.name], name + suffix);
    flat.add(name);
    return name + suffix;
  }

  for (const node of model.nodes) {
    const [first, weight, ...bias] = node.inputs;
    const [output] = node.outputs;
    if (isTimeConvolution(node, model)) {
      const wide = weight! + suffix;
      if (!weights.has(wide)) weights.set(wide, widened(model.weights.get(weight!)!, wide));
      put(node.op, [inTwo(first!), wide, ...bias], output! + suffix, pictureAttributes(node));
      flat.add(output!);
    } else if (
      pointwise.has(node.op) &&
      node.inputs.some((name) => flat.has(name)) &&
      node.inputs.every((name) => flat.has(name) || isNumber.has(name))
    ) {
      const inputs = node.inputs.map((name) => (flat.has(name) ? name + suffix : name));
      put(
        node.op,
        inputs,
        output! + suffix,
        attributesOf(node).map(({ raw }) => raw),
      );
      flat.add(output!);
    } else {
      for (const name of [...node.inputs, ...node.outerNames]) {
        inOne(name);
        used.add(name);
      }
      for (const name of node.outputs) plain.add(name);
      nodes.push(node.raw);
    }
  }
  for (const name of model.outputs.keys()) inOne(name);

  const graph = concat([
    ...nodes,
    bytesField(2, 'part'),
    ...[...weights].filter(([name]) => used.has(name)).map(([, raw]) => raw),
    ...model.inputs.values(),
    ...model.outputs.values(),
  ]);
  return concat([...model.head, bytesField(7, graph)]);
}

const bodyOf = (field: Uint8Array): Uint8Array => [...readFields(field)][0]!.bytes;

function attributesOf(node: GraphNode): { name: string; raw: Uint8Array }[] {
  return [...readFields(bodyOf(node.raw))]
    .filter((field) => field.number === 5)
    .map((field) => {
      const name = [...readFields(field.bytes)].find((part) => part.number === 1)!;
      return { name: new TextDecoder().decode(name.bytes), raw: field.raw };
    });
}

/** A convolution with one axis, a fixed kernel and padding in numbers. */
function isTimeConvolution({ op, inputs, attributes }: GraphNode, { weights }: Model): boolean {
  if (op !== 'Conv' && op !== 'ConvTranspose') return false;
  const weight = weights.get(inputs[1] ?? '');
  return (
    weight?.dims.length === 3 &&
    !weight.external &&
    !attributes.has('auto_pad') &&
    !attributes.has('output_shape')
  );
}

/** Each list gets a value for the axis of height 1 in front: 0 for padding, 1 for sizes and steps. */
function pictureAttributes(node: GraphNode): Uint8Array[] {
  return attributesOf(node).map(({ name, raw }) => {
    const { ints } = node.attributes.get(name)!;
    if (name === 'pads') return intsAttribute(name, [0, ints[0]!, 0, ints[1]!]);
    if (name === 'output_padding') return intsAttribute(name, [0, ...ints]);
    return ['dilations', 'kernel_shape', 'strides'].includes(name) ? intsAttribute(name, [1, ...ints]) : raw;
  });
}

const intsAttribute = (name: string, ints: readonly number[]): Uint8Array =>
  bytesField(5, concat([bytesField(1, name), ...ints.map((one) => numberField(8, one)), numberField(20, 7)]));

/** A [out, in, width] weight as [out, in, 1, width]. */
function widened({ raw, dims }: Weight, name: string): Uint8Array {
  const others = [...readFields(bodyOf(raw))].filter(({ number }) => number !== 1 && number !== 8);
  const sizes = [dims[0]!, dims[1]!, 1, dims[2]!].map((size) => numberField(1, size));
  return bytesField(5, concat([...sizes, bytesField(8, name), ...others.map((field) => field.raw)]));
}

const sizesField = (name: string, sizes: readonly number[]): Uint8Array =>
  bytesField(
    5,
    concat([
      numberField(1, sizes.length),
      numberField(2, 7),
      bytesField(8, name),
      bytesField(9, new Uint8Array(BigInt64Array.from(sizes, BigInt).buffer)),
    ]),
  );

/** Weights and constants of one value: they fit any number of dimensions. */
function singleNumbers({ weights, nodes }: Model): Set<string> {
  const found = new Set<string>();
  for (const [name, { dims }] of weights) if (dims.every((dim) => dim === 1)) found.add(name);
  for (const node of nodes) {
    if (node.op !== 'Constant') continue;
    const value = attributesOf(node).find(({ name }) => name === 'value');
    const tensor = value && [...readFields(bodyOf(value.raw))].find((field) => field.number === 5);
    const dims = tensor && [...readFields(tensor.bytes)].filter((field) => field.number === 1);
    if (dims?.every((field) => [...numbers(field)].every((dim) => dim === 1))) found.add(node.outputs[0]!);
  }
  return found;
}

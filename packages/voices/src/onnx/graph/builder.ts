import { asInput, asOutput, float, int64, type Port } from './model.ts';
import { bytesField, concat, floatField, numberField } from './wire.ts';

/** Writes ONNX models from scratch: for fixtures, benches and probes. */
export interface GraphBuilder {
  input(name: string, elementType: number, rank: number): string;
  weight(name: string, dims: readonly number[], values: Float32Array): string;
  ints(values: readonly number[], dims?: readonly number[]): string;
  scalar(value: number): string;
  /** One node; returns its (first) output's name. */
  node(op: string, inputs: readonly string[], attributes?: Attributes, output?: string): string;
  /** A node of several outputs. */
  nodes(op: string, inputs: readonly string[], attributes: Attributes, count: number): string[];
  build(outputs: readonly string[], opset?: number): Uint8Array;
}

/** Integers and lists of integers are ONNX's ints; `{float}` is a float; text is a string. */
export type Attributes = Readonly<Record<string, number | readonly number[] | { float: number } | string>>;

function attribute(name: string, value: Attributes[string]): Uint8Array {
  if (typeof value === 'number')
    return concat([bytesField(1, name), numberField(3, value), numberField(20, 2)]);
  if (typeof value === 'string')
    return concat([bytesField(1, name), bytesField(4, value), numberField(20, 3)]);
  if ('float' in value) return concat([bytesField(1, name), floatField(2, value.float), numberField(20, 1)]);
  return concat([bytesField(1, name), ...value.map((one) => numberField(8, one)), numberField(20, 7)]);
}

function tensor(name: string, dims: readonly number[], elementType: number, raw: Uint8Array): Uint8Array {
  return concat([
    ...dims.map((dim) => numberField(1, dim)),
    numberField(2, elementType),
    bytesField(8, name),
    bytesField(9, raw),
  ]);
}

export function createGraphBuilder(): GraphBuilder {
  const nodes: Uint8Array[] = [];
  const weights: Uint8Array[] = [];
  const ports: Port[] = [];
  let count = 0;
  const constants = new Map<string, string>();

  const put = (op: string, inputs: readonly string[], outputs: readonly string[], attributes: Attributes) => {
    nodes.push(
      concat([
        ...inputs.map((name) => bytesField(1, name)),
        ...outputs.map((name) => bytesField(2, name)),
        bytesField(3, `/${op}_${count++}`),
        bytesField(4, op),
        ...Object.entries(attributes).map(([name, value]) => bytesField(5, attribute(name, value))),
      ]),
    );
  };
  const constant = (key: string, dims: readonly number[], elementType: number, raw: Uint8Array) => {
    const known = constants.get(key);
    if (known !== undefined) return known;
    const name = `c${constants.size}`;
    constants.set(key, name);
    weights.push(tensor(name, dims, elementType, raw));
    return name;
  };

  return {
    input(name, elementType, rank) {
      ports.push({ name, elementType, rank });
      return name;
    },
    weight(name, dims, values) {
      weights.push(
        tensor(name, dims, float, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
      );
      return name;
    },
    ints(values, dims = [values.length]) {
      const raw = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
      return constant(`i${dims.join('x')}:${values.join()}`, dims, int64, raw);
    },
    scalar(value) {
      return constant(`f${value}`, [], float, new Uint8Array(Float32Array.of(value).buffer));
    },
    node(op, inputs, attributes = {}, output = `v${count}`) {
      put(op, inputs, [output], attributes);
      return output;
    },
    nodes(op, inputs, attributes, outputs) {
      const names = Array.from({ length: outputs }, (_, i) => `v${count}_${i}`);
      put(op, inputs, names, attributes);
      return names;
    },
    build(outputs, opset = 15) {
      const graph = concat([
        ...nodes.map((node) => bytesField(1, node)),
        bytesField(2, 'graph'),
        ...weights.map((weight) => bytesField(5, weight)),
        ...ports.map(asInput),
        ...outputs.map(asOutput),
      ]);
      return concat([
        numberField(1, 8),
        bytesField(2, 'rhapsode'),
        bytesField(8, concat([bytesField(1, ''), numberField(2, opset)])),
        bytesField(7, graph),
      ]);
    },
  };
}

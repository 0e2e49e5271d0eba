import { bytesField, concat, type Field, numberField, numbers, readFields, text } from './wire.ts';

/** An ONNX model as ranges of its own bytes: what is not looked into is copied as it is. */
export interface Model {
  /** Everything but the graph: versions, operator sets, metadata. */
  readonly head: readonly Uint8Array[];
  readonly nodes: readonly GraphNode[];
  readonly weights: ReadonlyMap<string, Weight>;
  readonly inputs: ReadonlyMap<string, Uint8Array>;
  readonly outputs: ReadonlyMap<string, Uint8Array>;
}

export interface GraphNode {
  readonly raw: Uint8Array;
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Names that the node's inner graphs take from outside, on top of its inputs. */
  readonly outerNames: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
}

export interface Attribute {
  readonly ints: readonly number[];
  readonly int: number | undefined;
}

export interface Weight {
  readonly raw: Uint8Array;
  readonly dims: readonly number[];
  /** The data lies in another file. */
  readonly external: boolean;
}

const of = { graph: 7, node: 1, initializer: 5, input: 11, output: 12 } as const;

export function parseModel(bytes: Uint8Array): Model {
  const head: Uint8Array[] = [];
  const graphs: Uint8Array[] = [];
  for (const field of readFields(bytes))
    if (field.number === of.graph && field.wireType === 2) graphs.push(field.bytes);
    else head.push(field.raw);
  // A field that comes twice is one whose parts are merged.
  const graph = graphs.length > 1 ? concat(graphs) : graphs[0];
  if (graph === undefined) throw new Error('there is no graph in the model');
  const nodes: GraphNode[] = [];
  const weights = new Map<string, Weight>();
  const inputs = new Map<string, Uint8Array>();
  const outputs = new Map<string, Uint8Array>();
  for (const field of readFields(graph)) {
    if (field.number === of.node) nodes.push(parseNode(field));
    else if (field.number === of.initializer) {
      const { name, weight } = parseWeight(field);
      weights.set(name, weight);
    } else if (field.number === of.input) inputs.set(nameOf(field), field.raw);
    else if (field.number === of.output) outputs.set(nameOf(field), field.raw);
  }
  if (nodes.length === 0) throw new Error('the graph has no nodes');
  for (const name of weights.keys()) inputs.delete(name);
  return { head, nodes, weights, inputs, outputs };
}

function nameOf(valueInfo: Field): string {
  for (const field of readFields(valueInfo.bytes)) if (field.number === 1) return text(field);
  return '';
}

function parseWeight(tensor: Field): { name: string; weight: Weight } {
  let name = '';
  let external = false;
  const dims: number[] = [];
  for (const field of readFields(tensor.bytes)) {
    if (field.number === 8) name = text(field);
    else if (field.number === 1) dims.push(...numbers(field));
    else if (field.number === 14) external = field.value === 1;
  }
  return { name, weight: { raw: tensor.raw, dims, external } };
}

function parseNode(whole: Field): GraphNode {
  let name = '';
  let op = '';
  const inputs: string[] = [];
  const outputs: string[] = [];
  const outerNames: string[] = [];
  const attributes = new Map<string, Attribute>();
  for (const field of readFields(whole.bytes)) {
    if (field.number === 1) inputs.push(text(field));
    else if (field.number === 2) outputs.push(text(field));
    else if (field.number === 3) name = text(field);
    else if (field.number === 4) op = text(field);
    else if (field.number === 5) {
      let attribute = '';
      const ints: number[] = [];
      let int: number | undefined;
      for (const part of readFields(field.bytes)) {
        if (part.number === 1) attribute = text(part);
        else if (part.number === 3) int = part.value;
        else if (part.number === 8) ints.push(...numbers(part));
        else if (part.number === 6 || part.number === 11) outerNames.push(...namesIn(part.bytes));
      }
      attributes.set(attribute, { ints, int });
    }
  }
  return { raw: whole.raw, name, op, inputs, outputs, outerNames, attributes };
}

/** All names that the nodes of an inner graph read: a superset of what it takes from outside. */
function namesIn(graph: Uint8Array): string[] {
  const names: string[] = [];
  for (const field of readFields(graph)) {
    if (field.number === of.node) {
      const node = parseNode(field);
      names.push(...node.inputs, ...node.outerNames);
    } else if (field.number === of.output) names.push(nameOf(field));
  }
  return names;
}

export interface Port {
  readonly name: string;
  /** ONNX's element type: 1 is float, 7 is int64. */
  readonly elementType: number;
  readonly rank: number;
}

export const float = 1;
export const int64 = 7;

/** The type of a value, its dimensions open. */
export function valueInfo(port: Port): Uint8Array {
  const dimension = bytesField(1, concat([]));
  const shape = concat(Array.from({ length: port.rank }, () => dimension));
  const tensor = concat([numberField(1, port.elementType), bytesField(2, shape)]);
  return concat([bytesField(1, port.name), bytesField(2, bytesField(1, tensor))]);
}

/** A model of some of the nodes, in their order, with the weights they use. */
export function buildModel(
  model: Model,
  nodes: readonly Uint8Array[],
  weights: Iterable<string>,
  inputs: readonly Uint8Array[],
  outputs: readonly Uint8Array[],
): Uint8Array {
  const graph = concat([
    ...nodes,
    bytesField(2, 'part'),
    ...[...weights].map((name) => model.weights.get(name)!.raw),
    ...inputs,
    ...outputs,
  ]);
  return concat([...model.head, bytesField(of.graph, graph)]);
}

export const asInput = (port: Port): Uint8Array => bytesField(of.input, valueInfo(port));
export const asOutput = (name: string): Uint8Array => bytesField(of.output, bytesField(1, name));

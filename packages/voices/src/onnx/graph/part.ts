import { asInput, asOutput, buildModel, type GraphNode, type Model, type Port } from './model.ts';

/** Who makes and who uses each value of a graph. */
export interface Links {
  readonly makers: ReadonlyMap<string, GraphNode>;
  readonly users: ReadonlyMap<string, readonly GraphNode[]>;
}

export const reads = (node: GraphNode): readonly string[] => [...node.inputs, ...node.outerNames];

export function linksOf(model: Model): Links {
  const makers = new Map<string, GraphNode>();
  const users = new Map<string, GraphNode[]>();
  for (const node of model.nodes) {
    for (const output of node.outputs) makers.set(output, node);
    for (const input of reads(node)) {
      const list = users.get(input);
      if (list === undefined) users.set(input, [node]);
      else list.push(node);
    }
  }
  return { makers, users };
}

/** All values that depend on one of these, these included. */
export function dependents(links: Links, from: Iterable<string>): Set<string> {
  const found = new Set(from);
  const open = [...found];
  for (let value = open.pop(); value !== undefined; value = open.pop())
    for (const node of links.users.get(value) ?? [])
      for (const output of node.outputs)
        if (output !== '' && !found.has(output)) {
          found.add(output);
          open.push(output);
        }
  return found;
}

/**
 * The part of a graph that computes `outputs` from `fed` values, the model's own inputs and weights. Values that are fed
 * are not computed, whatever they were made from.
 */
export function extractPart(
  model: Model,
  links: Links,
  outputs: readonly string[],
  fed: readonly Port[],
): { bytes: Uint8Array; modelInputs: string[] } {
  const given = new Map(fed.map((port) => [port.name, port]));
  const nodes = new Set<GraphNode>();
  const weights = new Set<string>();
  const modelInputs = new Set<string>();
  const seen = new Set<string>();
  const open = [...outputs];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (value === '' || seen.has(value) || given.has(value)) continue;
    seen.add(value);
    if (model.weights.has(value)) weights.add(value);
    else if (model.inputs.has(value)) modelInputs.add(value);
    const maker = links.makers.get(value);
    if (maker === undefined || nodes.has(maker)) continue;
    nodes.add(maker);
    open.push(...reads(maker));
  }
  const inputs = [
    ...[...modelInputs].map((name) => model.inputs.get(name)!),
    ...fed.filter((port) => [...nodes].some((node) => reads(node).includes(port.name))).map(asInput),
  ];
  const ordered = model.nodes.filter((node) => nodes.has(node)).map((node) => node.raw);
  const bytes = buildModel(model, ordered, weights, inputs, outputs.map(asOutput));
  return { bytes, modelInputs: [...modelInputs] };
}

import { float, type GraphNode, type Model, type Port, parseModel } from './model.ts';
import { dependents, extractPart, type Links, linksOf, reads } from './part.ts';
import { receptiveField } from './receptive-field.ts';

/** A random node of a graph, made an input. */
export interface NoiseInput {
  /** Its name as an input. */
  readonly name: string;
  /** The value whose shape the noise has. */
  readonly like: string;
}

/** A Piper graph whose noise comes from outside. */
export interface SeededGraph {
  readonly bytes: Uint8Array;
  readonly noises: readonly NoiseInput[];
  /** Gives the shapes of the noises that do not depend on the durations, as outputs named after them. */
  readonly shapes: Uint8Array | undefined;
}

/**
 * A graph in parts: the text part, then stages that each look only so far around themselves in time, so that they can be run
 * window by window. A stage takes the one before it; the first takes `frames`, and the late noise if there is any.
 */
export interface SplitGraph {
  /** What the vocoder takes. */
  readonly latent: string;
  /** From ids to what follows, frame by frame: `frames` and the durations. */
  readonly text: Uint8Array;
  readonly frames: readonly string[];
  readonly durations: string | undefined;
  /** Noise of the durations, if there is any. */
  readonly textNoises: readonly NoiseInput[];
  /** Drawn for each frame; an input of the first stage. */
  readonly lateNoise: NoiseInput | undefined;
  readonly stages: readonly StageGraph[];
}

export interface StageGraph {
  readonly bytes: Uint8Array;
  readonly output: string;
  /** Columns of its input, on each side, that a column of its output depends on. */
  readonly context: number;
  /** Columns of output for each of input. */
  readonly rate: number;
}

export interface PiperGraph {
  readonly output: string;
  readonly multiSpeaker: boolean;
  readonly inputs: readonly string[];
  /** Undefined if some randomness could not be taken out. */
  readonly seeded: SeededGraph | undefined;
  readonly split: SplitGraph | undefined;
  /** Why it is not split. */
  readonly reason: string | undefined;
}

/** Where a voice's own configuration says that its graph may be cut. */
export interface DeclaredSplit {
  readonly latent: string;
  /** Frames around a window that its samples depend on. */
  readonly context: number;
  /** Samples for each frame. */
  readonly hop: number;
}

const ids = ['input', 'input_lengths'];
const randomOps = /^(Random|Multinomial|Bernoulli)/;

export function readPiperGraph(bytes: Uint8Array, declared?: DeclaredSplit): PiperGraph {
  const model = parseModel(bytes);
  if ([...model.weights.values()].some((weight) => weight.external))
    throw new Error('weights in a separate file are not supported');
  for (const name of [...ids, 'scales'])
    if (!model.inputs.has(name)) throw new Error(`the graph has no input "${name}"`);
  const [output] = model.outputs.keys();
  if (output === undefined) throw new Error('the graph has no output');
  const links = linksOf(model);
  const random = model.nodes.filter((node) => randomOps.test(node.op));
  const common = { output, multiSpeaker: model.inputs.has('sid'), inputs: [...model.inputs.keys()] };
  if (
    random.some(
      (node) =>
        node.op !== 'RandomNormalLike' || (node.attributes.get('mean') ?? node.attributes.get('scale')),
    )
  )
    return {
      ...common,
      seeded: undefined,
      split: undefined,
      reason: 'it draws random numbers in its own way',
    };
  const noises = random.map((node): NoiseInput => ({ name: node.outputs[0]!, like: node.inputs[0]! }));
  const seeded = seed(model, links, output, noises);
  const split = trySplit(model, links, output, noises, declared);
  return typeof split === 'string'
    ? { ...common, seeded, split: undefined, reason: split }
    : { ...common, seeded, split, reason: undefined };
}

/** Voices are [1, channels, time] throughout. */
const port = (name: string): Port => ({ name, elementType: float, rank: 3 });

function seed(model: Model, links: Links, output: string, noises: readonly NoiseInput[]): SeededGraph {
  const fed = noises.map((noise) => port(noise.name));
  const { bytes } = extractPart(model, links, [output], fed);
  const early = earlyNoises(links, noises).map((noise) => noise.like);
  const shapes = early.length === 0 ? undefined : extractPart(model, links, early, fed).bytes;
  return { bytes, noises, shapes };
}

/** Those whose shape does not depend on other noise: it is known from the number of ids. */
function earlyNoises(links: Links, noises: readonly NoiseInput[]): NoiseInput[] {
  const random = dependents(
    links,
    noises.map((noise) => noise.name),
  );
  const lengths = dependents(
    links,
    [...links.makers.values()].filter((node) => node.op === 'Ceil').flatMap((node) => node.outputs),
  );
  return noises.filter((noise) => !random.has(noise.like) && !lengths.has(noise.like));
}

function trySplit(
  model: Model,
  links: Links,
  output: string,
  noises: readonly NoiseInput[],
  declared: DeclaredSplit | undefined,
): SplitGraph | string {
  const latent = declared?.latent ?? firstVocoderConv(model, links)?.inputs[0];
  if (latent === undefined) return 'no vocoder was found in it';
  if (!links.makers.has(latent)) return 'its declared split is not in the graph';
  const onIds = dependents(links, ids);
  const standsAlone = (value: string) =>
    boundary(model, onIds, dependents(links, [value]), value, output, links).length === 1;
  if (!standsAlone(latent)) return 'its vocoder takes more than one value from the text';
  const ceils = model.nodes.filter((node) => node.op === 'Ceil');
  const durations =
    ceils.length === 1 ? ceils[0]!.outputs[0] : links.makers.has('durations') ? 'durations' : undefined;

  const early = earlyNoises(links, noises);
  const late = noises.filter((noise) => !early.includes(noise));
  if (late.length > 1) return 'it draws noise more than once after the durations';
  const [lateNoise] = late;
  const frames =
    lateNoise === undefined
      ? [latent]
      : boundary(model, onIds, dependents(links, [lateNoise.name]), lateNoise.name, latent, links).filter(
          (name) => name !== lateNoise.name,
        );
  const cuts = declared === undefined ? stageCuts(model, links, latent).filter(standsAlone) : [];
  const ends = [...(lateNoise !== undefined && cuts.length === 0 ? [latent] : []), ...cuts, output];
  const stages: StageGraph[] = [];
  let from = lateNoise === undefined ? [latent] : [lateNoise.name, ...frames];
  for (const to of ends) {
    const field =
      declared !== undefined && to === output
        ? { radius: declared.context - 1, rate: declared.hop }
        : receptiveField(model, links, from, to);
    if (field === undefined || !Number.isInteger(field.rate))
      return `its ${lateNoise !== undefined && from.includes(lateNoise.name) ? 'flow' : 'vocoder'} mixes all of time`;
    const { bytes } = extractPart(model, links, [to], from.map(port));
    stages.push({ bytes, output: to, context: Math.ceil(field.radius) + 1, rate: field.rate });
    from = [to];
  }
  const text = extractPart(
    model,
    links,
    durations === undefined ? frames : [...frames, durations],
    noises.map((one) => port(one.name)),
  ).bytes;
  return { latent, text, frames, durations, textNoises: early, lateNoise, stages };
}

/**
 * Where a vocoder is cut again: behind its first two upsamplings. What comes before looks far around itself and costs
 * little; what comes behind costs most and looks around by fractions of a frame.
 */
const stageCuts = (model: Model, links: Links, latent: string): string[] => {
  const onLatent = dependents(links, [latent]);
  const ups = model.nodes.filter((node) => node.op === 'ConvTranspose' && onLatent.has(node.outputs[0]!));
  return ups.slice(0, 2).map((node) => node.outputs[0]!);
};

/**
 * Values that the part between `start` and `end` takes from before: they depend on the text but not on `start`, and a node
 * that depends on `start` uses them. `start` itself is among them if it is used.
 */
function boundary(
  model: Model,
  onIds: ReadonlySet<string>,
  onStart: ReadonlySet<string>,
  start: string,
  end: string,
  links: Links,
): string[] {
  const needed = ancestors(links, end, start);
  const found = new Set<string>();
  for (const node of model.nodes) {
    if (!node.outputs.some((output) => onStart.has(output) && output !== start && needed.has(output)))
      continue;
    for (const input of reads(node))
      if (input === start || (onIds.has(input) && !onStart.has(input) && !model.weights.has(input)))
        found.add(input);
  }
  return [...found];
}

function ancestors(links: Links, end: string, stop: string): Set<string> {
  const found = new Set([end]);
  const open = [end];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (value === stop) continue;
    for (const input of reads(links.makers.get(value) ?? ({ inputs: [], outerNames: [] } as never)))
      if (!found.has(input)) {
        found.add(input);
        open.push(input);
      }
  }
  return found;
}

/** By the name of its weight, of the node, or as the Conv before the first upsampling. */
function firstVocoderConv(model: Model, links: Links): GraphNode | undefined {
  const convs = model.nodes.filter((node) => node.op === 'Conv');
  const named =
    convs.find((node) => node.inputs[1]?.endsWith('dec.conv_pre.weight')) ??
    convs.find((node) => node.name.includes('/dec/conv_pre/'));
  if (named !== undefined) return named;
  const up = model.nodes.find((node) => node.op === 'ConvTranspose');
  let at = up === undefined ? undefined : links.makers.get(up.inputs[0]!);
  for (let hops = 0; at !== undefined && hops < 10; hops++) {
    if (at.op === 'Conv') return at;
    at = links.makers.get(at.inputs[0]!);
  }
  return undefined;
}

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type MetricKey, type MetricTable, metricKeys, metricName, metricTable } from './metric-table.ts';

/** `sentences_total` of the table is `metrics.sentencesTotal`. */
type Camel<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : S;
type LabelValue<L> = L extends readonly string[] ? L[number] : string;
type LabelArguments<L> = keyof L extends never ? [] : [labels: { [K in keyof L]: LabelValue<L[K]> }];
type Handle<T extends { type: string; labels: object }> = T['type'] extends 'counter'
  ? { add(by: number, ...labels: LabelArguments<T['labels']>): void }
  : T['type'] extends 'gauge'
    ? {
        set(value: number, ...labels: LabelArguments<T['labels']>): void;
        add(by: number, ...labels: LabelArguments<T['labels']>): void;
      }
    : { observe(value: number, ...labels: LabelArguments<T['labels']>): void };

export type Metrics = { readonly [K in MetricKey as Camel<K>]: Handle<MetricTable[K]> } & {
  /** Called before each rendering, to set gauges that are costly to keep; a failure leaves them as they are. */
  beforeRender(refresh: () => Promise<void> | void): void;
  /** Prometheus' text format. */
  render(): Promise<{ contentType: string; body: string }>;
};

export interface MetricsOptions {
  /** Also Node's own (event loop lag, memory, garbage collection). They observe the process, so one registry should have them. */
  readonly processMetrics?: boolean;
}

/** Distinct values an open label may have before the rest is counted as `other`. */
const maxOpenValues = 200;

export function createMetrics({ processMetrics = false }: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  if (processMetrics) collectDefaultMetrics({ register: registry });
  const refreshers: (() => Promise<void> | void)[] = [];
  const handles = Object.fromEntries(metricKeys.map((key) => [camel(key), createHandle(key, registry)]));
  return {
    ...handles,
    beforeRender: (refresh: () => Promise<void> | void) => void refreshers.push(refresh),
    async render() {
      await Promise.allSettled(refreshers.map(async (refresh) => refresh()));
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  } as unknown as Metrics;
}

const camel = (key: string): string => key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());

type Labels = Record<string, string>;

function createHandle(key: MetricKey, registry: Registry) {
  const facts: { type: string; help: string; labels: object; buckets?: readonly number[] } = metricTable[key];
  const labels = Object.entries(facts.labels) as [string, 'open' | readonly string[]][];
  const options = {
    name: metricName(key),
    help: facts.help,
    labelNames: labels.map(([name]) => name),
    registers: [registry],
  };
  const bounded = createLabelBounds(labels);
  switch (facts.type) {
    case 'counter': {
      const counter = new Counter(options);
      for (const set of closedCombinations(labels)) counter.inc(set, 0);
      return { add: (by: number, given: Labels = {}) => counter.inc(bounded(given), by) };
    }
    case 'gauge': {
      const gauge = new Gauge(options);
      return {
        set: (value: number, given: Labels = {}) => gauge.set(bounded(given), value),
        add: (by: number, given: Labels = {}) => gauge.inc(bounded(given), by),
      };
    }
    default: {
      const histogram = new Histogram({ ...options, buckets: [...(facts.buckets ?? [])] });
      return { observe: (value: number, given: Labels = {}) => histogram.observe(bounded(given), value) };
    }
  }
}

/** A value that is new when an open label is full, or not in a closed label's list, is counted as `other`. */
function createLabelBounds(labels: [string, 'open' | readonly string[]][]): (given: Labels) => Labels {
  const known = new Map(
    labels.map(([name, values]) => [
      name,
      { open: values === 'open', values: new Set(values === 'open' ? [] : values) },
    ]),
  );
  return (given) => {
    const result: Labels = {};
    for (const [name, { open, values }] of known) {
      const value = given[name] ?? 'other';
      if (open && values.size < maxOpenValues) values.add(value);
      result[name] = values.has(value) ? value : 'other';
    }
    return result;
  };
}

/** Counters with closed labels only start at 0, so that the first event is a rise and not a beginning. */
function closedCombinations(labels: [string, 'open' | readonly string[]][]): Labels[] {
  let sets: Labels[] = [{}];
  for (const [name, values] of labels) {
    if (values === 'open') return [];
    sets = sets.flatMap((set) => values.map((value) => ({ ...set, [name]: value })));
  }
  return sets;
}

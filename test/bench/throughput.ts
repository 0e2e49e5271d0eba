import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { type CatalogueOptions, createEngineHost, openCatalogue } from '@rhapsode/voices';
import { keepAllOnCores, keepOnCores } from '../support/cores.ts';
import type { Fleet } from '../support/fleet.ts';
import { quantile } from '../support/quantile.ts';
import type { Row } from './table.ts';

export interface ThroughputOptions {
  readonly voice: string;
  readonly catalogue: CatalogueOptions;
  readonly text: string;
  /** Sentences of the text as the pipeline cuts it, in its order. */
  readonly sentences: readonly string[];
  /** Engine processes on either side. */
  readonly slots: number;
  readonly rounds: number;
  /** Cores for the engine, bare or with its worker, and others for all else; all have all if it is not given. */
  readonly apart?: { readonly engine: readonly number[]; readonly others: readonly number[] };
}

/**
 * Seconds of spoken audio per second: sentence after sentence from the bare engine processes, and the same text through the three
 * services to a client that reads it all. Silence between sentences costs nothing to make and counts on neither side; what was
 * given is not kept on either. In turns, so that whatever else the machine does meets both.
 */
export async function measureThroughput(
  fleet: Fleet,
  { voice, catalogue, text, sentences, slots, rounds, apart }: ThroughputOptions,
): Promise<Row[]> {
  const { sampleRateHz } = (await openCatalogue(catalogue)).get(voice);
  const bare: number[] = [];
  const piped: number[] = [];

  // Open all the while, as the services' is: engine processes that have just begun are slower.
  const engine = createEngineHost({ children: slots, catalogue, warm: [voice] });

  async function bareLoop(): Promise<{ samples: number; seconds: number }> {
    if (apart) keepOnCores(process.pid, apart.engine);
    const startedMs = performance.now();
    const waiting = [...sentences.entries()];
    let samples = 0;
    async function speakOn(): Promise<void> {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [segment, sentence] = next;
        const request = { voice, text: sentence, segment, seed: 0, speed: 1, class: 'bulk' } as const;
        for await (const piece of engine.speak(request, new AbortController().signal))
          if (piece.type === 'audio') samples += piece.pcm.length;
      }
    }
    await Promise.all(Array.from({ length: slots }, speakOn));
    return { samples, seconds: (performance.now() - startedMs) / 1000 };
  }

  async function throughServices(): Promise<{ samples: number; seconds: number }> {
    if (apart) keepOnCores(process.pid, apart.others);
    const startedMs = performance.now();
    const id = await fleet.create({ input: text, voice, class: 'bulk' });
    const asked = get(`${fleet.collectorUrls[0]}/v1/utterances/${id}/audio?format=pcm`);
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    let bytes = 0;
    for await (const part of answer) bytes += (part as Buffer).length;
    if (answer.statusCode !== 200) throw new Error(`HTTP ${answer.statusCode} after ${bytes} bytes`);
    return { samples: bytes / 2, seconds: (performance.now() - startedMs) / 1000 };
  }

  try {
    await engine.ready();
    if (apart) {
      const { gateway, collectors, workers, redis, nats } = fleet;
      for (const { pid } of [gateway, ...collectors, redis, nats]) keepAllOnCores(pid, apart.others);
      for (const pid of [...engine.pids(), ...workers.map((worker) => worker.pid)])
        keepAllOnCores(pid, apart.engine);
    }
    // The first round warms both up.
    for (let round = 0; round <= rounds; round++) {
      const [alone, through] = [await bareLoop(), await throughServices()];
      if (through.samples < alone.samples)
        throw new Error(`${through.samples} samples through the services, ${alone.samples} without them`);
      if (round === 0) continue;
      const spokenSeconds = alone.samples / sampleRateHz;
      bare.push(spokenSeconds / alone.seconds);
      piped.push(spokenSeconds / through.seconds);
    }
  } finally {
    await engine.close();
  }
  const ratios = piped.map((value, round) => value / bare[round]!);
  const ratio = quantile(ratios, 0.5);
  const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
  const median = (values: readonly number[]) => quantile(values, 0.5).toFixed(1);
  const where = apart ? 'the worker on cores of its own' : 'all on the same cores';
  return [
    {
      what: `throughput, ${voice}, ${where}: services (${median(piped)} s/s) to bare engine (${median(bare)} s/s)`,
      got: `${ratio.toFixed(2)} (${range})`,
      target: '0.97',
      met: ratio >= 0.97,
    },
  ];
}

import { once } from 'node:events';
import { connect } from 'node:net';
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

interface Spoken {
  readonly samples: number;
  /** Of them, those that came first, all at once. */
  readonly first: number;
  /** From then on. */
  readonly seconds: number;
}

function countSamples(): { add(samples: number): void; end(): Spoken } {
  let sum = 0;
  let first = 0;
  let beganMs = 0;
  return {
    add(samples) {
      if (sum === 0) {
        first = samples;
        beganMs = performance.now();
      }
      sum += samples;
    },
    end: () => ({ samples: sum, first, seconds: (performance.now() - beganMs) / 1000 }),
  };
}

/**
 * The body of an HTTP answer, by the cheapest client that can be made of Node: it reads into the same memory again and again.
 * What a client costs is no part of the services; Node's own takes as much processor time as Redis.
 */
async function readBytes(url: string, take: (bytes: number) => void): Promise<void> {
  const { hostname, port, pathname, search } = new URL(url);
  let head: string | undefined = '';
  const socket = connect({
    host: hostname,
    port: Number(port),
    onread: {
      buffer: Buffer.alloc(1 << 18),
      callback(length, buffer) {
        if (head === undefined) {
          take(length);
          return true;
        }
        head += Buffer.from(buffer.subarray(0, length)).toString('latin1');
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return true;
        if (!/^HTTP\/1\.1 200 /.test(head)) socket.destroy(new Error(head));
        else if (head.length > end + 4) take(head.length - end - 4);
        head = undefined;
        return true;
      },
    },
  });
  // In HTTP/1.0 the body is what comes until the end; one that is cut ends with a reset.
  socket.write(`GET ${pathname}${search} HTTP/1.0\r\nhost: ${hostname}\r\n\r\n`);
  await once(socket, 'close');
}

/**
 * Seconds of spoken audio per second: sentence after sentence from the bare engine processes, and the same text through the three
 * services to a client that reads it all. Silence between sentences costs nothing to make and counts on neither side; what was
 * given is not kept on either. Both from their first audio on: what starting takes is told by `first-audio`. In turns, so that
 * whatever else the machine does meets both.
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

  async function bareLoop(): Promise<Spoken> {
    if (apart) keepOnCores(process.pid, apart.engine);
    const spoken = countSamples();
    const waiting = [...sentences.entries()];
    async function speakOn(): Promise<void> {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [segment, sentence] = next;
        const request = { voice, text: sentence, segment, seed: 0, speed: 1, class: 'bulk' } as const;
        for await (const piece of engine.speak(request, new AbortController().signal))
          if (piece.type === 'audio') spoken.add(piece.pcm.length);
      }
    }
    await Promise.all(Array.from({ length: slots }, speakOn));
    return spoken.end();
  }

  async function throughServices(): Promise<Spoken> {
    if (apart) keepOnCores(process.pid, apart.others);
    const spoken = countSamples();
    const id = await fleet.create({ input: text, voice, class: 'bulk' });
    await readBytes(`${fleet.collectorUrls[0]}/v1/utterances/${id}/audio?format=pcm`, (bytes) =>
      spoken.add(bytes / 2),
    );
    return spoken.end();
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
      // What comes through the services has the silence in it.
      const speed = ({ first, seconds }: Spoken) => (alone.samples - first) / sampleRateHz / seconds;
      bare.push(speed(alone));
      piped.push(speed(through));
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

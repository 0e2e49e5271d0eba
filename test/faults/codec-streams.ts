import { type AudioFormat, createEncoder } from '@rhapsode/audio';
import { readBytes } from '../support/audio-client.ts';
import type { Fleet } from '../support/fleet.ts';
import { type Reference, speakEmbedded } from '../support/reference.ts';
import type { Service } from '../support/service.ts';
import { plainText } from '../support/texts.ts';
import { until } from '../support/wait.ts';
import { slowly } from './scene.ts';

export interface Wanted {
  readonly format: AudioFormat;
  /** The voice's, or what the format makes of it, if not given. */
  readonly rateHz?: number;
}

export const nameOf = ({ format, rateHz }: Wanted) =>
  `${format}${rateHz === undefined ? '' : ` at ${rateHz}`}`;

export interface KilledStream {
  readonly wanted: Wanted;
  readonly breaks: number;
  /** Undefined: the bytes are those of the undisturbed run. */
  readonly difference: string | undefined;
}

/** Sentences behind each kill, the last of them slow enough to be killed in its middle. */
const sentencesOfPart = 2;

/**
 * One utterance in many formats, each read by a client of its own, while the service that all of them read from is killed: first
 * the gateway, then one collector after the other, round and round. Text comes only as far as it was killed for, so no stream
 * can be at its end before the last kill, however slow the machine is.
 */
export async function killUnderClients(
  fleet: Fleet,
  wanted: readonly Wanted[],
  { kills, seed }: { readonly kills: number; readonly seed: number },
): Promise<KilledStream[]> {
  const text = slowly(plainText(sentencesOfPart * (kills + 1), 40, seed), 0.1);
  const reference = await speakEmbedded(text, { seed, slots: 4 });
  const cuts = cutsOf(reference, kills);
  const expected = await Promise.all(wanted.map((one) => encode(reference, one, cuts)));
  const parts = partsOf(text, kills + 1);
  const ring = [fleet.gateway, ...fleet.collectors];

  const id = await open(fleet.gateway, { input: parts[0]!, voice: 'tone', seed });
  let offset = parts[0]!.length;
  const totals = wanted.map(() => 0);
  const leaving = new AbortController();
  const reading = wanted.map(({ format, rateHz }, n) =>
    readBytes(id, {
      collectors: ring.map(({ url }) => url),
      query: `format=${format}${rateHz === undefined ? '' : `&sample_rate=${rateHz}`}`,
      onBytes: (total) => {
        totals[n] = total;
      },
      signal: leaving.signal,
    }),
  );
  const ended = Promise.allSettled(reading);
  try {
    for (let kill = 0; kill < kills; kill++) {
      // An encoder may give nothing for the first samples; a client that has not begun is not interrupted.
      const isThere = (total: number, n: number) => total >= Math.max(1, expected[n]!.upTo[kill]!);
      await Promise.race([
        until(() => totals.every(isThere), {
          what: `every client to have what comes before kill ${kill}`,
          timeoutMs: 180_000,
        }),
        // A client that gives up says why.
        Promise.all(reading),
      ]);
      const victim = ring[kill % ring.length]!;
      await victim.kill();
      await victim.restart();
      const isLast = kill === kills - 1;
      await send(fleet.gateway, id, parts[kill + 1]!, offset, isLast);
      offset += parts[kill + 1]!.length;
    }
    const heard = await Promise.all(reading);
    return heard.map(({ bytes, breaks }, n) => ({
      wanted: wanted[n]!,
      breaks,
      difference: firstDifference(bytes, expected[n]!.bytes),
    }));
  } finally {
    leaving.abort();
    await ended;
  }
}

/** The samples that every client hears before each kill: up to the middle of the first sentence of its part. */
function cutsOf({ segments }: Reference, kills: number): number[] {
  const lengths = segments.map(({ samples, pauseSamples }) => samples + pauseSamples);
  const startOf = (segment: number) => lengths.slice(0, segment).reduce((sum, one) => sum + one, 0);
  return Array.from({ length: kills }, (_, kill) => {
    const segment = kill * sentencesOfPart;
    return startOf(segment) + Math.floor(segments[segment]!.samples / 2);
  });
}

const pieceSamples = 1_600;

/** What an undisturbed run gives, from an encoder of this process, and how many bytes of it there are after so many samples. */
async function encode({ pcm, segments }: Reference, { format, rateHz }: Wanted, cuts: readonly number[]) {
  const encoder = await createEncoder(format, { sampleRateHz: 16_000, wantedRateHz: rateHz });
  const parts: Uint8Array[] = [encoder.header()];
  const upTo: number[] = [];
  let from = 0;
  // In short pieces, for AAC holds back what was pushed last: a client that is killed for it must have bytes by then.
  const pushUpTo = async (to: number) => {
    for (; from < to; from = Math.min(from + pieceSamples, to))
      parts.push(Buffer.from(await encoder.push(pcm.subarray(from, Math.min(from + pieceSamples, to)))));
  };
  try {
    for (const { samples, pauseSamples } of segments) {
      const end = from + samples + pauseSamples;
      for (const cut of cuts.filter((one) => one > from && one < end)) {
        await pushUpTo(cut);
        upTo.push(Buffer.concat(parts).length);
      }
      await pushUpTo(end);
      parts.push(Buffer.from(await encoder.endSentence()));
    }
    parts.push(await encoder.finish());
    return { bytes: Buffer.concat(parts), upTo };
  } finally {
    await encoder.close();
  }
}

/** Cut in the middle of words. The last sentence of a part may wait for the next part to be known as ended. */
function partsOf(text: string, count: number): string[] {
  const ends = [...text.matchAll(/\. /g)].map(({ index }) => index);
  const cuts = Array.from({ length: count - 1 }, (_, n) => ends[sentencesOfPart * (n + 1) - 1]! + 4);
  return [0, ...cuts].map((from, n) => text.slice(from, cuts[n]));
}

async function open(gateway: Service, fields: object): Promise<string> {
  const { id } = (await post(gateway, '/v1/utterances', { ...fields, open: true })) as { id: string };
  return id;
}

async function send(gateway: Service, id: string, input: string, offset: number, isLast: boolean) {
  await post(gateway, `/v1/utterances/${id}/text`, { input, offset });
  if (isLast) await post(gateway, `/v1/utterances/${id}/finish`, {});
}

async function post(gateway: Service, path: string, body: unknown): Promise<unknown> {
  const response = await fetch(gateway.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${await response.text()}`);
  return response.json();
}

function firstDifference(heard: Buffer, expected: Buffer): string | undefined {
  if (heard.equals(expected)) return undefined;
  let at = 0;
  while (at < heard.length && heard[at] === expected[at]) at++;
  return `at byte ${at}; ${heard.length} bytes instead of ${expected.length}`;
}

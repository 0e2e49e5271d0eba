import { type Epoch, generationOf } from '@rhapsode/contracts';
import { type HeardAudio, readAudio } from '../support/audio-client.ts';
import { type Fleet, type FleetOptions, startFleet } from '../support/fleet.ts';
import { workerOf } from '../support/job-owner.ts';
import type { Seen } from '../support/live.ts';
import { type Reference, speakEmbedded } from '../support/reference.ts';
import { firstDifference } from '../support/same-audio.ts';
import type { Service } from '../support/service.ts';
import { plainText } from '../support/texts.ts';
import { gate } from '../support/wait.ts';

/** A listener hears an utterance while something goes wrong, and must hear what he would have heard without. */
export interface FaultCase {
  /** A sentence that goes on from "keeps every sample when …". */
  readonly when: string;
  /** Also part of `pnpm test`. */
  readonly quick?: boolean;
  readonly fleet?: () => FleetOptions;
  readonly sentences?: number;
  disturb(scene: Scene): Promise<void>;
}

/** Where in a sentence: its first chunk, one in its middle, its last one, or its end message. */
export type Moment = 'first chunk' | 'middle' | 'one before the last' | 'last chunk' | 'end';

export interface Scene {
  readonly fleet: Fleet;
  readonly id: string;
  /** The moment has come on the bus. */
  at(segment: number, moment: Moment): Promise<Seen>;
  /** The next message of a newer attempt than `epoch` at the sentence. */
  newerAttempt(segment: number, epoch: Epoch, timeoutMs?: number): Promise<Seen>;
  /** The worker that has the sentence, by its place in `fleet.workers`. */
  ownerOf(seen: Seen): Promise<number>;
  owner(seen: Seen): Promise<Service>;
  /** The client has this much of the audio, from 0 to 1. */
  heard(share: number): Promise<void>;
}

/** Seconds of work per second of audio: slow enough that there is a middle to hit, fast enough to wait for. */
const pace = 0.25;

export const slowly = (text: string, factor = pace): string =>
  text.replaceAll('.', ` {{tone:slow=${factor}}}.`);

export interface Outcome {
  /** Undefined: the client's audio equals the undisturbed run. */
  readonly difference: string | undefined;
  readonly heard: HeardAudio;
}

export async function playOut(fault: FaultCase): Promise<Outcome> {
  const fleet = await startFleet(fault.fleet?.());
  try {
    return await playOn(fleet, fault);
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${fleet.output()}`, { cause: error });
  } finally {
    await fleet.stop();
  }
}

let seeds = 1;

export async function playOn(
  fleet: Fleet,
  { sentences = 5, disturb }: Pick<FaultCase, 'sentences' | 'disturb'>,
): Promise<Outcome> {
  const seed = seeds++;
  const input = slowly(plainText(sentences, 60, seed));
  const reference = await speakEmbedded(input, { seed, slots: sentences });
  const id = await fleet.create({ input, seed });
  const listener = listenFor(reference.pcm.byteLength);
  const [heard] = await Promise.all([
    readAudio(id, { collectors: fleet.collectorUrls, onBytes: listener.onBytes }),
    disturb(sceneOf(fleet, id, reference, listener.heard)),
  ]);
  return { heard, difference: firstDifference(heard.pcm, reference) };
}

function listenFor(bytes: number) {
  let total = 0;
  const waiting: { from: number; open: () => void }[] = [];
  return {
    onBytes(heard: number) {
      total = heard;
      for (const { from, open } of waiting) if (total >= from) open();
    },
    heard(share: number) {
      const { opened, open } = gate();
      waiting.push({ from: share * bytes, open });
      if (total >= share * bytes) open();
      return opened;
    },
  };
}

export function sceneOf(fleet: Fleet, id: string, { segments }: Reference, heard: Scene['heard']): Scene {
  const isAt = (segment: number, moment: Moment) => {
    const samples = segments[segment]!.samples;
    return ({ utterance, message }: Seen): boolean => {
      if (utterance !== id || message.kind === 'utterance-end' || message.segment !== segment) return false;
      if (moment === 'end') return message.kind === 'segment-end';
      if (message.kind !== 'audio') return false;
      const end = message.firstSample + message.samples;
      switch (moment) {
        case 'first chunk':
          return message.chunk === 0;
        case 'middle':
          return end >= samples / 2;
        case 'one before the last':
          return end >= samples * 0.6;
        case 'last chunk':
          return end === samples;
      }
    };
  };
  const ownerOf = async ({ utterance, message }: Seen): Promise<number> => {
    if (message.kind === 'utterance-end') throw new Error('nobody makes the end of an utterance');
    const { segment, epoch } = message;
    const name = await workerOf(fleet.redis.url, utterance, segment, generationOf(epoch));
    const index = Number(/^worker-(\d+)$/.exec(name ?? '')?.[1]);
    if (fleet.workers[index] === undefined) throw new Error(`no worker is called ${name}`);
    return index;
  };
  return {
    fleet,
    id,
    at: (segment, moment) =>
      fleet.live.when(isAt(segment, moment), `the ${moment} of segment ${segment}`, 30_000),
    newerAttempt: (segment, epoch, timeoutMs = 30_000) =>
      fleet.live.when(
        ({ utterance, message }) =>
          utterance === id &&
          message.kind !== 'utterance-end' &&
          message.segment === segment &&
          message.epoch > epoch,
        `another attempt at segment ${segment}`,
        timeoutMs,
      ),
    ownerOf,
    owner: async (seen) => fleet.workers[await ownerOf(seen)]!,
    heard,
  };
}

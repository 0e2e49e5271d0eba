import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  asRhapsodeError,
  type ErrorCode,
  RhapsodeError,
  type Segment,
  type Utterance,
} from '@rhapsode/contracts';
import type { AudioLog } from '@rhapsode/log';
import { type Dispatcher, isAudio, listen, type Observer } from '@rhapsode/pipeline';
import type { RequestStore } from '@rhapsode/store';
import { placeOf, type VoiceChoice } from '../content-key.ts';
import type { WantedSentence } from '../plan/plan-files.ts';
import type { SegmentFacts, SegmentStore } from '../segments/segment-store.ts';

export interface SpeakDeps {
  readonly store: RequestStore;
  readonly log: AudioLog;
  readonly dispatcher: Pick<Dispatcher, 'kick' | 'heal' | 'cancel' | 'consumed'>;
  readonly segments: SegmentStore;
  readonly observer: Observer;
}

export interface SpeakRequest {
  readonly tenant: string;
  /** Tells these sentences from all others: who goes on after a crash names them alike and so finds what was begun. */
  readonly name: string;
  /** Each with a key of its own; none of them is in the segment store. */
  readonly sentences: readonly WantedSentence[];
  readonly voices: readonly VoiceChoice[];
  readonly signal: AbortSignal;
  readonly onSpoken: (key: string, facts: SegmentFacts) => void;
}

export interface SpeechFailure {
  readonly code: ErrorCode;
  readonly reason: string;
  readonly attempt: number;
}

/** Reason of a signal: nobody wants these sentences any more, so nothing more of them is to be spoken. */
export class SpeechStopped extends Error {
  override readonly name = 'SpeechStopped';
}

/** What is behind the listener need not be kept on the log: it is in the segment store. */
const replayBytes = 4 * 1024 * 1024;
const mostTroubles = 8;
const mostAttempts = 10_000;
const retryMs = { first: 200, most: 3_000 };

/**
 * Has sentences spoken, as utterances of class bulk, and keeps each in the segment store. Answers those that can't be spoken.
 * May be repeated after a crash, also beside another who does the same: an utterance that was begun is listened to again from
 * the first sentence that is missing.
 */
export async function speakSentences(
  request: SpeakRequest,
  deps: SpeakDeps,
): Promise<Map<string, SpeechFailure>> {
  // An utterance has one pool, one seed and one sample rate.
  const groups = Map.groupBy(request.sentences, ({ voice, seed }) => {
    const { pool, sampleRateHz } = request.voices[voice]!;
    return `${pool} ${sampleRateHz} ${seed}`;
  });
  const all = await Promise.all(
    [...groups].map(([group, sentences]) =>
      speakGroup({ ...request, sentences, name: `${request.name} ${group}` }, deps),
    ),
  );
  return new Map(all.flatMap((failures) => [...failures]));
}

async function speakGroup(request: SpeakRequest, deps: SpeakDeps): Promise<Map<string, SpeechFailure>> {
  const { signal, onSpoken } = request;
  const missing = new Map(request.sentences.map((sentence) => [sentence.key, sentence]));
  const failures = new Map<string, SpeechFailure>();
  let troubles = 0;
  for (let attempt = 0; missing.size > 0 && attempt < mostAttempts; attempt++) {
    const id = idOf(request.name, attempt);
    try {
      const segments = await begin(id, [...missing.values()], request, deps);
      if (!segments) continue;
      await hear(
        id,
        segments,
        {
          wants: (key) => missing.has(key),
          signal,
          spoken: async (key, facts, pcm) => {
            const stored = await deps.segments.put(request.tenant, { key, ...facts }, pcm, signal);
            missing.delete(key);
            onSpoken(key, stored);
          },
          failed: (key, failure) => {
            missing.delete(key);
            failures.set(key, failure);
          },
        },
        request,
        deps,
      );
      await forget(id, deps);
    } catch (thrown) {
      if (signal.aborted && signal.reason instanceof SpeechStopped) await forget(id, deps);
      signal.throwIfAborted();
      const error = asRhapsodeError(thrown);
      if (++troubles > mostTroubles) throw thrown;
      deps.observer.trouble('book', thrown, { utterance: id });
      // What is only away for a while is asked again; anything else is begun anew, under another name.
      if (error.retryable && error.status === 503) attempt--;
      else await forget(id, deps);
      await sleep(Math.min(retryMs.most, retryMs.first * 2 ** (troubles - 1)), undefined, { signal }).catch(
        () => {},
      );
      signal.throwIfAborted();
    }
  }
  return failures;
}

const idOf = (name: string, attempt: number): string =>
  createHash('sha256').update(`${name} ${attempt}`).digest('hex').slice(0, 32);

/** The segments of the utterance, begun now or before; undefined if nothing can come of it any more. */
async function begin(
  id: string,
  missing: readonly WantedSentence[],
  { tenant, voices }: SpeakRequest,
  { store, dispatcher }: SpeakDeps,
): Promise<Segment[] | undefined> {
  const known = await store.get(id);
  if (known) {
    if (!known.cancelled && known.sealed) return store.segments(id, 0, known.segments);
    // It was cancelled, or whoever began it died before all of it was stored.
    if (!known.cancelled) await dispatcher.cancel(id);
    return undefined;
  }
  const choice = voices[missing[0]!.voice]!;
  const utterance: Utterance = {
    v: 1,
    id,
    tenant,
    class: 'bulk',
    pool: choice.pool,
    weight: 1,
    voice: choice.voice,
    voiceDigest: choice.digest,
    // Whole sentences only, unless every voice repeats itself.
    deterministic: missing.every(({ voice }) => voices[voice]!.deterministic),
    sampleRateHz: choice.sampleRateHz,
    ...(choice.speaker === undefined ? {} : { speaker: choice.speaker }),
    speed: choice.speed,
    ...(choice.settings === undefined ? {} : { settings: choice.settings }),
    seed: missing[0]!.seed,
    window: Math.max(64, missing.length),
    createdAtMs: Date.now(),
  };
  const segments = missing.map(({ start, end, spoken, estimatedMs, key, voice }): Segment => {
    const { speaker, speed, ...own } = voices[voice]!;
    return {
      start,
      end,
      text: spoken,
      pauseSamples: 0,
      estimatedMs,
      place: placeOf(key),
      ...(own.voice === choice.voice ? {} : { voice: own.voice, voiceDigest: own.digest }),
      ...(speaker === undefined ? {} : { speaker }),
      speed,
    };
  });
  await store.create(utterance, { maxOpen: 1_000_000_000 });
  await store.append(id, segments, { at: 0, seal: true });
  void dispatcher.kick(choice.pool);
  // The end record lets the listener know that nothing follows.
  await dispatcher.heal(id, segments.length, []);
  return segments;
}

interface Hearing {
  readonly wants: (key: string) => boolean;
  readonly signal: AbortSignal;
  readonly spoken: (
    key: string,
    facts: Pick<SegmentFacts, 'sampleRateHz' | 'marksFrom' | 'marks' | 'attempt' | 'worker'>,
    pcm: Uint8Array,
  ) => Promise<void>;
  readonly failed: (key: string, failure: SpeechFailure) => void;
}

async function hear(
  id: string,
  segments: readonly Segment[],
  { wants, signal, spoken, failed }: Hearing,
  { sentences }: SpeakRequest,
  deps: SpeakDeps,
): Promise<void> {
  const byPlace = new Map(sentences.map((sentence) => [placeOf(sentence.key), sentence]));
  const keyOf = (segment: Segment | undefined): string | undefined => {
    const sentence = segment?.place === undefined ? undefined : byPlace.get(segment.place);
    return sentence?.spoken === segment?.text ? sentence?.key : undefined;
  };
  const isWanted = (segment: Segment) => {
    const key = keyOf(segment);
    return key !== undefined && wants(key);
  };
  const first = segments.findIndex(isWanted);
  if (first < 0) return;
  const last = segments.findLastIndex(isWanted);
  const listening = await listen(
    id,
    { from: { segment: first, sample: 0 }, signal, failures: 'yield' },
    { ...deps, replayBytes },
  );
  const { sampleRateHz } = listening.utterance;
  try {
    listening.consumed(first);
    let pcm: Uint8Array[] = [];
    for await (const piece of listening.pieces) {
      if (isAudio(piece)) {
        pcm.push(piece.pcm);
        continue;
      }
      const key = keyOf(segments[piece.segment]);
      const { attempt, marksFrom, marks, worker = '' } = piece;
      if (key !== undefined && wants(key)) {
        if (piece.failed) failed(key, { ...piece.failed, attempt });
        else
          await spoken(
            key,
            { sampleRateHz, marksFrom, marks: [...marks], attempt, worker },
            Buffer.concat(pcm),
          );
      }
      pcm = [];
      listening.consumed(piece.segment + 1);
      if (piece.segment >= last) return;
    }
    throw new RhapsodeError('audio_lost', { message: `utterance ${id} ended before all of it was heard` });
  } finally {
    await listening.close();
  }
}

/** It was heard, or is of no use: nothing of it is kept. What fails here ends by itself in time. */
async function forget(id: string, { dispatcher, observer }: SpeakDeps): Promise<void> {
  await dispatcher.cancel(id).catch((error: unknown) => observer.trouble('forget', error, { utterance: id }));
}

import {
  attemptOf,
  type ChunkTiming,
  type ErrorCode,
  generationOf,
  isErrorCode,
  type Mark,
  type Position,
  RhapsodeError,
  start,
} from '@rhapsode/contracts';
import type { AudioLog } from '@rhapsode/log';
import { createHead } from './head.ts';
import { type Observer, silent } from './observe.ts';
import { type ChunkRef, chunkAt, createTracks, isClosed, type Track } from './tracks.ts';

export interface AssembleDeps {
  readonly log: AudioLog;
  /** Asked when the log holds nothing more for the listener; see `Dispatcher.heal`. */
  readonly heal: (id: string, head: number, missing: readonly number[]) => Promise<number | undefined>;
  readonly observer?: Observer;
  /** After this long without progress `heal` is asked. */
  readonly healAfterMs?: number;
  /** Chunks kept in memory for one listener. */
  readonly cacheChunks?: number;
}

export interface AssembleOptions {
  readonly from?: Position;
  /** Whether attempts of this voice agree sample for sample. If not, a sentence is delivered only when one attempt is whole. */
  readonly deterministic: boolean;
  readonly sampleRateHz: number;
  readonly signal?: AbortSignal;
  /**
   * What becomes of a sentence that can't be spoken: `throw`, which is the default, ends everything with an error that names
   * it; `yield` says so in the piece that ends it, and goes on with the next. What was heard of it before is void.
   */
  readonly failures?: 'throw' | 'yield';
}

/** What the listener gets, in order and without a gap: each sample of the utterance once. */
export type AudioPiece =
  | {
      readonly type: 'audio' | 'pause';
      readonly position: Position;
      readonly pcm: Uint8Array;
      /** Above 0: the sentence was made again. */
      readonly generation: number;
      /** The chunk that the audio is from: all of it, or its rest after a resume or a splice. */
      readonly chunk?: ChunkFacts;
    }
  | SegmentDone;

/** Of one chunk of a sentence, for reports: they are another attempt's numbers when the sentence was made again. */
export interface ChunkFacts {
  /** Within the attempt, from 0. */
  readonly chunk: number;
  /** From 1, within the generation. */
  readonly attempt: number;
  readonly samples: number;
  /** Absent if the worker did not tell. */
  readonly timing?: ChunkTiming & {
    /** Seconds of work per second of audio, from the attempt's beginning to the end of this chunk. */
    readonly realTimeFactor: number;
  };
}

export interface SegmentDone {
  readonly type: 'segment';
  readonly segment: number;
  readonly samples: number;
  readonly pauseSamples: number;
  readonly marksFrom: 'model' | 'estimated' | 'none';
  readonly marks: readonly Mark[];
  readonly synthesisMs: number;
  readonly queueMs: number;
  readonly attempt: number;
  readonly generation: number;
  readonly worker: string | undefined;
  /** It could not be spoken; only with `failures: 'yield'`. */
  readonly failed?: { readonly code: ErrorCode; readonly reason: string };
  /** Nothing on the log up to this sequence is needed for what follows. */
  readonly behind: number;
}

const healHorizon = 64;

/**
 * Reads an utterance's messages from the log and gives its exact audio from a position on. Ends when the utterance does;
 * throws an error that names the segment when the audio can't be had. Keeps no state outside of itself: any process may
 * assemble any utterance, and many may at once.
 */
export async function* assemble(
  id: string,
  options: AssembleOptions,
  deps: AssembleDeps,
): AsyncGenerator<AudioPiece, void, undefined> {
  const { from = start, deterministic, sampleRateHz, signal, failures = 'throw' } = options;
  const { log, heal, observer = silent, healAfterMs = 2_000, cacheChunks = 16 } = deps;
  const reader = log.read(id, signal ? { signal } : {});
  const tracks = createTracks({ cacheChunks, observer });
  const head = createHead(from);
  tracks.advanceTo(from.segment);
  let segments: number | undefined;
  let progressAt = performance.now();

  const mayPlay = (track: Track | undefined): track is Track =>
    track !== undefined && (deterministic || isClosed(track));

  async function bytes(ref: ChunkRef): Promise<Uint8Array | undefined> {
    const cached = tracks.cached(ref);
    if (cached) return cached;
    observer.chunk('refetched');
    const entry = await log.get(id, ref.sequence);
    // A log that began anew may hold another message under this sequence before the reader hears of it.
    return entry && tracks.isOf(ref, entry) ? entry.pcm : undefined;
  }

  /** The head's audio was there and is gone. What was heard of a voice that does not repeat itself can't be continued. */
  function loseHead(): void {
    if (!deterministic && head.delivered > 0)
      throw new RhapsodeError('audio_lost', {
        message: `segment ${head.segment}: its audio was lost while it was heard, and its voice can't repeat it exactly`,
        segment: head.segment,
      });
    tracks.forget(head.segment);
    head.restart();
    progressAt = Number.NEGATIVE_INFINITY;
  }

  /** Waits for the log to say something; when it has nothing more to say, has the reason found and mended. */
  async function hearMore(): Promise<void> {
    const waited = performance.now() - progressAt;
    const entry = await reader.next(Math.max(0, healAfterMs - waited));
    signal?.throwIfAborted();
    if (entry === undefined) {
      if (performance.now() - progressAt < healAfterMs) return;
      progressAt = performance.now();
      await healHead();
    } else if ('lost' in entry) {
      loseHead();
      tracks.clear();
    } else {
      if (entry.message.kind === 'utterance-end') segments = entry.message.segments;
      if (tracks.ingest(entry)) progressAt = performance.now();
    }
  }

  async function healHead(): Promise<void> {
    try {
      segments =
        (await heal(id, head.segment, tracks.missing(head.segment, healHorizon, segments))) ?? segments;
    } catch (error) {
      if (error instanceof RhapsodeError && !error.retryable) throw error;
      observer.trouble('heal', error, { utterance: id, segment: head.segment });
    }
  }

  function failHead({ epoch, failed }: Track): SegmentDone {
    const { segment } = head;
    const code = isErrorCode(failed!.code) ? failed!.code : 'synthesis_failed';
    if (failures === 'throw')
      throw new RhapsodeError(code, {
        message: `segment ${segment} could not be spoken: ${failed!.reason}`,
        segment,
      });
    head.next();
    tracks.advanceTo(head.segment);
    progressAt = performance.now();
    return {
      type: 'segment',
      segment,
      samples: 0,
      pauseSamples: 0,
      marksFrom: 'none',
      marks: [],
      synthesisMs: 0,
      queueMs: 0,
      attempt: attemptOf(epoch),
      generation: generationOf(epoch),
      worker: undefined,
      failed: { code, reason: failed!.reason },
      behind: tracks.behind(),
    };
  }

  try {
    while (segments === undefined || head.segment < segments) {
      const track = tracks.get(head.segment);
      if (track?.failed) {
        yield failHead(track);
        continue;
      }
      if (!mayPlay(track)) {
        await hearMore();
        continue;
      }
      if (!deterministic && head.at === 0 && head.delivered > 0 && generationOf(track.epoch) > 0) loseHead();
      head.follow(track.epoch);
      const ref = chunkAt(track, head.at);
      if (ref) {
        const pcm = await bytes(ref);
        signal?.throwIfAborted();
        if (!pcm) {
          loseHead();
          continue;
        }
        tracks.dropBytes(ref);
        const piece = head.take(ref, pcm);
        progressAt = performance.now();
        if (piece)
          yield {
            type: 'audio',
            ...piece,
            generation: generationOf(track.epoch),
            chunk: factsOf(ref, track.epoch, sampleRateHz),
          };
      } else if (isClosed(track) && head.at === track.end.samples) {
        const { samples, pauseSamples, digest, marksFrom, marks, synthesisMs, queueMs, worker } = track.end;
        head.finish(digest);
        if (head.delivered > samples + pauseSamples)
          throw new RhapsodeError('range_not_satisfiable', {
            message: `segment ${head.segment} has ${samples + pauseSamples} samples, ${head.delivered} were asked for`,
          });
        for (let part = head.pause(samples, pauseSamples, sampleRateHz); part; ) {
          yield {
            type: 'pause',
            position: part.position,
            pcm: new Uint8Array(part.samples * 2),
            generation: generationOf(track.epoch),
          };
          part = head.pause(samples, pauseSamples, sampleRateHz);
        }
        const { segment } = head;
        head.next();
        tracks.advanceTo(head.segment);
        yield {
          type: 'segment',
          segment,
          samples,
          pauseSamples,
          marksFrom,
          marks,
          synthesisMs,
          queueMs,
          attempt: attemptOf(track.epoch),
          generation: generationOf(track.epoch),
          worker,
          behind: tracks.behind(),
        };
        progressAt = performance.now();
      } else {
        await hearMore();
      }
    }
    if (head.segment > segments || head.delivered > 0)
      throw new RhapsodeError('range_not_satisfiable', {
        message: `the utterance has ${segments} segments; ${head.segment}:${head.delivered} is behind its end`,
      });
  } finally {
    reader.close();
  }
}

function factsOf(
  { chunk, firstSample, samples, timing }: ChunkRef,
  epoch: number,
  rateHz: number,
): ChunkFacts {
  const facts = { chunk, attempt: attemptOf(epoch), samples };
  if (timing === undefined) return facts;
  const madeMs = ((firstSample + samples) / rateHz) * 1000;
  return { ...facts, timing: { ...timing, realTimeFactor: timing.elapsedMs / madeMs } };
}

export const isAudio = (piece: AudioPiece): piece is Extract<AudioPiece, { pcm: Uint8Array }> =>
  piece.type !== 'segment';

import type { ChunkTiming, SegmentEndMessage, SegmentFailedMessage } from '@rhapsode/contracts';
import type { Entry } from '@rhapsode/log';
import type { Observer } from './observe.ts';

/** Where a chunk's bytes are: in the cache, or on the log under its sequence. */
export interface ChunkRef {
  readonly sequence: number;
  readonly chunk: number;
  readonly firstSample: number;
  readonly samples: number;
  readonly prefixDigest: string;
  readonly timing: ChunkTiming | undefined;
}

/**
 * What is known of one segment.
 *
 *   filling ──end, all chunks there──▶ closed
 *      │  ▲
 *      │  └── a higher epoch begins anew; lower ones are fenced from then on
 *      └──failed──▶ failed
 *
 * Entries are folded in the log's order, so every reader of the same log, at any time, comes to the same state. Closed and
 * failed are final: whatever comes later for the segment changes nothing.
 */
export interface Track {
  epoch: number;
  /** Of the first entry that counts for the segment. */
  firstSequence: number;
  /** By chunk number; holes while retried publishes are on their way. */
  readonly chunks: Map<number, ChunkRef>;
  end: SegmentEndMessage | undefined;
  failed: SegmentFailedMessage | undefined;
}

export const isClosed = (track: Track | undefined): track is Track & { end: SegmentEndMessage } =>
  track?.end !== undefined && track.chunks.size === track.end.chunks;

/** The chunk that holds `sample`, if it is there. */
export function chunkAt(track: Track, sample: number): ChunkRef | undefined {
  for (const ref of track.chunks.values())
    if (ref.firstSample <= sample && sample < ref.firstSample + ref.samples) return ref;
  return undefined;
}

const isBehind = (a: Place, b: Place) =>
  a.segment > b.segment || (a.segment === b.segment && a.firstSample > b.firstSample);

interface Place {
  readonly segment: number;
  readonly firstSample: number;
}

/** The index of an utterance's segments, and a bounded cache of the bytes that will be needed first. */
export function createTracks({ cacheChunks, observer }: { cacheChunks: number; observer: Observer }) {
  const tracks = new Map<number, Track>();
  const cache = new Map<number, Place & { pcm: Uint8Array }>();
  let firstWanted = 0;
  let lastSequence = 0;

  function keep(sequence: number, segment: number, firstSample: number, pcm: Uint8Array) {
    cache.set(sequence, { segment, firstSample, pcm });
    if (cache.size <= cacheChunks) return;
    let furthest = sequence;
    for (const [candidate, at] of cache) if (isBehind(at, cache.get(furthest)!)) furthest = candidate;
    cache.delete(furthest);
  }

  function forgetBytes(track: Track) {
    for (const ref of track.chunks.values()) cache.delete(ref.sequence);
  }

  function openTrack(segment: number, epoch: number, sequence: number): Track | undefined {
    const known = tracks.get(segment);
    if (!known) {
      const track: Track = {
        epoch,
        firstSequence: sequence,
        chunks: new Map(),
        end: undefined,
        failed: undefined,
      };
      tracks.set(segment, track);
      return track;
    }
    if (isClosed(known) || known.failed || epoch < known.epoch) return undefined;
    if (epoch > known.epoch) {
      forgetBytes(known);
      known.epoch = epoch;
      known.firstSequence = sequence;
      known.chunks.clear();
      known.end = undefined;
    }
    return known;
  }

  return {
    get: (segment: number): Track | undefined => tracks.get(segment),

    /** True if the entry told something new. */
    ingest({ sequence, message, pcm }: Entry): boolean {
      lastSequence = sequence;
      if (message.kind === 'utterance-end') return true;
      if (message.segment < firstWanted) {
        if (message.kind === 'audio') observer.chunk('duplicate');
        return false;
      }
      const track = openTrack(message.segment, message.epoch, sequence);
      if (!track) {
        if (message.kind === 'audio') observer.chunk('fenced');
        return false;
      }
      switch (message.kind) {
        case 'segment-failed':
          track.failed = message;
          return true;
        case 'segment-end':
          track.end ??= message;
          return true;
        case 'audio': {
          if (track.chunks.has(message.chunk)) {
            observer.chunk('duplicate');
            return false;
          }
          const { chunk, firstSample, samples, prefixDigest, timing } = message;
          track.chunks.set(chunk, { sequence, chunk, firstSample, samples, prefixDigest, timing });
          keep(sequence, message.segment, firstSample, pcm);
          return true;
        }
      }
    },

    cached: (ref: ChunkRef): Uint8Array | undefined => cache.get(ref.sequence)?.pcm,

    isOf: (ref: ChunkRef, { message }: Entry): boolean =>
      message.kind === 'audio' && message.chunk === ref.chunk && message.prefixDigest === ref.prefixDigest,

    /** The listener is past everything below `segment`. */
    advanceTo(segment: number) {
      for (const [index, track] of tracks) {
        if (index >= segment) continue;
        forgetBytes(track);
        tracks.delete(index);
      }
      firstWanted = segment;
    },

    /** The listener has these bytes. */
    dropBytes: (ref: ChunkRef) => cache.delete(ref.sequence),

    /** The segment's bytes turned out to be gone: it has to be made again. */
    forget(segment: number) {
      const track = tracks.get(segment);
      if (track) forgetBytes(track);
      tracks.delete(segment);
    },

    /** The log began anew: no sequence that is known here means anything any more. */
    clear() {
      tracks.clear();
      cache.clear();
      lastSequence = 0;
    },

    /** Nothing up to this sequence is needed for the segments from `firstWanted` on. */
    behind(): number {
      let behind = lastSequence;
      for (const track of tracks.values()) behind = Math.min(behind, track.firstSequence - 1);
      return behind;
    },

    /** Of the next `count` segments those that are neither whole nor failed. */
    missing(from: number, count: number, total: number | undefined): number[] {
      const last = Math.min(from + count, total ?? Number.POSITIVE_INFINITY);
      const indices: number[] = [];
      for (let index = from; index < last; index++) {
        const track = tracks.get(index);
        if (!isClosed(track) && !track?.failed) indices.push(index);
      }
      return indices;
    },
  };
}

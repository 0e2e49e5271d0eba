import { createHash } from 'node:crypto';
import { type Position, RhapsodeError } from '@rhapsode/contracts';
import type { ChunkRef } from './tracks.ts';

/**
 * The listener's place within the segment that is being heard.
 *
 * `at` counts samples of the current attempt that went through here, `delivered` those that the listener has. They differ
 * after a resume in mid-segment, and after a take-over by a new attempt: then the new attempt is read from its beginning,
 * nothing is handed out until the listener's place is reached, and there the digest of the new prefix must equal that of
 * the old one.
 */
export function createHead(from: Position) {
  let segment = from.segment;
  let delivered = from.sample;
  let at = 0;
  let epoch: number | undefined;
  let hash = createHash('sha256');
  let proof: { sample: number; digest: string } | undefined;

  function mismatch(what: string): never {
    throw new RhapsodeError('splice_mismatch', {
      message: `segment ${segment}: ${what}; the voice is not deterministic although it says so`,
      segment,
    });
  }

  function restart() {
    if (at > (proof?.sample ?? 0)) proof = { sample: at, digest: hash.copy().digest('hex') };
    at = 0;
    hash = createHash('sha256');
    epoch = undefined;
  }

  return {
    get segment() {
      return segment;
    },
    get at() {
      return at;
    },
    get delivered() {
      return delivered;
    },

    /** Goes on with this attempt; a change of attempt begins its prefix anew. */
    follow(next: number) {
      if (epoch !== undefined && epoch !== next) restart();
      epoch = next;
    },

    /** The attempt's bytes are gone: whatever comes next begins anew, but must still agree. */
    restart,

    /** Takes the attempt's next chunk, which begins at `at`; returns what of it is new to the listener. */
    take(ref: ChunkRef, pcm: Uint8Array): { position: Position; pcm: Uint8Array } | undefined {
      let rest = pcm;
      if (proof && at + rest.length / 2 >= proof.sample) {
        const prefix = rest.subarray(0, (proof.sample - at) * 2);
        hash.update(prefix);
        if (hash.copy().digest('hex') !== proof.digest)
          mismatch(`two attempts differ before sample ${proof.sample}`);
        at = proof.sample;
        rest = rest.subarray(prefix.length);
        proof = undefined;
      }
      hash.update(rest);
      at += rest.length / 2;
      if (hash.copy().digest('hex').slice(0, 16) !== ref.prefixDigest)
        throw new RhapsodeError('audio_lost', {
          message: `segment ${segment}: the bytes of chunk ${ref.chunk} are not those that were published`,
          segment,
        });
      if (at <= delivered) return undefined;
      const fresh = pcm.subarray(pcm.length - (at - delivered) * 2);
      const position = { segment, sample: delivered };
      delivered = at;
      return { position, pcm: fresh };
    },

    /** All samples of the segment went through: checks them as a whole. */
    finish(digest: string) {
      if (proof) mismatch(`an attempt ended before sample ${proof.sample}, which was heard`);
      if (hash.copy().digest('hex') !== digest) mismatch('its digest is wrong');
    },

    /** Hands out the silence behind the segment, as far as it was not heard yet. */
    pause(
      samples: number,
      pauseSamples: number,
      most: number,
    ): { position: Position; samples: number } | undefined {
      const left = samples + pauseSamples - delivered;
      if (left <= 0) return undefined;
      const part = { position: { segment, sample: delivered }, samples: Math.min(left, most) };
      delivered += part.samples;
      return part;
    },

    next() {
      segment += 1;
      delivered = 0;
      at = 0;
      epoch = undefined;
      hash = createHash('sha256');
      proof = undefined;
    },
  };
}

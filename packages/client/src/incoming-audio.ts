import { formatPosition, type Position, start as startPosition } from '@rhapsode/contracts';
import { decodeAudioFrame, type ServerMessageOf } from '@rhapsode/contracts/session';
import { BrokenLinkError } from './link.ts';

type SentenceStart = ServerMessageOf<'segment_start'>;
type SentenceEnd = ServerMessageOf<'segment_end'>;

export interface IncomingPiece {
  readonly type: 'audio';
  readonly at: Position;
  readonly silence: boolean;
  readonly pcm: Int16Array;
}
export interface IncomingSentence {
  readonly type: 'segment';
  readonly start: SentenceStart;
  readonly end: SentenceEnd;
}

/**
 * Every sample once and in order, whatever the links bring: what came before is dropped, what would leave a gap is an error
 * that breaks the link, so that the next one begins at `position`.
 */
export interface IncomingAudio {
  /** Where the next sample belongs. */
  readonly position: Position;
  sentenceStart(message: SentenceStart): void;
  /** Undefined: nothing new. */
  frame(bytes: ArrayBuffer): IncomingPiece | undefined;
  sentenceEnd(message: SentenceEnd): IncomingSentence | undefined;
}

export function createIncomingAudio(): IncomingAudio {
  let at: Position = startPosition;
  /** The sentence of which audio is coming. */
  let current: SentenceStart | undefined;
  const gap = (what: string) => new BrokenLinkError(1011, `${what}, and ${formatPosition(at)} is due`);
  return {
    get position() {
      return at;
    },
    sentenceStart(message) {
      if (!current || message.segment > current.segment) current = message;
    },
    frame(bytes) {
      const { kind, segment, firstSample, samples, pcm: raw } = decodeAudioFrame(bytes);
      if (segment < at.segment) return undefined;
      const known = segment === at.segment ? at.sample - firstSample : -1;
      if (known < 0) throw gap(`audio came from ${segment}:${firstSample}`);
      if (known >= samples) return undefined;
      const pcm = new Int16Array(raw.buffer as ArrayBuffer, raw.byteOffset, raw.byteLength >> 1);
      const piece = { type: 'audio', at, silence: kind === 'pause', pcm: pcm.subarray(known) } as const;
      at = { segment, sample: firstSample + samples };
      return piece;
    },
    sentenceEnd(message) {
      const { segment, samples, pause_samples } = message;
      if (segment < at.segment) return undefined;
      if (segment > at.segment || at.sample !== samples + pause_samples || current?.segment !== segment)
        throw gap(`sentence ${segment} ended`);
      at = { segment: segment + 1, sample: 0 };
      return { type: 'segment', start: current, end: message };
    },
  };
}

import { RhapsodeError } from '../errors.ts';
import { count } from './fields.ts';

/**
 * A binary frame: 24 bytes, big-endian, then samples.
 *
 *   0 u8  version (1)          4 u32 segment                          12 u32 number of samples
 *   1 u8  kind (0 audio,       8 u32 first sample within the segment  16 u64 first sample within the utterance
 *         1 pause)
 *   2 u16 context_number
 *
 * Positions and numbers count samples of the voice's own rate, whatever rate is sent.
 */
export interface AudioFrame {
  readonly kind: 'audio' | 'pause';
  readonly contextNumber: number;
  readonly segment: number;
  /** Within the segment's audio and pause. */
  readonly firstSample: number;
  readonly samples: number;
  /** The same place, counted from the start of the utterance. */
  readonly utteranceSample: number;
  /** In the format of the context. */
  readonly pcm: Uint8Array;
}

export const audioFrameHeaderBytes = 24;
const version = 1;
const kinds = ['audio', 'pause'] as const;

/** The header and the samples in a buffer of their own: samples begin at a multiple of eight. */
export function encodeAudioFrame(frame: AudioFrame): Uint8Array<ArrayBuffer> {
  const { kind, contextNumber, segment, firstSample, samples, utteranceSample, pcm } = frame;
  const bytes = new Uint8Array(audioFrameHeaderBytes + pcm.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, version);
  view.setUint8(1, kinds.indexOf(kind));
  view.setUint16(2, contextNumber);
  view.setUint32(4, segment);
  view.setUint32(8, firstSample);
  view.setUint32(12, samples);
  view.setBigUint64(16, BigInt(utteranceSample));
  bytes.set(pcm, audioFrameHeaderBytes);
  return bytes;
}

/** `pcm` of the result is a view of `bytes`. */
export function decodeAudioFrame(bytes: Uint8Array | ArrayBuffer): AudioFrame {
  const data = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  if (data.byteLength < audioFrameHeaderBytes)
    throw new RhapsodeError('bad_message', {
      message: `an audio frame has ${data.byteLength} bytes; its header alone has ${audioFrameHeaderBytes}`,
    });
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const kind = kinds[view.getUint8(1)];
  if (view.getUint8(0) !== version || kind === undefined)
    throw new RhapsodeError('bad_message', {
      message: `an audio frame of version ${view.getUint8(0)} and kind ${view.getUint8(1)} is not known`,
    });
  const utteranceSample = Number(view.getBigUint64(16));
  if (!count.safeParse(utteranceSample).success)
    throw new RhapsodeError('bad_message', { message: 'an audio frame begins at an impossible sample' });
  return {
    kind,
    contextNumber: view.getUint16(2),
    segment: view.getUint32(4),
    firstSample: view.getUint32(8),
    samples: view.getUint32(12),
    utteranceSample,
    pcm: data.subarray(audioFrameHeaderBytes),
  };
}

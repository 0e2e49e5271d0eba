import * as z from 'zod';
import { RhapsodeError } from './errors.ts';

/**
 * What travels on the audio log: one subject per utterance, everything but the PCM in headers.
 * PCM is mono, signed 16-bit, little-endian, at the utterance's sample rate.
 */
const index = z.int().min(0);
const inSegment = { segment: index, epoch: index };

/** How long the chunk took to be made: for reports, it decides nothing. Clocks are the worker's, milliseconds. */
export const chunkTiming = z.object({
  /** Since the attempt began to be spoken, when the chunk was ready. */
  elapsedMs: z.number().min(0),
  /** The same of the attempt's first chunk. */
  firstChunkMs: z.number().min(0),
  /** How long the sentence waited in the queue. */
  queueMs: z.number().min(0),
});
export type ChunkTiming = z.infer<typeof chunkTiming>;

export const audioMessage = z.object({
  kind: z.literal('audio'),
  ...inSegment,
  /** Number of this chunk within the attempt, from 0. */
  chunk: index,
  /** Place of its first sample within the segment. */
  firstSample: index,
  samples: z.int().min(1),
  /** First 16 hex digits of SHA-256 over the segment's PCM from sample 0 to the end of this chunk. */
  prefixDigest: z.string().regex(/^[0-9a-f]{16}$/),
  timing: chunkTiming.optional(),
});

/** Time of a word or phoneme within its segment, in samples. */
export const mark = z.object({
  kind: z.enum(['word', 'phoneme', 'sentence']),
  text: z.string(),
  /** Span in the spoken text, in UTF-16 code units, where it is known. */
  start: index.optional(),
  end: index.optional(),
  firstSample: index,
  samples: index,
});
export type Mark = z.infer<typeof mark>;

/** The attempt reached the segment's end: all its chunks are acknowledged before this is published. */
export const segmentEndMessage = z.object({
  kind: z.literal('segment-end'),
  ...inSegment,
  chunks: index,
  samples: index,
  pauseSamples: index,
  /** SHA-256 of the segment's PCM (without the pause), hex. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  /** `model`: from the voice's own durations. `estimated`: spread over the text. */
  marksFrom: z.enum(['model', 'estimated', 'none']),
  marks: z.array(mark),
  synthesisMs: z.number(),
  queueMs: z.number(),
  /** Who made it. */
  worker: z.string().max(300).optional(),
});

/** The segment can't be made; no further attempt will be. */
export const segmentFailedMessage = z.object({
  kind: z.literal('segment-failed'),
  ...inSegment,
  code: z.string(),
  reason: z.string(),
});

/** No more segments will be added. */
export const utteranceEndMessage = z.object({ kind: z.literal('utterance-end'), segments: index });

const headers = z.discriminatedUnion('kind', [
  audioMessage,
  segmentEndMessage,
  segmentFailedMessage,
  utteranceEndMessage,
]);

export type AudioMessage = z.infer<typeof audioMessage>;
export type SegmentEndMessage = z.infer<typeof segmentEndMessage>;
export type SegmentFailedMessage = z.infer<typeof segmentFailedMessage>;
export type UtteranceEndMessage = z.infer<typeof utteranceEndMessage>;
export type LogMessage = z.infer<typeof headers>;

/** A message as the log keeps it. `pcm` is empty for every kind but `audio`. */
export interface Envelope {
  readonly message: LogMessage;
  readonly pcm: Uint8Array;
}

export const noPcm = new Uint8Array(0);
const version = 1;

/**
 * Identity of a message: publishing the same id twice keeps one. The same attempt makes the same ids, so a publisher
 * may repeat whatever was not acknowledged.
 */
export function messageId(utterance: string, m: LogMessage): string {
  switch (m.kind) {
    case 'audio':
      return `${utterance}-${m.segment}-${m.epoch}-${m.chunk}`;
    case 'segment-end':
      return `${utterance}-${m.segment}-${m.epoch}-end`;
    case 'segment-failed':
      return `${utterance}-${m.segment}-${m.epoch}-failed`;
    case 'utterance-end':
      return `${utterance}-end`;
  }
}

/**
 * One header `Rhapsode` holds the version and the fields as JSON: one parse, one schema, the same on every bus. NATS
 * stores at most 64 KiB of headers with a message, so fields longer than half of that (the marks of a long sentence)
 * travel as the payload, which only `audio` has a use for; the header then says `{"v":1,"fields":"payload"}`.
 */
export const headerName = 'Rhapsode';
const longestHeaderBytes = 32_768;
const seePayload = JSON.stringify({ v: version, fields: 'payload' });

/** What goes onto the wire; `decodeEnvelope` is its inverse. */
export function encodeEnvelope({ message, pcm }: Envelope): { header: string; payload: Uint8Array } {
  const header = JSON.stringify({ v: version, ...message });
  if (message.kind === 'audio' || header.length * 3 <= longestHeaderBytes) return { header, payload: pcm };
  const payload = new TextEncoder().encode(header);
  return payload.byteLength <= longestHeaderBytes
    ? { header, payload: noPcm }
    : { header: seePayload, payload };
}

function parseFields(json: string | undefined): unknown {
  try {
    return JSON.parse(json ?? '');
  } catch (cause) {
    throw new RhapsodeError('bad_message', { message: 'a log message has no readable header', cause });
  }
}

export function decodeEnvelope(header: string | undefined, payload: Uint8Array): Envelope {
  const inPayload = header === seePayload;
  const fields = parseFields(inPayload ? new TextDecoder().decode(payload) : header);
  const pcm = inPayload ? noPcm : payload;
  const v = (fields as { v?: unknown } | null)?.v;
  if (v !== version)
    throw new RhapsodeError('bad_message', { message: `log message version ${String(v)} is not ${version}` });
  const parsed = headers.safeParse(fields);
  if (!parsed.success)
    throw new RhapsodeError('bad_message', {
      message: `a log message is malformed: ${parsed.error.message}`,
    });
  const message = parsed.data;
  const expected = message.kind === 'audio' ? message.samples * 2 : 0;
  if (pcm.byteLength !== expected)
    throw new RhapsodeError('bad_message', {
      message: `a ${message.kind} message has ${pcm.byteLength} bytes of PCM, not ${expected}`,
    });
  return { message, pcm };
}

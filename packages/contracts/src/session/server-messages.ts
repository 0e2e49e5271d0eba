import * as z from 'zod';
import { contextName, count, nonce, sampleFormat, utteranceName } from './fields.ts';

/** What the server says. A client ignores fields that it does not know: later versions may say more. */

export const readyMessage = z.object({
  type: z.literal('ready'),
  limits: z.object({
    /** Of one message. */
    text_bytes: count,
    /** Of one context. */
    text_characters: count,
    /** That are not ended, on one socket. */
    contexts: count,
    /** Sentences that are made ahead of what was taken. */
    window_sentences: count,
    /** How long an utterance waits for a socket that resumes it. */
    idle_seconds: z.number().min(0),
  }),
  voices_default: z.string(),
});

const openedFields = {
  context: contextName,
  /** In the header of its audio frames. */
  context_number: z.int().min(0).max(0xffff),
  utterance: utteranceName,
  voice: z.string(),
  voice_digest: z.string(),
  /** Of the samples that are sent. */
  sample_rate: z.int().min(1),
  /** Of the voice: positions and counts are in its samples. */
  voice_sample_rate: z.int().min(1),
  format: sampleFormat,
  deterministic: z.boolean(),
};
export const openedMessage = z.object({ type: z.literal('opened'), ...openedFields });
export const resumedMessage = z.object({
  type: z.literal('resumed'),
  ...openedFields,
  position: z.string(),
  /** UTF-16 code units of text that are kept. */
  offset: count,
  text_complete: z.boolean(),
});

export const receivedMessage = z.object({
  type: z.literal('received'),
  context: contextName,
  offset: count,
});

export const segmentStartMessage = z.object({
  type: z.literal('segment_start'),
  context: contextName,
  segment: count,
  start: count,
  end: count,
  /** Absent where the source is not kept: an utterance that was not spoken piece by piece. */
  text: z.string().optional(),
  spoken: z.string(),
});

export const sessionMark = z.object({
  type: z.enum(['word', 'phoneme', 'sentence']),
  /** Span in the source, where it is known. */
  start: count.optional(),
  end: count.optional(),
  /** From the start of the utterance, in samples of the voice's rate. */
  sample: count,
  /** How many samples it lasts. */
  samples: count,
  seconds: z.number().min(0),
});
export type SessionMark = z.infer<typeof sessionMark>;

export const sessionSegmentEndMessage = z.object({
  type: z.literal('segment_end'),
  context: contextName,
  segment: count,
  samples: count,
  pause_samples: count,
  /** Where it began, from the start of the utterance. */
  start_sample: count,
  marks_from: z.enum(['model', 'estimated', 'none']),
  marks: z.array(sessionMark),
});

/** What is told of a chunk by every protocol of ours, under these names; absent where it is not known. */
export const chunkFigures = {
  elapsed_ms: z.number().min(0).optional().describe('Since the worker began to speak the sentence.'),
  first_chunk_ms: z.number().min(0).optional().describe('The same of the sentence’s first chunk.'),
  rtf: z.number().min(0).optional().describe('Seconds of work for a second of audio, so far.'),
  queue_ms: z.number().min(0).optional().describe('How long the sentence waited for a worker.'),
  attempt: count.optional().describe('From 1.'),
};

export const chunkMessage = z.object({
  type: z.literal('chunk'),
  context: contextName,
  segment: count,
  chunk: count,
  samples: count,
  ...chunkFigures,
});

export const flushedMessage = z.object({ type: z.literal('flushed'), context: contextName, nonce });
export const resetDoneMessage = z.object({ type: z.literal('reset_done'), context: contextName, nonce });
export const endMessage = z.object({
  type: z.literal('end'),
  context: contextName,
  segments: count,
  samples: count,
});
export const cancelledMessage = z.object({ type: z.literal('cancelled'), context: contextName });

export const errorMessage = z.object({
  type: z.literal('error'),
  context: contextName.optional(),
  error: z.object({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string(),
    segment: count.optional(),
  }),
  /** True: the context has ended. False: the message was refused and nothing has changed. */
  fatal: z.boolean(),
});

export const serverMessage = z.discriminatedUnion('type', [
  readyMessage,
  openedMessage,
  resumedMessage,
  receivedMessage,
  segmentStartMessage,
  sessionSegmentEndMessage,
  chunkMessage,
  flushedMessage,
  resetDoneMessage,
  endMessage,
  cancelledMessage,
  errorMessage,
]);
export type ServerMessage = z.infer<typeof serverMessage>;
export type ServerMessageOf<T extends ServerMessage['type']> = Extract<ServerMessage, { type: T }>;

import { chunkFigures } from '@rhapsode/contracts/session';
import { z } from 'zod';

/**
 * What an answer of `stream_format: "sse"` is made of. `speech.audio.*` are OpenAI's; the others come only to whom asked for
 * `rhapsode.timestamps` or `rhapsode.metrics`. Samples are those of the voice's own rate, counted from the start.
 */
const count = z.int().min(0);
const place = { sample: count, seconds: z.number().min(0) };
const spans = { start: count.optional(), end: count.optional() };

export const speechEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('speech.audio.delta'), audio: z.base64() }),
  z.object({
    type: z.literal('speech.audio.done'),
    usage: z.object({ input_tokens: count, output_tokens: count, total_tokens: count }),
    warnings: z
      .array(z.object({ code: z.string(), message: z.string() }))
      .readonly()
      .optional(),
  }),
  z
    .object({
      type: z.literal('rhapsode.segment'),
      segment: count,
      start: count,
      end: count,
      text: z.string().describe('The source: `input` from `start` to `end`, in UTF-16 code units.'),
      spoken: z.string().describe('What is said for it.'),
      ...place,
      sample_rate: z.int().min(1),
    })
    .describe('The sentence whose audio comes next.'),
  z
    .object({
      type: z.literal('rhapsode.timestamps'),
      segment: count,
      from: z
        .enum(['model', 'estimated', 'none'])
        .describe('The voice’s own durations, or spread over the text.'),
      ...place,
      samples: count,
      pause_samples: count,
      sample_rate: z.int().min(1),
      marks: z.array(
        z.union([
          z.object({
            type: z.enum(['word', 'phoneme', 'sentence']),
            text: z.string().describe('As it is spoken.'),
            ...spans,
            ...place,
            samples: count,
          }),
          z.object({ type: z.literal('mark'), name: z.string(), ...place, samples: count }),
        ]),
      ),
    })
    .describe(
      'When the words of the sentence that has just been sent are said; `start` and `end` are places in `input`.',
    ),
  z
    .object({
      type: z.literal('rhapsode.chunk'),
      segment: count,
      first_sample: count.describe('Within the segment.'),
      samples: count,
      audio_seconds: z.number().min(0).describe('Sent so far.'),
      since_request_ms: z.number().min(0).describe('When it was sent, since the request came.'),
      first_audio_ms: z.number().min(0).describe('The same of the first audio.'),
      generation: count.describe('How often the sentence had to be made anew.'),
      chunk: count.optional().describe('Number of the chunk within its sentence.'),
      ...chunkFigures,
    })
    .describe('Figures of the audio that has just been sent.'),
  z
    .object({
      type: z.literal('rhapsode.metrics'),
      segment: count,
      samples: count,
      queue_ms: z.number(),
      synthesis_ms: z.number(),
      rtf: z.number().optional().describe('Seconds of synthesis for a second of audio.'),
      attempt: count,
      generation: count,
    })
    .describe('Figures of the sentence that has just been sent.'),
  z
    .object({
      type: z.literal('error'),
      error: z.object({
        message: z.string(),
        type: z.string(),
        param: z.string().nullable(),
        code: z.string(),
        segment: count.optional(),
      }),
    })
    .describe('The last event of an answer that failed; the connection is cut behind it.'),
]);
export type SpeechEvent = z.infer<typeof speechEvent>;

import { audioFormatNames } from '@rhapsode/audio';
import { RhapsodeError, speechSettings } from '@rhapsode/contracts';
import { z } from 'zod';
import { inline, inputType, lexicon, normalise } from '../text-options.ts';

/** Everything that OpenAI's request has not. */
const extension = z.strictObject({
  input: inputType.optional(),
  normalise: normalise.optional(),
  inline: inline.optional(),
  lexicon: lexicon.optional(),
  sample_rate: z
    .number()
    .optional()
    .describe(
      'Of the audio, in Hz: one that the format knows; if it is left out the voice’s own, but OpenAI’s 24000 for `pcm`.',
    ),
  seed: z
    .int()
    .min(0)
    .max(0xffff_ffff)
    .optional()
    .describe('The same seed, text and voice: the same samples.'),
  speaker: z.string().min(1).max(200).optional().describe('One of the voice’s speakers.'),
  chunk_seconds: speechSettings.shape.chunk_seconds.describe(
    'Audio in each piece: the shorter, the sooner the first, and the more work in all.',
  ),
  settings: speechSettings
    .omit({ chunk_seconds: true })
    .optional()
    .describe('What the voice’s `capabilities.settings` list.'),
  stream: z
    .boolean()
    .optional()
    .describe(
      '`false`: the answer begins when all is made, and tells its length: in `content-length`, in the header of the file, or in both.',
    ),
  timestamps: z
    .boolean()
    .optional()
    .describe('With `stream_format: "sse"`: also `rhapsode.segment` and `rhapsode.timestamps`.'),
  metrics: z
    .boolean()
    .optional()
    .describe('With `stream_format: "sse"`: also `rhapsode.chunk` and `rhapsode.metrics`.'),
});

/** OpenAI's fields, and one object of our own. */
export const speechBody = z.strictObject({
  model: z.string().min(1).max(200).describe('One of `GET /v1/models`; the voice decides what speaks.'),
  input: z.string().describe('What is to be spoken.'),
  voice: z
    .union([z.string().min(1), z.strictObject({ id: z.string().min(1) })])
    .describe(
      'A voice’s id, `id:speaker`, an alias, one of OpenAI’s names; or `{"id": …}` with such a name.',
    ),
  instructions: z.string().max(4096).optional().describe('Accepted; no voice follows them.'),
  response_format: z
    .string()
    .default('mp3')
    .meta({ description: `One of ${audioFormatNames.join(', ')}.`, enum: [...audioFormatNames] }),
  speed: z.number().min(0.25).max(4).default(1).describe('Within what the voice can.'),
  stream_format: z.enum(['audio', 'sse']).default('audio'),
  stream: z.boolean().optional().describe('Kokoro-FastAPI’s name for `rhapsode.stream`.'),
  rhapsode: extension.default({}).describe('What OpenAI’s request has not.'),
});

export type SpeechBody = z.infer<typeof speechBody>;

/** Whether the answer is to begin when all is made; it may be asked for by either of two names. */
export function wantsWhole({ stream, stream_format, rhapsode }: SpeechBody): boolean {
  const param = rhapsode.stream === undefined ? 'stream' : 'rhapsode.stream';
  const wanted = rhapsode.stream ?? stream ?? true;
  if (stream !== undefined && stream !== wanted)
    throw new RhapsodeError('invalid_request', {
      message:
        "'stream' and 'rhapsode.stream' are the same setting and say different things; send one of them",
      param,
    });
  if (!wanted && stream_format === 'sse')
    throw new RhapsodeError('unsupported_setting', {
      message: `events come while the audio is made: '${param}' false goes with "stream_format": "audio" only`,
      param,
    });
  return !wanted;
}

export function refuseEvents(wanted: Readonly<Record<'timestamps' | 'metrics', boolean>>): void {
  const asked = (['timestamps', 'metrics'] as const).find((name) => wanted[name]);
  if (asked)
    throw new RhapsodeError('unsupported_setting', {
      message: `'rhapsode.${asked}' come as events between the audio: ask with "stream_format": "sse"`,
      param: `rhapsode.${asked}`,
    });
}

/** Others call our fields by their bare names; the client wrote them within an object. */
export function nameOurField(error: unknown): never {
  if (!(error instanceof RhapsodeError)) throw error;
  const { code, message, param, retryAfterSeconds, segment } = error;
  if (param === undefined || param === 'input') throw error;
  const isSetting = !Object.hasOwn(extension.shape, param) && Object.hasOwn(speechSettings.shape, param);
  if (!isSetting && !Object.hasOwn(extension.shape, param)) throw error;
  throw new RhapsodeError(code, {
    message,
    param: isSetting ? `rhapsode.settings.${param}` : `rhapsode.${param}`,
    cause: error,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(segment === undefined ? {} : { segment }),
  });
}

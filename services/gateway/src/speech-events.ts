import {
  type AudioEncoder,
  type AudioFormat,
  createEncoder,
  encodedRateHz,
  pcmSamples,
} from '@rhapsode/audio';
import { errorBody, type Segment, sourceSpan } from '@rhapsode/contracts';
import { isAudio, type Listening, type SegmentDone, serverTiming, watchFirstChunk } from '@rhapsode/pipeline';
import type { StreamedAnswer } from '@rhapsode/service';
import type { RequestStore } from '@rhapsode/store';
import { chunkFiguresOf } from './chunk-figures.ts';
import type { SpeechEvent } from './speech-event.ts';

export interface EventsWanted {
  readonly input: string;
  readonly format: AudioFormat;
  /** Of the audio; by default the voice's, or the next one that the format knows. */
  readonly sampleRateHz?: number | undefined;
  readonly timestamps: boolean;
  readonly metrics: boolean;
  /** Complete when the last event is made. */
  readonly warnings: () => readonly { readonly code: string; readonly message: string }[];
  /** Milliseconds since the request came. */
  readonly elapsedMs: () => number;
  readonly signal: AbortSignal;
}

/**
 * Speech as server-sent events. Resolves when the first is there, so that what fails before has a status of its own. What
 * fails later is told in an event, and the stream is cut behind it: one that ends in good order is complete.
 */
export async function answerEvents(
  listening: Listening,
  wanted: EventsWanted,
  store: Pick<RequestStore, 'segments'>,
): Promise<StreamedAnswer> {
  const watched = watchFirstChunk(listening);
  const events = speechEvents(watched, wanted, store);
  const first = await events.next();
  async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      if (!first.done) yield encode(first.value);
      for await (const event of events) yield encode(event);
    } catch (error) {
      if (!wanted.signal.aborted) yield encode({ type: 'error', ...errorBody(error) });
      throw error;
    } finally {
      await events.return();
    }
  }
  return {
    status: 200,
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-rhapsode-sample-rate': String(
        encodedRateHz(wanted.format, listening.utterance.sampleRateHz, wanted.sampleRateHz),
      ),
      ...serverTiming(watched.firstChunk()),
      // A proxy that collects a stream makes a recording of it.
      'x-accel-buffering': 'no',
    },
    body: body(),
  };
}

const encode = (event: SpeechEvent): Uint8Array => Buffer.from(`data: ${JSON.stringify(event)}\n\n`);

export async function* speechEvents(
  listening: Listening,
  wanted: EventsWanted,
  store: Pick<RequestStore, 'segments'>,
): AsyncGenerator<SpeechEvent, void, undefined> {
  const { format, timestamps, metrics, input, elapsedMs } = wanted;
  const { id, sampleRateHz } = listening.utterance;
  const sentences = createSentences(id, store);
  /** Samples before the sentence that is heard, and of all that was heard. */
  let before = 0;
  let heard = 0;
  let heardSegment = -1;
  let firstAudioMs: number | undefined;
  const sinceRequestMs = () => Math.round(elapsedMs() * 10) / 10;

  const delta = (bytes: Uint8Array): SpeechEvent[] =>
    bytes.length > 0 ? [{ type: 'speech.audio.delta', audio: Buffer.from(bytes).toString('base64') }] : [];
  const place = (sample: number) => ({ sample, seconds: sample / sampleRateHz });

  async function* begin(segment: number): AsyncGenerator<SpeechEvent> {
    if (heardSegment === segment) return;
    heardSegment = segment;
    if (!timestamps) return;
    const { start, end, text } = await sentences.at(segment);
    yield {
      type: 'rhapsode.segment',
      segment,
      start,
      end,
      text: input.slice(start, end),
      spoken: text,
      ...place(before),
      sample_rate: sampleRateHz,
    };
  }

  async function timesOf(done: SegmentDone): Promise<SpeechEvent> {
    const sentence = await sentences.at(done.segment);
    const named = (names: readonly string[] | undefined, sample: number) =>
      (names ?? []).map((name) => ({ type: 'mark' as const, name, ...place(sample), samples: 0 }));
    const words = done.marks.map(({ kind, text, start, end, firstSample, samples }) => ({
      type: kind,
      text,
      ...(start === undefined || end === undefined ? {} : sourceSpan(sentence, { start, end })),
      ...place(before + firstSample),
      samples,
    }));
    return {
      type: 'rhapsode.timestamps',
      segment: done.segment,
      from: done.marksFrom,
      ...place(before),
      samples: done.samples,
      pause_samples: done.pauseSamples,
      sample_rate: sampleRateHz,
      marks: [
        ...named(sentence.bookmarks, before),
        ...words,
        ...named(sentence.endBookmarks, before + done.samples + done.pauseSamples),
      ],
    };
  }

  let encoder: AudioEncoder | undefined;
  try {
    encoder = await createEncoder(format, { sampleRateHz, wantedRateHz: wanted.sampleRateHz });
    let header: Uint8Array | undefined = encoder.header();
    for await (const piece of listening.pieces) {
      const segment = isAudio(piece) ? piece.position.segment : piece.segment;
      yield* begin(segment);
      if (isAudio(piece)) {
        const samples = piece.pcm.length / 2;
        const bytes = await encoder.push(pcmSamples(piece.pcm));
        // A format may hold samples back until a frame is full; its header waits for the first one.
        if (bytes.length > 0) {
          yield* delta(header ? Buffer.concat([header, bytes]) : bytes);
          header = undefined;
        }
        heard += samples;
        firstAudioMs ??= sinceRequestMs();
        if (metrics && piece.type === 'audio')
          yield {
            type: 'rhapsode.chunk',
            segment,
            first_sample: piece.position.sample,
            samples,
            audio_seconds: heard / sampleRateHz,
            since_request_ms: sinceRequestMs(),
            first_audio_ms: firstAudioMs,
            generation: piece.generation,
            ...(piece.chunk ? { chunk: piece.chunk.chunk } : {}),
            ...chunkFiguresOf(piece.chunk),
          };
        continue;
      }
      const rest = await encoder.endSentence();
      if (rest.length > 0) {
        yield* delta(header ? Buffer.concat([header, rest]) : rest);
        header = undefined;
      }
      if (timestamps) yield await timesOf(piece);
      if (metrics)
        yield {
          type: 'rhapsode.metrics',
          segment,
          samples: piece.samples,
          queue_ms: piece.queueMs,
          synthesis_ms: piece.synthesisMs,
          ...(piece.samples > 0 ? { rtf: (piece.synthesisMs / 1000 / piece.samples) * sampleRateHz } : {}),
          attempt: piece.attempt,
          generation: piece.generation,
        };
      before += piece.samples + piece.pauseSamples;
      listening.consumed(segment + 1);
      sentences.forget(segment);
    }
    yield* delta(Buffer.concat([header ?? new Uint8Array(0), await encoder.finish()]));
    const warnings = wanted.warnings();
    yield {
      type: 'speech.audio.done',
      usage: usageOf(input, heard / sampleRateHz),
      ...(warnings.length > 0 ? { warnings } : {}),
    };
  } finally {
    await Promise.all([listening.close(), encoder?.close()]);
  }
}

/** Tokens of a voice here: each character of the text is one, and each twentieth of a second of audio. */
export function usageOf(input: string, audioSeconds: number) {
  let input_tokens = 0;
  for (const _ of input) input_tokens += 1;
  const output_tokens = Math.ceil(audioSeconds * 20);
  return { input_tokens, output_tokens, total_tokens: input_tokens + output_tokens };
}

/** The sentences around the one that is heard, read a few at a time. */
function createSentences(id: string, store: Pick<RequestStore, 'segments'>) {
  const known = new Map<number, Segment>();
  return {
    async at(segment: number): Promise<Segment> {
      if (!known.has(segment))
        for (const [n, one] of (await store.segments(id, segment, page)).entries())
          known.set(segment + n, one);
      const sentence = known.get(segment);
      if (!sentence) throw new Error(`segment ${segment} of ${id} is heard and not stored`);
      return sentence;
    },
    forget: (segment: number) => known.delete(segment),
  };
}

const page = 16;

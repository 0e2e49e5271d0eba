import { pcmBytes, pcmSamples, samplesAtRate } from '@rhapsode/audio';
import { type Position, RhapsodeError, type Segment, sourceSpan, type Utterance } from '@rhapsode/contracts';
import {
  type AudioFrame,
  encodeAudioFrame,
  type SampleFormat,
  type ServerMessageOf,
} from '@rhapsode/contracts/session';
import type { ArrivingText, AudioPiece, SegmentDone } from '@rhapsode/pipeline';
import type { RequestStore } from '@rhapsode/store';
import { chunkFiguresOf } from '../chunk-figures.ts';
import type { Link } from './link.ts';
import { persist } from './persist.ts';
import { createRateStage, cutSlice, type Slice } from './rate-stage.ts';

export interface AudioOutOptions {
  readonly context: string;
  readonly contextNumber: number;
  readonly utterance: Utterance;
  /** Its text, if it arrives in pieces. */
  readonly texts: ArrivingText | undefined;
  readonly format: SampleFormat;
  readonly metrics: boolean;
  /** Of the samples that are sent. */
  readonly rateHz: number;
  readonly from: Position;
  /** Most of a frame, in samples. */
  readonly frameSamples: number;
  /** Samples of the utterance before the segment that is heard first. */
  readonly startSample: number;
  readonly store: Pick<RequestStore, 'segments'>;
  readonly link: Link;
  readonly signal: AbortSignal;
}

const page = 16;

/** Sends what a listener hears as messages and frames of one context. */
export function createAudioOut(options: AudioOutOptions) {
  const { context, contextNumber, utterance, texts, format, metrics, frameSamples, rateHz } = options;
  const { store, link, signal } = options;
  const { sampleRateHz: voiceHz } = utterance;
  const stage = rateHz === voiceHz ? undefined : createRateStage(voiceHz, rateHz, options.from);
  let startSample = options.startSample;
  let announced: { readonly index: number; readonly segment: Segment } | undefined;
  const known = new Map<number, Segment>();

  async function segmentAt(index: number): Promise<Segment> {
    if (!known.has(index)) {
      known.clear();
      const found = await persist(() => store.segments(utterance.id, index, page), signal);
      for (const [i, segment] of found.entries()) known.set(index + i, segment);
    }
    const segment = known.get(index);
    // Its audio is there, so only a cancellation can have taken it away.
    if (!segment) throw new RhapsodeError('cancelled');
    return segment;
  }

  async function sourceOf({ start, end }: Segment): Promise<string | undefined> {
    if (texts === undefined) return undefined;
    // Another gateway may have been sent the text.
    if (texts.source(start, end) === undefined) await persist(() => texts.catchUp(), signal);
    texts.forgetSource(start);
    return texts.source(start, end);
  }

  /** Says which sentence comes. */
  async function announce(index: number): Promise<Segment> {
    if (announced?.index === index) return announced.segment;
    const segment = await segmentAt(index);
    const text = await sourceOf(segment);
    signal.throwIfAborted();
    const { start, end, text: spoken } = segment;
    const span = { segment: index, start, end };
    link.send({ type: 'segment_start', context, ...span, ...(text === undefined ? {} : { text }), spoken });
    announced = { index, segment };
    return segment;
  }

  async function sendSlice(kind: AudioFrame['kind'], segment: number, slice: Slice): Promise<void> {
    for (const { firstSample, samples, pcm } of cutSlice(slice, frameSamples, voiceHz, rateHz)) {
      signal.throwIfAborted();
      await link.sendAudio(
        encodeAudioFrame({
          kind,
          contextNumber,
          segment,
          firstSample,
          samples,
          utteranceSample: startSample + firstSample,
          pcm: format === 'pcm_f32le' ? floatBytes(pcm) : pcmBytes(pcm),
        }),
      );
    }
  }

  async function sendAudio(piece: Extract<AudioPiece, { pcm: Uint8Array }>): Promise<void> {
    const { type, position, pcm } = piece;
    await announce(position.segment);
    const samples = pcmSamples(pcm);
    const slice = stage
      ? await stage.push(position.segment, samples)
      : { firstSample: position.sample, samples: samples.length, pcm: samples };
    if (slice) await sendSlice(type, position.segment, slice);
    signal.throwIfAborted();
    if (metrics && type === 'audio') link.send(chunkMessage(context, piece));
  }

  async function endSegment(done: SegmentDone): Promise<void> {
    const segment = await announce(done.segment);
    const length = done.samples + done.pauseSamples;
    const atRate = (samples: number) => samplesAtRate(samples, voiceHz, rateHz);
    const tail = stage?.finish(atRate(startSample + length) - atRate(startSample));
    // At another rate the sentence was heard from its beginning, so nobody else has looked.
    if (stage && done.segment === options.from.segment && options.from.sample > length)
      throw new RhapsodeError('range_not_satisfiable', {
        message: `segment ${done.segment} has ${length} samples, ${options.from.sample} were asked for`,
        param: 'position',
      });
    if (tail) await sendSlice(done.pauseSamples > 0 ? 'pause' : 'audio', done.segment, tail);
    signal.throwIfAborted();
    const marks = done.marks.map(({ kind, start, end, firstSample, samples }) => {
      const sample = startSample + firstSample;
      const span = start === undefined || end === undefined ? {} : sourceSpan(segment, { start, end });
      return { type: kind, ...span, sample, samples, seconds: sample / utterance.sampleRateHz };
    });
    link.send({
      type: 'segment_end',
      context,
      segment: done.segment,
      samples: done.samples,
      pause_samples: done.pauseSamples,
      start_sample: startSample,
      marks_from: done.marksFrom,
      marks,
    });
    startSample += length;
    known.delete(done.segment);
    texts?.forgetSource(segment.end);
    await link.settled();
  }

  return {
    /** All samples of the sentences that ended. */
    get samples() {
      return startSample;
    },
    send: (piece: AudioPiece): Promise<void> =>
      piece.type === 'segment' ? endSegment(piece) : sendAudio(piece),
    close: () => stage?.close(),
  };
}

/** What is known of the chunk that audio came from. */
function chunkMessage(
  context: string,
  { position, pcm, chunk }: Extract<AudioPiece, { pcm: Uint8Array }>,
): ServerMessageOf<'chunk'> {
  return {
    type: 'chunk',
    context,
    segment: position.segment,
    chunk: chunk?.chunk ?? 0,
    samples: chunk?.samples ?? pcm.byteLength / 2,
    ...chunkFiguresOf(chunk),
  };
}

function floatBytes(pcm: Int16Array): Uint8Array {
  const bytes = new Uint8Array(pcm.length * 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < pcm.length; i++) view.setFloat32(i * 4, pcm[i]! / 32_768, true);
  return bytes;
}

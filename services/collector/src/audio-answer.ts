import { setImmediate } from 'node:timers/promises';
import {
  type AudioEncoder,
  type AudioFormat,
  createEncoder,
  encodedBytes,
  encodedRateHz,
  formatFacts,
  pcmSamples,
  samplesAtRate,
} from '@rhapsode/audio';
import { type Position, RhapsodeError, start, type Utterance } from '@rhapsode/contracts';
import {
  heardState,
  isAudio,
  type ListenDeps,
  type Listening,
  listen,
  locate,
  serverTiming,
  totalSamples,
  watchFirstChunk,
} from '@rhapsode/pipeline';
import { notSatisfiable, parseByteRange, prepend, type StreamedAnswer } from '@rhapsode/service';

export interface AudioRequest {
  readonly id: string;
  readonly format: AudioFormat;
  /** Of the bytes; by default the voice's, or the next one that the format knows. */
  readonly sampleRateHz?: number | undefined;
  /** Where the byte sequence begins; the utterance's start by default. */
  readonly from?: Position | undefined;
  /** The `Range` header. */
  readonly range?: string | undefined;
  /** It is heard by who asked for the utterance, and for it alone. */
  readonly owner?: boolean | undefined;
  readonly signal: AbortSignal;
}

/** What `Content-Range` says of an answer whose end nobody knows yet: no byte can lie behind this one. */
const lastByteThereCanBe = Number.MAX_SAFE_INTEGER;

/** Encoding what is at hand already stops for others after so long. */
const longestTurnMs = 8;

/**
 * An utterance's audio as one append-only sequence of bytes, from any of its bytes on. Resolves when the first bytes are there, so
 * that what fails before has a status of its own.
 *
 * Of the header, which is of the same size always, two requests may see different contents: it tells the length once that is known
 * (the sizes of WAV, MP3's first frame, FLAC's number of samples). Every byte behind it is the same for ever, so whoever goes on
 * with what was begun before the end was known has a file that is whole and in order, and tells of its length as much as it did.
 */
export async function answerAudio(request: AudioRequest, deps: ListenDeps): Promise<StreamedAnswer> {
  const { id } = request;
  const state = await deps.store.get(id);
  if (!state) throw new RhapsodeError('utterance_not_found', { message: `there is no utterance ${id}` });
  const { utterance } = state;
  const { samples, length } = await lengthOf(request, utterance, deps);
  const range = parseByteRange(request.range, length);
  const most = range?.last === undefined ? length : range.last - range.first + 1;
  // Only of an utterance that is made already it is certain that all these bytes will come.
  const answered = length === undefined ? undefined : most;

  const begin = await beginAt(utterance, request, range?.first ?? 0, deps);
  const listening = watchFirstChunk(
    await listen(id, { from: begin.from, signal: request.signal, guest: !request.owner }, deps),
  );
  // Who begins here has no use for what is before.
  listening.consumed(Math.min(begin.from.segment, state.segments));
  const whole = encode(listening, request, begin, samples);
  const body = cut(whole, { drop: begin.drop, most, exact: answered !== undefined });
  const first = await body.next();
  if (first.done && range) throw notSatisfiable(length);

  return {
    status: range ? 206 : 200,
    headers: {
      ...audioHeaders(request, utterance),
      ...serverTiming(listening.firstChunk()),
      ...(answered === undefined ? {} : { 'content-length': String(answered) }),
      ...(range
        ? { 'content-range': `bytes ${range.first}-${range.last ?? lastByteThereCanBe}/${length ?? '*'}` }
        : {}),
    },
    body: prepend(first, body),
  };
}

/** What `HEAD` tells: as much as is known without waiting. */
export async function describeAudio(
  request: Wanted,
  deps: Pick<ListenDeps, 'store'>,
): Promise<Record<string, string>> {
  const { utterance } = await heardState(deps.store, request.id);
  const { length } = await lengthOf(request, utterance, deps);
  return {
    ...audioHeaders(request, utterance),
    ...(length === undefined ? {} : { 'content-length': String(length) }),
  };
}

type Wanted = Omit<AudioRequest, 'signal'>;

/** The rate of the answer; one that the format does not know is refused. */
const rateOf = ({ format, sampleRateHz }: Wanted, utterance: Utterance): number =>
  encodedRateHz(format, utterance.sampleRateHz, sampleRateHz);

function audioHeaders(wanted: Wanted, utterance: Utterance): Record<string, string> {
  const { id, format, from = start } = wanted;
  const rate = rateOf(wanted, utterance);
  return {
    'content-type': formatFacts(format).contentType,
    'accept-ranges': 'bytes',
    'cache-control': 'no-store',
    etag: `"${id}-${format}-${rate}-${from.segment}-${from.sample}"`,
    'x-rhapsode-utterance': id,
    'x-rhapsode-sample-rate': String(rate),
    'x-rhapsode-voice-digest': utterance.voiceDigest,
  };
}

/** Samples of the whole, and bytes of the whole sequence; undefined while, or where, they are not known. */
async function lengthOf(
  wanted: Wanted,
  utterance: Utterance,
  { store }: Pick<ListenDeps, 'store'>,
): Promise<{ samples: number | undefined; length: number | undefined }> {
  const { id, format, from = start } = wanted;
  const samples = isStart(from) ? await totalSamples(store, id) : undefined;
  if (samples === undefined) return { samples, length: undefined };
  const rate = rateOf(wanted, utterance);
  const encoded = samplesAtRate(samples, utterance.sampleRateHz, rate);
  return { samples, length: encodedBytes(format, rate, encoded) };
}

const isStart = (at: Position) => at.segment === 0 && at.sample === 0;

interface Begin {
  /** Where to listen from. */
  readonly from: Position;
  /** Samples of the sentences before that one. */
  readonly samplesBefore: number;
  readonly header: boolean;
  /** Encoded bytes that were asked for by nobody. */
  readonly drop: number;
}

/** How to begin, so that byte `offset` of the sequence comes first. */
async function beginAt(
  utterance: Utterance,
  request: AudioRequest,
  offset: number,
  { store }: ListenDeps,
): Promise<Begin> {
  const { format, from = start } = request;
  const { fixedRate } = formatFacts(format);
  // Only encoding from the start tells which byte belongs to which sample.
  if (!fixedRate || offset < fixedRate.headerBytes || offset === 0)
    return { from, samplesBefore: 0, header: true, drop: offset };
  const bytes = offset - fixedRate.headerBytes;
  if (!isStart(from)) return { from, samplesBefore: 0, header: false, drop: bytes };
  const rate = rateOf(request, utterance);
  const { position, before, skip } = await locate(store, utterance, Math.floor(bytes / 2), rate);
  return { from: position, samplesBefore: before, header: false, drop: skip * 2 + (bytes % 2) };
}

/**
 * The bytes of what is heard. The header waits for the first audio. What is asked for again has been taken: that is credit.
 * What is dropped was heard before: a voice that does not repeat itself must not have made it again.
 */
async function* encode(
  listening: Listening,
  { format, sampleRateHz: wantedRateHz }: AudioRequest,
  { samplesBefore, header, drop: heardBefore }: Begin,
  samples: number | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { deterministic, sampleRateHz } = listening.utterance;
  let given = 0;
  let encoder: AudioEncoder | undefined;
  try {
    encoder = await createEncoder(format, { sampleRateHz, wantedRateHz, samplesBefore });
    let before = header ? encoder.header(samples) : new Uint8Array(0);
    let turnMs = performance.now();
    for await (const piece of listening.pieces) {
      const isSound = isAudio(piece);
      if (!isSound) listening.consumed(piece.segment + 1);
      else if (!deterministic && given < heardBefore && piece.generation > 0)
        throw new RhapsodeError('audio_lost', {
          message: `segment ${piece.position.segment} was made again and is not what was heard; begin anew`,
          segment: piece.position.segment,
        });
      const bytes = await (isSound ? encoder.push(pcmSamples(piece.pcm)) : encoder.endSentence());
      // An encoder that only holds samples back has made no audio yet.
      if (bytes.length > 0) {
        given += before.length + bytes.length;
        yield before.length > 0 ? Buffer.concat([before, bytes]) : bytes;
        before = new Uint8Array(0);
      }
      // Bytes that are encoded again only to be dropped wait for no socket: others must have their turn.
      if (performance.now() - turnMs < longestTurnMs) continue;
      await setImmediate();
      turnMs = performance.now();
    }
    yield Buffer.concat([before, await encoder.finish()]);
  } finally {
    await Promise.all([listening.close(), encoder?.close()]);
  }
}

interface Cut {
  /** Bytes to leave out at the beginning. */
  readonly drop: number;
  /** Everything behind this many bytes is left out. */
  readonly most: number | undefined;
  /** All of them were promised: an end before is an error. */
  readonly exact: boolean;
}

async function* cut(
  bytes: AsyncIterable<Uint8Array>,
  { drop, most, exact }: Cut,
): AsyncGenerator<Uint8Array, void, undefined> {
  let skipped = 0;
  let given = 0;
  for await (const piece of bytes) {
    const skip = Math.min(drop - skipped, piece.length);
    skipped += skip;
    const part = piece.subarray(skip, most === undefined ? undefined : skip + most - given);
    given += part.length;
    if (part.length > 0) yield part;
    if (given === most) return;
  }
  if (exact && given > 0)
    throw new RhapsodeError('audio_lost', { message: `the audio ended ${most! - given} bytes early` });
}

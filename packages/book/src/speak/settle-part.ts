import { createHash } from 'node:crypto';
import { samplesAtRate } from '@rhapsode/audio';
import { type ErrorCode, RhapsodeError } from '@rhapsode/contracts';
import { type ArtefactStore, readWhole } from '@rhapsode/store';
import { contentKey } from '../content-key.ts';
import { type BookPlace, settledKey } from '../layout.ts';
import { forEachOf } from '../limited.ts';
import { type BookRequest, partDigest, type WantedSentence } from '../plan/plan-files.ts';
import type { SentenceState } from '../render/port.ts';
import type { SegmentFacts } from '../segments/segment-store.ts';
import type { InFlight } from './in-flight.ts';
import { type SpeakDeps, type SpeechFailure, speakSentences } from './speak-sentences.ts';

/** What became of a sentence. */
export interface SettledSentence {
  readonly n: number;
  readonly spoken: string;
  /** Empty where there is no audio: nothing to say, or silence. */
  readonly key: string;
  readonly voice: number;
  readonly state: SentenceState;
  readonly reason?: ErrorCode;
  /** At the book's rate, as the pause is. */
  readonly samples: number;
  readonly pauseSamples: number;
  readonly peak: number;
  readonly attempt: number;
  readonly worker: string;
}

export interface SettledPart {
  readonly v: 1;
  /** Of what was wanted. */
  readonly wanted: string;
  /** Of what became of it: equal audio at equal places of equal text. */
  readonly digest: string;
  /** Sentences that failed were tried in this round; see `BookFacts.round`. */
  readonly round: number;
  readonly samples: number;
  readonly sentences: readonly SettledSentence[];
}

export interface SettleDeps extends SpeakDeps {
  readonly artefacts: ArtefactStore;
  readonly inFlight: InFlight;
}

export interface SettleRequest {
  readonly at: BookPlace;
  readonly request: BookRequest;
  readonly sentences: readonly WantedSentence[];
  readonly sampleRateHz: number;
  readonly round: number;
  readonly signal: AbortSignal;
  /** A sentence is there; `synthesized`: it was spoken for this. */
  readonly onSentence: (sentence: WantedSentence, synthesized: boolean) => void;
}

/** A sentence can't be spoken, and the book was to stop then. */
export class BookStopped extends Error {
  readonly sentence: number;
  readonly code: ErrorCode;
  readonly reason: string;
  constructor(sentence: number, { code, reason }: SpeechFailure) {
    super(`sentence ${sentence}: ${reason}`);
    this.sentence = sentence;
    this.code = code;
    this.reason = reason;
  }
}

const lookUpsAtOnce = 16;

/** Sees to it that every sentence of a part is in the segment store, or is declared not to be; tells what became of each. */
export async function settlePart(asked: SettleRequest, deps: SettleDeps): Promise<SettledPart> {
  const { at, request, sentences, sampleRateHz, round, signal, onSentence } = asked;
  const { settings, fallback, voices } = request;
  const wanted = partDigest(sentences, request, sampleRateHz);
  const name = settledKey(at, wanted);
  const known = await readSettled(deps.artefacts, name, wanted);
  if (known && (known.round >= round || known.sentences.every(({ state }) => state === 'spoken'))) {
    for (const sentence of sentences) onSentence(sentence, false);
    return known;
  }

  const facts = new Map<string, KnownSentence>();
  const told = new Set<string>();
  function tell(key: string, synthesized: boolean): void {
    if (told.has(key)) return;
    told.add(key);
    let first = synthesized;
    for (const sentence of sentences)
      if (sentence.key === key) {
        onSentence(sentence, first);
        first = false;
      }
  }
  const failures = await speakMissing(
    sentences.filter(({ key }) => key !== ''),
    asked,
    deps,
    { facts, name: `${at.id} ${at.home} ${wanted} ${round}`, tell },
  );
  tell('', false);
  const failed = sentences.filter(({ key }) => failures.has(key));
  if (failed.length > 0 && settings.on_error === 'stop') {
    const { n, key } = failed[0]!;
    throw new BookStopped(n, failures.get(key)!);
  }
  const others = new Map<string, WantedSentence>();
  if (settings.on_error === 'fallback' && fallback !== undefined) {
    for (const one of failed) {
      const key = contentKey(one.spoken, voices[fallback]!, one.seed);
      others.set(one.key, { ...one, voice: fallback, key });
    }
    const told = { facts, name: `${at.id} ${at.home} ${wanted} ${round} fallback`, tell: () => {} };
    await speakMissing([...others.values()], asked, deps, told);
  }
  for (const { key } of failed) tell(key, false);

  const settled = sentences.map((sentence): SettledSentence => {
    const { n, pauseSamples } = sentence;
    const of = (state: SentenceState, from: WantedSentence, reason?: ErrorCode): SettledSentence => {
      const audio = facts.get(from.key);
      const { peak = 0, attempt = 0, worker = '' } = audio ?? {};
      const samples = audio ? samplesAtRate(audio.samples, audio.sampleRateHz, sampleRateHz) : 0;
      const { spoken, key, voice } = from;
      const why = reason === undefined ? {} : { reason };
      return { n, spoken, key, voice, state, ...why, samples, pauseSamples, peak, attempt, worker };
    };
    const failure = failures.get(sentence.key);
    if (!failure) return of('spoken', sentence);
    const other = others.get(sentence.key);
    if (other && facts.has(other.key)) return of('fallback', other, failure.code);
    const samples = Math.round((sentence.estimatedMs * sampleRateHz) / 1000);
    return { ...of('silence', { ...sentence, key: '' }, failure.code), samples, attempt: failure.attempt };
  });
  const digest = createHash('sha256').update(wanted);
  for (const { key, state, samples, pauseSamples } of settled)
    digest.update(JSON.stringify([key, state, samples, pauseSamples, facts.get(key)?.pcmSha256 ?? '']));
  const part: SettledPart = {
    v: 1,
    wanted,
    digest: digest.digest('hex'),
    round,
    samples: settled.reduce((sum, { samples, pauseSamples }) => sum + samples + pauseSamples, 0),
    sentences: settled,
  };
  signal.throwIfAborted();
  await deps.artefacts.put(name, Buffer.from(JSON.stringify(part)), { durable: false });
  return part;
}

/** What was settled before; nothing if it is damaged. */
export async function readSettled(
  artefacts: ArtefactStore,
  name: string,
  wanted: string,
): Promise<SettledPart | undefined> {
  const bytes = await readWhole(artefacts, name);
  try {
    const part = bytes && (JSON.parse(bytes.toString()) as SettledPart);
    return part?.v === 1 && part.wanted === wanted ? part : undefined;
  } catch {
    return undefined;
  }
}

/** The marks of its words are most of what is known of a sentence, and nobody here needs them. */
type KnownSentence = Omit<SegmentFacts, 'marks' | 'marksFrom'>;
const withoutMarks = ({ marks: _, marksFrom: __, ...known }: SegmentFacts): KnownSentence => known;

interface Missing {
  readonly facts: Map<string, KnownSentence>;
  readonly name: string;
  readonly tell: (key: string, synthesized: boolean) => void;
}

/** Looks up what is there, has the rest spoken, waits for what others in this process are having spoken. */
async function speakMissing(
  sentences: readonly WantedSentence[],
  { at: { tenant }, request, signal }: SettleRequest,
  deps: SettleDeps,
  { facts, name, tell }: Missing,
): Promise<Map<string, SpeechFailure>> {
  const byKey = new Map(sentences.map((sentence) => [sentence.key, sentence]));
  const failures = new Map<string, SpeechFailure>();
  for (;;) {
    signal.throwIfAborted();
    const open = [...byKey.keys()].filter((key) => !facts.has(key) && !failures.has(key));
    await forEachOf(open, lookUpsAtOnce, async (key) => {
      const found = await deps.segments.facts(tenant, key);
      if (!found) return;
      facts.set(key, withoutMarks(found));
      tell(key, false);
    });
    const missing = open.filter((key) => !facts.has(key));
    if (missing.length === 0) return failures;

    const mine = new Map<string, (made: SpeechFailure | undefined) => void>();
    for (const key of missing) {
      const made = deps.inFlight.take(tenant, key);
      if (made) mine.set(key, made);
    }
    try {
      const failed = await speakSentences(
        {
          tenant,
          name: `${tenant} ${name}`,
          sentences: [...mine.keys()].map((key) => byKey.get(key)!),
          voices: request.voices,
          signal,
          onSpoken(key, made) {
            facts.set(key, withoutMarks(made));
            mine.get(key)?.(undefined);
            tell(key, true);
          },
        },
        deps,
      );
      for (const [key, failure] of failed) {
        failures.set(key, failure);
        mine.get(key)?.(failure);
      }
    } finally {
      for (const made of mine.values()) made(undefined);
    }
    for (const key of missing) {
      if (mine.has(key)) continue;
      const failure = await deps.inFlight.wait(tenant, key);
      if (failure) failures.set(key, failure);
    }
  }
}

/** Whoever reads the audio found a sentence gone: it was there when its part was settled. */
export class SentenceGone extends RhapsodeError {
  readonly settled: string;
  constructor(settled: string, n: number) {
    super('audio_lost', { message: `the audio of sentence ${n} is gone and has to be made again` });
    this.settled = settled;
  }
}

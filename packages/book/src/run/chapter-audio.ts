import { createHash } from 'node:crypto';
import { samplesAtRate } from '@rhapsode/audio';
import type { Mark } from '@rhapsode/contracts';
import type { ArtefactStore } from '@rhapsode/store';
import { type BookPlace, settledKey } from '../layout.ts';
import { type BookRequest, type PlannedChapter, readPart } from '../plan/plan-files.ts';
import type { ChapterAudio, RenderedSentence } from '../render/port.ts';
import { marksAtRate, pcmAtRate } from '../segments/at-rate.ts';
import type { SegmentFacts, SegmentStore } from '../segments/segment-store.ts';
import { readSettled, SentenceGone, type SettledPart, type SettledSentence } from '../speak/settle-part.ts';

/** What is kept in memory of a settled part: its sentences are read again when they are needed. */
export interface PartSummary {
  readonly wanted: string;
  readonly digest: string;
  /** Of the sound alone, wherever in the book it is. */
  readonly audioDigest: string;
  readonly samples: number;
  readonly counts: { readonly spoken: number; readonly silence: number; readonly fallback: number };
}

export function summaryOf({ wanted, digest, samples, sentences }: SettledPart): PartSummary {
  const count = (wanted: string) => sentences.filter(({ state }) => state === wanted).length;
  const counts = { spoken: count('spoken'), silence: count('silence'), fallback: count('fallback') };
  const sound = sentences.map(({ key, samples, pauseSamples }) => [key, samples, pauseSamples]);
  const audioDigest = createHash('sha256').update(JSON.stringify(sound)).digest('hex');
  return { wanted, digest, audioDigest, samples, counts };
}

export interface ChapterSource {
  readonly at: BookPlace;
  readonly folder: string;
  readonly request: BookRequest;
  /** The book's; sentences are kept at their voice's. */
  readonly sampleRateHz: number;
  readonly artefacts: ArtefactStore;
  readonly segments: SegmentStore;
}

/** Shared by all pauses: whoever reads them must not write into them. */
const zeros = new Uint8Array(65_536);

/** A chapter whose parts are settled, read from the stores as it is needed. */
export function createChapterAudio(
  chapter: PlannedChapter,
  parts: readonly PartSummary[],
  source: ChapterSource,
): ChapterAudio {
  const { at, folder, request, sampleRateHz, artefacts, segments } = source;
  const { tenant } = at;
  const digest = createHash('sha256').update(chapter.title);
  const audioDigest = createHash('sha256');
  for (const part of parts) {
    digest.update(part.digest);
    audioDigest.update(part.audioDigest);
  }

  async function settled(part: number): Promise<SettledPart> {
    const { wanted } = parts[part]!;
    const found = await readSettled(artefacts, settledKey(at, wanted), wanted);
    if (!found) throw new SentenceGone(wanted, chapter.firstSentence);
    return found;
  }

  const lengthOf = (facts: SegmentFacts) => samplesAtRate(facts.samples, facts.sampleRateHz, sampleRateHz);

  /** Marks are kept with the audio, not with what became of the sentence. */
  async function marksOf(part: SettledPart, { n, key, samples }: SettledSentence): Promise<readonly Mark[]> {
    if (key === '') return [];
    const facts = await segments.facts(tenant, key);
    if (!facts || lengthOf(facts) !== samples) throw new SentenceGone(part.wanted, n);
    return marksAtRate(facts.marks, facts.sampleRateHz, sampleRateHz);
  }

  async function* sentences(
    signal?: AbortSignal,
    wanted = { marks: true },
  ): AsyncGenerator<RenderedSentence> {
    let startSample = 0;
    for (const number of parts.keys()) {
      signal?.throwIfAborted();
      const planned = await readPart(artefacts, folder, chapter.index, number);
      const part = await settled(number);
      for (const [index, one] of part.sentences.entries()) {
        const { n, spoken, key, voice, state, reason, samples, pauseSamples, peak, attempt, worker } = one;
        const { start, end, source: written } = planned[index]!;
        const marks = wanted.marks ? await marksOf(part, one) : [];
        const choice = request.voices[voice]!;
        yield {
          ...{ n, start, end, source: written, spoken, key },
          voice: choice.voice,
          voiceDigest: choice.digest,
          state,
          ...(reason === undefined ? {} : { reason }),
          ...{ startSample, samples, pauseSamples, peak, marks, attempt, worker },
        };
        startSample += samples + pauseSamples;
      }
    }
  }

  async function* pcm(signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    for (const index of parts.keys()) {
      const part = await settled(index);
      for (const { n, key, samples, pauseSamples } of part.sentences) {
        signal?.throwIfAborted();
        if (key === '') yield* silence(samples);
        else {
          const audio = await segments.audio(tenant, key);
          if (!audio || lengthOf(audio.facts) !== samples) throw new SentenceGone(part.wanted, n);
          yield* pcmAtRate(audio.pcm, audio.facts.sampleRateHz, sampleRateHz);
        }
        yield* silence(pauseSamples);
      }
    }
  }

  return {
    index: chapter.index,
    title: chapter.title,
    audioDigest: audioDigest.digest('hex'),
    digest: digest.digest('hex'),
    sampleRateHz,
    samples: parts.reduce((sum, { samples }) => sum + samples, 0),
    sentenceCount: chapter.sentences,
    sentences,
    pcm,
  };
}

function* silence(samples: number): Generator<Uint8Array> {
  for (let left = samples * 2; left > 0; left -= zeros.length)
    yield zeros.subarray(0, Math.min(left, zeros.length));
}

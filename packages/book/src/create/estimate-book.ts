import { RhapsodeError } from '@rhapsode/contracts';
import { forEachOf } from '../limited.ts';
import type { PlanSupervision } from '../plan/plan-elsewhere.ts';
import { type BookPlan, type BookRequest, requestVersion, wantedOf } from '../plan/plan-files.ts';
import type { BookSettings } from '../request.ts';
import type { SegmentStore } from '../segments/segment-store.ts';
import type { ChosenVoices } from './choose-voices.ts';
import { createKeySet } from './key-set.ts';
import { lookAtPlan, type Manuscript, type PlanLimits } from './plan-book.ts';

/** What a book would be, and what of it would have to be spoken. */
export interface BookEstimate {
  readonly object: 'book.estimate';
  readonly title: string | null;
  readonly chapters: readonly {
    readonly title: string;
    readonly sentences: number;
    readonly characters: number;
    readonly estimated_audio_seconds: number;
  }[];
  readonly sentences: number;
  readonly characters: number;
  readonly estimated_audio_seconds: number;
  /** Sentences whose audio is there already, or which are repeated within the book. */
  readonly cache_hits: number;
  /** What has to be made: sentences, characters that a voice is given, seconds of audio. */
  readonly cost: {
    readonly sentences: number;
    readonly characters: number;
    readonly estimated_audio_seconds: number;
  };
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
}

const lookUpsAtOnce = 16;

export async function estimateBook(
  {
    tenant,
    settings,
    manuscript,
    chosen,
  }: { tenant: string; settings: BookSettings; manuscript: Manuscript; chosen: ChosenVoices },
  {
    segments,
    limits,
    supervision,
    signal,
  }: {
    segments: SegmentStore;
    limits: PlanLimits;
    supervision?: PlanSupervision;
    signal?: AbortSignal | undefined;
  },
): Promise<BookEstimate> {
  const request: BookRequest = { v: requestVersion, settings, voices: chosen.voices };
  const seen = createKeySet();
  let plan: BookPlan | undefined;
  let hits = 0;
  const cost = { sentences: 0, characters: 0, estimatedMs: 0 };
  const look = { limits, signal, ...(supervision ? { supervision } : {}) };
  for await (const part of lookAtPlan(manuscript, settings, chosen, look)) {
    if ('plan' in part) {
      plan = part.plan;
      continue;
    }
    const wanted = part.sentences
      .map((sentence) => wantedOf(sentence, request))
      .filter(({ key }) => key !== '');
    await forEachOf(wanted, lookUpsAtOnce, async ({ key, spoken, estimatedMs }) => {
      if (!seen.add(key) || (await segments.facts(tenant, key)) !== undefined) {
        hits += 1;
        return;
      }
      cost.sentences += 1;
      cost.characters += spoken.length;
      cost.estimatedMs += estimatedMs;
    });
  }
  if (!plan) throw new RhapsodeError('internal_error');
  return {
    object: 'book.estimate',
    title: settings.metadata.title ?? plan.title ?? null,
    chapters: plan.chapters.map(({ title, sentences, characters, estimatedMs }) => ({
      title,
      sentences,
      characters,
      estimated_audio_seconds: estimatedMs / 1000,
    })),
    sentences: plan.sentences,
    characters: plan.characters,
    estimated_audio_seconds: plan.estimatedMs / 1000,
    cache_hits: hits,
    cost: {
      sentences: cost.sentences,
      characters: cost.characters,
      estimated_audio_seconds: cost.estimatedMs / 1000,
    },
    warnings: plan.warnings,
  };
}

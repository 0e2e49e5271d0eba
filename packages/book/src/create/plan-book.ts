import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { RhapsodeError } from '@rhapsode/contracts';
import type { ArtefactStore } from '@rhapsode/store';
import { rulesOfFields } from '@rhapsode/text';
import { type BookPlace, partKey, planFolder } from '../layout.ts';
import { markLeftover, unmarkLeftover } from '../leftovers.ts';
import { type PlanSupervision, planElsewhere } from '../plan/plan-elsewhere.ts';
import {
  type BookPlan,
  type BookRequest,
  type PlannedSentence,
  partSentences,
  requestVersion,
} from '../plan/plan-files.ts';
import type { PlanTask } from '../plan/plan-task.ts';
import type { BookSettings } from '../request.ts';
import { type ChosenVoices, localeOf } from './choose-voices.ts';

export interface Cover {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** What is to become a book: its text lies in a file, since it may be long. */
export interface Manuscript {
  readonly path: string;
  /** What it is called, for a book that does not say its title: its file's name, without the ending. */
  readonly name?: string | undefined;
  readonly cover?: Cover | undefined;
}

export interface PlanLimits {
  readonly maxCharacters: number;
  /** Bytes of the manuscript's file. */
  readonly maxBytes: number;
}

export const newName = (): string => randomBytes(12).toString('hex');

export async function digestFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest('hex');
}

/** Two requests with the same digest ask for the same book. */
export function requestDigest(settings: BookSettings, manuscript: string, cover: Cover | undefined): string {
  const picture = cover ? createHash('sha256').update(cover.mediaType).update(cover.bytes).digest('hex') : '';
  return createHash('sha256')
    .update(JSON.stringify([sorted(settings), manuscript, picture]))
    .digest('hex');
}

/** The same whatever the order in which the fields were written. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .filter(([, one]) => one !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, one]) => [name, sorted(one)]);
}

const taskOf = (
  { path }: Manuscript,
  settings: BookSettings,
  { voices, main, sampleRateHz, chapterVoices, speakerVoices, phonemes }: ChosenVoices,
  { maxCharacters, maxBytes }: PlanLimits,
): PlanTask => {
  const { type, normalise, inline, notes, pauses, lexicon } = settings;
  const locale = localeOf(settings, main);
  const given = Object.entries(pauses).filter(([, ms]) => ms !== undefined);
  return {
    path,
    ...(type === undefined ? {} : { type }),
    ...(locale === undefined ? {} : { locale }),
    ...(normalise === undefined ? {} : { normalise }),
    inline,
    notes,
    phonemes,
    pauses: Object.fromEntries(given),
    lexicon: rulesOfFields(lexicon),
    limits: { bytes: maxBytes },
    maxCharacters,
    sampleRateHz,
    partSentences,
    chapterVoices,
    speakerVoices,
    speeds: voices.map(({ speed }) => speed),
  };
};

export interface PlanDeps {
  readonly artefacts: ArtefactStore;
  readonly limits: PlanLimits;
  readonly supervision?: PlanSupervision;
  readonly signal?: AbortSignal | undefined;
}

/** Only looks: what the plan would be, part by part. */
export async function* lookAtPlan(
  manuscript: Manuscript,
  settings: BookSettings,
  chosen: ChosenVoices,
  { limits, supervision, signal }: Omit<PlanDeps, 'artefacts'>,
): AsyncGenerator<{ sentences: PlannedSentence[] } | { plan: BookPlan }> {
  const task = taskOf(manuscript, settings, chosen, limits);
  for await (const line of planElsewhere(task, supervision, signal))
    if (line.type === 'part')
      yield {
        sentences: line.lines
          .split('\n')
          .filter((one) => one !== '')
          .map((one) => JSON.parse(one) as PlannedSentence),
      };
    else if (line.type === 'end') yield { plan: finished(line.plan, manuscript, settings) };
}

/** Settings of a chapter that is not there are those of another one, or of another book. */
function finished(plan: BookPlan, { name = '' }: Manuscript, { chapters }: BookSettings): BookPlan {
  const missing = Object.keys(chapters).find((number) => Number(number) > plan.chapters.length);
  if (missing !== undefined)
    throw new RhapsodeError('invalid_request', {
      message: `there is no chapter ${missing}; the book has ${plan.chapters.length}`,
      param: `chapters.${missing}`,
    });
  return plan.title?.trim() || name.trim() === '' ? plan : { ...plan, title: name.trim() };
}

export interface StoredPlan {
  /** Names its folder. */
  readonly name: string;
  readonly plan: BookPlan;
}

/** What can't be removed now is removed by a sweep. */
export async function dropPlan(artefacts: ArtefactStore, at: BookPlace, plan: string): Promise<void> {
  try {
    await artefacts.deleteAll(planFolder(at, plan));
    await unmarkLeftover(artefacts, at, plan);
  } catch {
    // Its mark stays.
  }
}

/** Plans a manuscript and stores the plan with all that it was made of; when this resolves, all of it is durable. It is marked as left over until somebody takes the mark away. */
export async function storePlan(
  manuscript: Manuscript,
  settings: BookSettings,
  chosen: ChosenVoices,
  at: BookPlace,
  { artefacts, limits, supervision, signal }: PlanDeps,
): Promise<StoredPlan> {
  const name = newName();
  const folder = planFolder(at, name);
  const options = signal ? { signal } : {};
  const { cover } = manuscript;
  await markLeftover(artefacts, at, name);
  try {
    await artefacts.put(`${folder}manuscript`, createReadStream(manuscript.path), options);
    let plan: BookPlan | undefined;
    for await (const line of planElsewhere(taskOf(manuscript, settings, chosen, limits), supervision, signal))
      if (line.type === 'part')
        await artefacts.put(partKey(folder, line.chapter, line.part), Buffer.from(line.lines), options);
      else if (line.type === 'end') plan = finished(line.plan, manuscript, settings);
      else if (!cover) await artefacts.put(`${folder}cover`, Buffer.from(line.base64, 'base64'), options);
    if (!plan) throw new RhapsodeError('internal_error');
    if (cover) {
      await artefacts.put(`${folder}cover`, cover.bytes, options);
      plan = { ...plan, cover: { mediaType: cover.mediaType } };
    }
    const { voices, fallback } = chosen;
    const request: BookRequest = {
      v: requestVersion,
      settings,
      voices,
      ...(fallback === undefined ? {} : { fallback }),
    };
    await artefacts.put(`${folder}request.json`, Buffer.from(JSON.stringify(request)), options);
    await artefacts.put(`${folder}plan.json`, Buffer.from(JSON.stringify(plan)), options);
    return { name, plan };
  } catch (error) {
    await dropPlan(artefacts, at, name);
    throw error;
  }
}

export const newHome = newName;

import { RhapsodeError } from '@rhapsode/contracts';
import { type BookLease, type BookRecord, type BookStore, readWhole } from '@rhapsode/store';
import { type BookFacts, type BookOutcome, bookFacts, progressOf, readJson } from '../book-facts.ts';
import { type BookPlace, filesFolder, partsFolder, planFolder, resultKey, settledKey } from '../layout.ts';
import {
  type BookPlan,
  type BookRequest,
  type KeptEdit,
  type PlannedChapter,
  readPart,
  readPlan,
  readRequest,
  wantedOf,
} from '../plan/plan-files.ts';
import type { BookAudio, ChapterAudio, RenderBook, RenderChapter } from '../render/port.ts';
import { type BookMetadata, bookMetadata, coverTypes } from '../render/settings.ts';
import { outputsOf, saidOf } from '../requested-outputs.ts';
import { BookStopped, SentenceGone, type SettleDeps, settlePart } from '../speak/settle-part.ts';
import { type ChapterSource, createChapterAudio, type PartSummary, summaryOf } from './chapter-audio.ts';
import { createProgress, type Progress } from './progress.ts';
import { renderFiles } from './render-files.ts';
import { createSpeakingRoom } from './speaking-room.ts';

export interface Render {
  readonly book: RenderBook;
  readonly chapter?: RenderChapter;
}

export interface RunDeps extends SettleDeps {
  readonly books: BookStore;
  readonly render: Render;
}

export interface BookRun {
  readonly progress: Progress;
  /** Works until the book is whole, or throws. */
  readonly ended: Promise<BookOutcome>;
}

const mostRepairs = 5;

/**
 * Makes a book: what of its sentences is not in the segment store is spoken, chapter by chapter and several at once, then its
 * files are made. Nothing is remembered but what is in the stores, so whoever runs it after a crash goes on where it stopped,
 * and gives the same bytes.
 */
export function runBook(lease: BookLease, record: BookRecord, deps: RunDeps, signal: AbortSignal): BookRun {
  const facts = readJson(bookFacts, record.facts);
  const synthesizedBefore = progressOf(record)?.synthesized ?? 0;
  const progress = createProgress(facts.characters, { synthesizedBefore });
  return { progress, ended: run(lease, record, facts, progress, deps, signal) };
}

async function run(
  { tenant, id }: BookLease,
  { edition }: BookRecord,
  facts: BookFacts,
  progress: Progress,
  deps: RunDeps,
  signal: AbortSignal,
): Promise<BookOutcome> {
  const startedMs = performance.now();
  const { artefacts } = deps;
  const at: BookPlace = { tenant, id, home: facts.home };
  const folder = planFolder(at, facts.plan);
  const [plan, request, edits] = await Promise.all([
    readPlan(artefacts, folder),
    readRequest(artefacts, folder),
    readEdits(deps, tenant, id),
  ]);
  const { sampleRateHz } = plan;
  const source: ChapterSource = {
    at,
    folder,
    request,
    sampleRateHz,
    artefacts,
    segments: deps.segments,
  };
  const metadata = await metadataOf(plan, request, source);
  const about = { id, metadata, outputs: outputsOf(request.settings.outputs) };
  const made = {
    outputs: renderFiles(artefacts, filesFolder(at)),
    parts: renderFiles(artefacts, partsFolder(at)),
    signal,
  };

  async function speak(chapter: PlannedChapter, part: number): Promise<PartSummary> {
    const planned = await readPart(artefacts, folder, chapter.index, part);
    const settled = await settlePart(
      {
        at,
        request,
        sentences: planned.map((sentence) => wantedOf(sentence, request, edits.get(sentence.n))),
        sampleRateHz,
        round: facts.round,
        signal,
        onSentence: (sentence, fresh) => progress.sentence(sentence, fresh),
      },
      deps,
    );
    progress.audio((settled.samples / sampleRateHz) * 1000);
    return summaryOf(settled);
  }

  const endedAs = (fields: Pick<BookOutcome, 'state' | 'sentences' | 'audioMs' | 'error'>): BookOutcome => ({
    ...fields,
    synthesized: progress.synthesized,
    elapsedMs: Math.round(performance.now() - startedMs),
    endedAtMs: Date.now(),
  });

  try {
    for (let repairs = 0; ; repairs++)
      try {
        const chapters = await speakAll(plan, request, deps, signal, speak, async (chapter, parts) => {
          progress.chapter();
          const audio = createChapterAudio(chapter, parts, source);
          await deps.render.chapter?.({ ...about, chapterCount: plan.chapters.length }, audio, made);
          return audio;
        });
        progress.rendering();
        const book: BookAudio = { ...about, chapters: chapters.map(({ audio }) => audio) };
        const rendered = await deps.render.book(book, { ...made, onProgress: progress.rendered });
        signal.throwIfAborted();
        const result = Buffer.from(JSON.stringify(rendered));
        await artefacts.put(resultKey(at, edition), result);
        const sentences = count(
          plan,
          chapters.flatMap(({ parts }) => parts),
        );
        return endedAs({
          state: sentences.silence + sentences.fallback === 0 ? 'succeeded' : 'partially_succeeded',
          sentences,
          audioMs: Math.round((rendered.samples / rendered.sampleRateHz) * 1000),
        });
      } catch (error) {
        // Its sentences were there when they were settled, and are not any more: they are made again.
        if (!(error instanceof SentenceGone) || repairs >= mostRepairs) throw error;
        await artefacts.delete(settledKey(at, error.settled));
      }
  } catch (error) {
    signal.throwIfAborted();
    const failure = failureOf(error);
    if (!failure) throw error;
    return endedAs({
      state: 'failed',
      sentences: { spoken: 0, silence: 0, fallback: 0 },
      audioMs: 0,
      error: failure,
    });
  }
}

/** Why the book can't be made, now or later; undefined if it is worth another try. */
function failureOf(error: unknown): BookOutcome['error'] {
  if (error instanceof BookStopped)
    return { code: error.code, message: error.reason, sentence: error.sentence };
  if (!(error instanceof RhapsodeError) || error.retryable) return undefined;
  return { code: error.code, message: error.message };
}

interface SpokenChapter {
  readonly audio: ChapterAudio;
  readonly parts: readonly PartSummary[];
}

/** Parts in their order, as many at once as the slots can use; a chapter is rendered when its last part is settled. */
async function speakAll(
  plan: BookPlan,
  request: BookRequest,
  deps: RunDeps,
  signal: AbortSignal,
  speak: (chapter: PlannedChapter, part: number) => Promise<PartSummary>,
  finish: (chapter: PlannedChapter, parts: readonly PartSummary[]) => Promise<ChapterAudio>,
): Promise<SpokenChapter[]> {
  const stop = new AbortController();
  const room = createSpeakingRoom(deps.store, request, AbortSignal.any([signal, stop.signal]));
  const spoken: Promise<SpokenChapter>[] = [];
  let failure: { error: unknown } | undefined;
  let rendering: Promise<unknown> = Promise.resolve();
  const fail = (error: unknown): never => {
    failure ??= { error };
    stop.abort(error);
    throw error;
  };
  try {
    for (const chapter of plan.chapters) {
      const parts: Promise<PartSummary>[] = [];
      for (const [part, sentences] of chapter.parts.entries()) {
        const leave = await room.enter(sentences);
        const settled = speak(chapter, part).finally(leave).catch(fail);
        settled.catch(() => {});
        parts.push(settled);
      }
      const whole = Promise.all(parts).then(async (summaries) => {
        // Encoding takes a core: one chapter at a time.
        const turn = rendering.then(() => finish(chapter, summaries));
        rendering = turn.catch(() => {});
        return { audio: await turn, parts: summaries };
      });
      const checked = whole.catch(fail);
      checked.catch(() => {});
      spoken.push(checked);
    }
    return await Promise.all(spoken);
  } catch (error) {
    await Promise.allSettled(spoken);
    throw failure?.error ?? error;
  }
}

/** Every sentence of the plan has an end, or the book has none. */
function count(plan: BookPlan, parts: readonly PartSummary[]): BookOutcome['sentences'] {
  const sum = { spoken: 0, silence: 0, fallback: 0 };
  for (const { counts } of parts)
    for (const state of ['spoken', 'silence', 'fallback'] as const) sum[state] += counts[state];
  if (sum.spoken + sum.silence + sum.fallback !== plan.sentences)
    throw new RhapsodeError('book_damaged', { message: 'not every sentence of the plan has been settled' });
  return sum;
}

async function readEdits({ books }: RunDeps, tenant: string, id: string): Promise<Map<number, KeptEdit>> {
  const edits = await books.edits(tenant, id);
  return new Map([...edits].map(([n, edit]) => [n, JSON.parse(edit) as KeptEdit]));
}

/** What the caller said of the book, and where nothing was said, what the manuscript says. */
async function metadataOf(
  plan: BookPlan,
  { settings, voices }: BookRequest,
  { artefacts, folder }: ChapterSource,
): Promise<BookMetadata> {
  const { title, authors, language } = plan;
  const said = bookMetadata.parse({
    ...(title === undefined || title.trim() === '' ? {} : { title: title.trim().slice(0, 1_000) }),
    ...(authors === undefined
      ? {}
      : {
          authors: authors
            .map((name) => name.trim().slice(0, 1_000))
            .filter((name) => name !== '')
            .slice(0, 50),
        }),
    ...(language === undefined || language === '' || language.length > 35 ? {} : { language }),
    ...(settings.metadata.narrator === undefined ? { narrator: voices[0]!.voice } : {}),
    ...saidOf(settings.metadata),
  });
  const type = coverTypes.find((one) => one === plan.cover?.mediaType);
  const cover = type && (await readWhole(artefacts, `${folder}cover`));
  return cover ? { ...said, cover: { mediaType: type, bytes: cover } } : said;
}

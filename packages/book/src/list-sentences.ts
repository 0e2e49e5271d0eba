import type { ArtefactStore, BookStore } from '@rhapsode/store';
import type { BookFacts } from './book-facts.ts';
import { type BookPlace, planFolder, settledKey } from './layout.ts';
import { locateSentence } from './locate-sentence.ts';
import { type KeptEdit, partDigest, readPart, readPlan, readRequest, wantedOf } from './plan/plan-files.ts';
import type { SentenceState } from './render/port.ts';
import { readSettled } from './speak/settle-part.ts';

export interface SentenceView {
  readonly n: number;
  readonly chapter: number;
  readonly start: number;
  readonly end: number;
  readonly source: string;
  readonly spoken: string;
  readonly voice: string;
  /** `pending`: not all of the part of the book that it belongs to is made. */
  readonly state: SentenceState | 'pending';
  /** Why it is not simply spoken. */
  readonly reason: string | null;
  readonly attempt: number | null;
  readonly audio_seconds: number | null;
  readonly pause_seconds: number;
  readonly edited: boolean;
}

/** Sentences of a book behind `after`, with what became of each; a page that is asked for a state may have to read far. */
export async function listSentences(
  at: BookPlace,
  facts: BookFacts,
  { after = -1, limit, state }: { after?: number; limit: number; state?: SentenceView['state'] },
  { artefacts, books }: { artefacts: ArtefactStore; books: Pick<BookStore, 'edits'> },
): Promise<SentenceView[]> {
  const folder = planFolder(at, facts.plan);
  const [plan, request, kept] = await Promise.all([
    readPlan(artefacts, folder),
    readRequest(artefacts, folder),
    books.edits(at.tenant, at.id),
  ]);
  const edits = new Map([...kept].map(([n, edit]) => [n, JSON.parse(edit) as KeptEdit]));
  const found: SentenceView[] = [];
  const begin = locateSentence(plan, after + 1);
  if (!begin) return found;
  for (const chapter of plan.chapters.slice(begin.chapter))
    for (const part of chapter.parts.keys()) {
      if (chapter.index === begin.chapter && part < begin.part) continue;
      const sentences = (await readPart(artefacts, folder, chapter.index, part)).map((sentence) =>
        wantedOf(sentence, request, edits.get(sentence.n)),
      );
      const wanted = partDigest(sentences, request, plan.sampleRateHz);
      const settled = await readSettled(artefacts, settledKey(at, wanted), wanted);
      for (const [index, sentence] of sentences.entries()) {
        const { n, start, end, source, spoken, pauseSamples } = sentence;
        const known = settled?.sentences[index];
        const now = known?.state ?? 'pending';
        if (n <= after || (state !== undefined && now !== state)) continue;
        found.push({
          ...{ n, chapter: chapter.index + 1, start, end, source, spoken },
          voice: request.voices[known?.voice ?? sentence.voice]!.voice,
          state: now,
          reason: known?.reason ?? null,
          attempt: known?.attempt ?? null,
          audio_seconds: known ? known.samples / plan.sampleRateHz : null,
          pause_seconds: pauseSamples / plan.sampleRateHz,
          edited: edits.has(n),
        });
        if (found.length === limit) return found;
      }
    }
  return found;
}

import { RhapsodeError } from '@rhapsode/contracts';
import { createLexicon, documentLimits, type PlanEvent, planDocument } from '@rhapsode/text';
import type { BookPlan, PlannedChapter, PlannedSentence } from './plan-files.ts';
import type { PlanLine, PlanTask } from './plan-task.ts';
import { createSpeakers } from './speakers.ts';

const mostWarnings = 100;
const mostChapters = 10_000;

/** A manuscript as parts of a plan, in order. Memory holds one part, and a line for each chapter. */
export async function* planManuscript(task: PlanTask): AsyncGenerator<PlanLine> {
  const warnings: { code: string; message: string }[] = [];
  const warn = (warning: { code: string; message: string }) => {
    if (warnings.length < mostWarnings) warnings.push(warning);
  };
  const chapters: PlannedChapter[] = [];
  let about: Pick<BookPlan, 'title' | 'authors' | 'language' | 'cover'> = {};
  let chapter: { -readonly [K in keyof PlannedChapter]: PlannedChapter[K] } & { parts: number[] } =
    newChapter('', 0);
  let held: string[] = [];
  let sentences = 0;
  let characters = 0;
  let estimatedMs = 0;
  let speaks = false;
  const speakers = createSpeakers(task.speakerVoices);

  function newChapter(title: string, firstSentence: number) {
    return {
      index: 0,
      title,
      firstSentence,
      sentences: 0,
      characters: 0,
      estimatedMs: 0,
      parts: [] as number[],
    };
  }
  function* endPart(): Generator<PlanLine> {
    if (held.length === 0) return;
    const { index, parts } = chapter;
    yield { type: 'part', chapter: index, part: parts.length, lines: `${held.join('\n')}\n` };
    parts.push(held.length);
    held = [];
  }
  function* endChapter(): Generator<PlanLine> {
    yield* endPart();
    if (chapter.sentences === 0) return;
    chapters.push(chapter);
    if (chapters.length > mostChapters)
      throw new RhapsodeError('text_too_long', { message: `a book has at most ${mostChapters} chapters` });
  }

  const { locale, normalise, type } = task;
  const events: AsyncIterable<PlanEvent> = planDocument(
    { path: task.path, ...(type === undefined ? {} : { type }) },
    {
      firstSegment: 'full',
      notes: task.notes,
      inline: task.inline,
      pauses: task.pauses,
      lexicons: task.lexicon.length > 0 ? [createLexicon(task.lexicon)] : [],
      can: { phonemes: task.phonemes },
      warn,
      limits: { ...documentLimits, ...task.limits },
      ...(locale === undefined ? {} : { locale }),
      ...(normalise === undefined ? {} : { normalise }),
    },
  );
  for await (const event of events) {
    if (event.type === 'warning') warn(event.warning);
    else if (event.type === 'info') {
      const { title, authors, language, cover } = event.info;
      about = {
        ...about,
        ...(title === undefined ? {} : { title }),
        ...(authors === undefined ? {} : { authors }),
        ...(language === undefined ? {} : { language }),
        ...(cover === undefined ? {} : { cover: { mediaType: cover.mediaType } }),
      };
      if (cover)
        yield {
          type: 'cover',
          mediaType: cover.mediaType,
          base64: Buffer.from(cover.bytes).toString('base64'),
        };
    } else if (event.type === 'chapter') {
      yield* endChapter();
      chapter = newChapter(event.title, sentences);
      chapter.index = chapters.length;
      speakers.paragraph();
    } else {
      const { segment } = event;
      const said = speakers.read(segment);
      const voice = said.voice ?? task.chapterVoices[String(chapter.index + 1)] ?? 0;
      const line: PlannedSentence = {
        n: sentences,
        start: segment.start,
        end: segment.end,
        source: segment.source,
        spoken: said.spoken,
        pauseSamples: Math.round((segment.pauseMs * task.sampleRateHz) / 1000),
        estimatedMs: said.spoken === '' ? 0 : Math.round(segment.estimatedMs / task.speeds[voice]!),
        voice,
      };
      held.push(JSON.stringify(line));
      speaks ||= line.spoken !== '';
      sentences += 1;
      chapter.sentences += 1;
      chapter.characters += segment.end - segment.start;
      characters += segment.end - segment.start;
      const lengthMs = line.estimatedMs + segment.pauseMs;
      chapter.estimatedMs += lengthMs;
      estimatedMs += lengthMs;
      if (characters > task.maxCharacters)
        throw new RhapsodeError('text_too_long', {
          message: `the book is longer than ${task.maxCharacters} characters`,
        });
      if (held.length >= task.partSentences) yield* endPart();
    }
  }
  yield* endChapter();
  if (!speaks) throw new RhapsodeError('text_empty', { message: 'the manuscript has nothing to speak' });
  const { sampleRateHz } = task;
  yield {
    type: 'end',
    plan: { v: 1, ...about, sampleRateHz, chapters, sentences, characters, estimatedMs, warnings },
  };
}

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BlockKind, BookInfo, DocumentPart, PlanWarning, ReadOptions } from './documents/document.ts';
import { type DocumentSource, readDocument } from './documents/read-document.ts';
import { defaultPauses } from './pauses.ts';
import type { PlannedSegment, PlanOptions, SegmentEnd } from './plan.ts';
import { createPlanner, type Planner } from './planner.ts';

export type PlanEvent =
  | { readonly type: 'info'; readonly info: BookInfo }
  | { readonly type: 'chapter'; readonly title: string }
  | { readonly type: 'segment'; readonly segment: PlannedSegment }
  | { readonly type: 'warning'; readonly warning: PlanWarning };

export interface DocumentPlanOptions extends PlanOptions, ReadOptions {}

const endOf: Readonly<Record<Exclude<BlockKind, 'text'>, SegmentEnd>> = {
  heading: 'heading',
  paragraph: 'paragraph',
  item: 'item',
  quote: 'quote',
  verse: 'line',
  scene: 'scene',
  silent: 'paragraph',
};

/** Longest that the event loop is held. */
const turnMs = 8;

/**
 * Chapters and segments of a document, as they are read. Offsets count through the document's text: the text itself for
 * plain text and Markdown, what the blocks say for HTML, EPUB, Word and PDF. Memory does not grow with a text's length, and
 * the event loop is never held for long.
 */
export async function* planDocument(
  source: DocumentSource,
  options: DocumentPlanOptions = {},
): AsyncGenerator<PlanEvent> {
  yield* politely(plan(readDocument(source, options), options), options.signal);
}

async function* plan(
  parts: AsyncIterable<DocumentPart>,
  options: DocumentPlanOptions,
): AsyncGenerator<PlanEvent> {
  const pauses = { ...defaultPauses, ...options.pauses };
  let offset = 0;
  let locale = options.locale;
  let running: { planner: Planner; base: number } | undefined;
  let first = options.firstSegment ?? 'full';
  /** Held back until it is known whether its chapter goes on. */
  let held: PlannedSegment | undefined;

  const start = () =>
    createPlanner({ ...options, ...(locale === undefined ? {} : { locale }), firstSegment: first });
  const ending = (segment: PlannedSegment, ends: SegmentEnd): PlannedSegment =>
    segment.ends === 'pause'
      ? segment
      : { ...segment, ends, pauseMs: ends === 'pause' ? segment.pauseMs : pauses[ends] };

  function* show(
    segments: readonly PlannedSegment[],
    base: number,
    ends: SegmentEnd | undefined,
  ): Generator<PlanEvent> {
    for (const segment of segments) {
      if (held) yield { type: 'segment', segment: held };
      if (segment.spoken !== '') first = 'full';
      const moved = { ...segment, start: segment.start + base, end: segment.end + base };
      held =
        segment.ends === 'end' && ends !== undefined
          ? ending(moved, segment.spoken === '' && ends !== 'paragraph' ? 'scene' : ends)
          : moved;
    }
  }
  function* release(ends: SegmentEnd): Generator<PlanEvent> {
    if (running) yield* show(running.planner.finish(), running.base, 'paragraph');
    running = undefined;
    if (held) yield { type: 'segment', segment: ending(held, ends) };
    held = undefined;
  }

  for await (const part of parts) {
    if (part.type === 'warning') yield part;
    else if (part.type === 'info') {
      locale ??= part.info.language;
      yield part;
    } else if (part.type === 'chapter') {
      yield* release('chapter');
      yield { type: 'chapter', title: part.title };
    } else if (part.block.kind === 'text') {
      running ??= { planner: start(), base: offset };
      yield* show(running.planner.feed(part.block.text), running.base, undefined);
      offset += part.block.text.length;
    } else {
      // What plain text told before it is said first.
      if (running) yield* show(running.planner.finish(), running.base, 'paragraph');
      running = undefined;
      const { kind, text } = part.block;
      const base = offset;
      offset += text.length;
      if (kind === 'scene') {
        yield* show([silentSegment(text)], base, 'scene');
        continue;
      }
      if (kind === 'silent') {
        // Nobody hears that it is there; what is before it has its pause already.
        yield* show([{ ...silentSegment(text), ends: 'paragraph' }], base, undefined);
        continue;
      }
      const lines = kind === 'verse' ? (text.match(/[^\n]*\n+|[^\n]+$/gu) ?? [text]) : [text];
      let at = base;
      for (const [n, line] of lines.entries()) {
        const planner = start();
        yield* show(planner.feed(line), at, undefined);
        yield* show(
          planner.finish(),
          at,
          n === lines.length - 1 && kind === 'verse' ? 'paragraph' : endOf[kind],
        );
        at += line.length;
      }
    }
  }
  yield* release('end');
}

const silentSegment = (source: string): PlannedSegment => ({
  start: 0,
  end: source.length,
  source,
  spoken: '',
  map: [],
  ends: 'end',
  pauseMs: 0,
  estimatedMs: 0,
});

async function* politely<T>(events: AsyncIterable<T>, signal: AbortSignal | undefined): AsyncGenerator<T> {
  let since = performance.now();
  for await (const event of events) {
    if (performance.now() - since > turnMs) {
      await nextTurn();
      signal?.throwIfAborted();
      since = performance.now();
    }
    yield event;
  }
}

import { setImmediate } from 'node:timers/promises';
import type { Segment, Utterance, VoiceInfo } from '@rhapsode/contracts';
import type { StoredPiece } from '@rhapsode/store';
import { createSegmentPlanner, type TextOptions } from './segment-planner.ts';
import { createSpokenLimit, type SpokenLimits } from './spoken-limit.ts';
import { hasWords } from './submit.ts';

export type Reading = TextOptions & { readonly voice: VoiceInfo };

/** Of pieces, too: a character that is cut in two counts in the first of them. */
export function countCharacters(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) if ((text.charCodeAt(at) & 0xfc00) !== 0xdc00) count += 1;
  return count;
}

export interface TextReaderOptions {
  readonly utterance: Utterance;
  readonly reading: Reading;
  /** Keep the source of sentences until it is forgotten. */
  readonly keepSource: boolean;
  readonly limits: SpokenLimits;
}

/** As of `submit`: others are answered in between. */
const sliceLength = 2_048;

/** Plans stored pieces as they are read: the same pieces, flushes and end give the same sentences, wherever that is done. */
export function createTextReader({ utterance, reading, keepSource, limits }: TextReaderOptions) {
  const planner = createSegmentPlanner({ ...reading, utterance });
  let length = 0;
  let characters = 0;
  let complete = false;
  let words = false;
  const spoken = createSpokenLimit(limits);
  let plannedTo = 0;
  let half = '';
  let source = '';
  let sourceAt = 0;

  function note(planned: readonly Segment[]): readonly Segment[] {
    plannedTo = planned.at(-1)?.end ?? plannedTo;
    spoken.add(planned);
    return planned;
  }

  return {
    /** UTF-16 code units. */
    get length() {
      return length;
    },
    /** Those of two code units are one. */
    get characters() {
      return characters;
    },
    get complete() {
      return complete;
    },
    get hasWords() {
      return words;
    },
    get segments() {
      return spoken.segments;
    },
    get plannedTo() {
      return plannedTo;
    },
    get warnings() {
      return planner.warnings;
    },
    /** The sentences that the piece completes. One that can't be read leaves nothing to go on with. */
    async *read({ text, flush, end }: StoredPiece): AsyncGenerator<readonly Segment[]> {
      for (let at = 0; at < text.length; at += sliceLength) {
        if (at > 0) await setImmediate();
        const slice = text.slice(at, at + sliceLength);
        words ||= hasWords(half + slice);
        half = /[\ud800-\udbff]$/.test(slice) ? slice.slice(-1) : '';
        if (keepSource) source += slice;
        yield note(planner.feed(slice));
      }
      length += text.length;
      characters += countCharacters(text);
      if (flush) yield note(planner.flush());
      if (!end) return;
      complete = true;
      yield note(await planner.finish());
    },
    source: (start: number, end: number): string | undefined =>
      start >= sourceAt && end <= sourceAt + source.length
        ? source.slice(start - sourceAt, end - sourceAt)
        : undefined,
    forgetSource(before: number) {
      const count = Math.min(Math.max(0, before - sourceAt), source.length);
      source = source.slice(count);
      sourceAt += count;
    },
  };
}

import type { ChapterAudio, RenderedSentence } from './port.ts';
import type { bookCaptionFormats } from './settings.ts';
import { roundedMs } from './timeline.ts';

export type CaptionFormat = (typeof bookCaptionFormats)[number];

/** A chapter and where it begins in the file that the captions are for. */
export interface CaptionedChapter {
  readonly chapter: ChapterAudio;
  readonly title: string;
  readonly startSample: number;
  /** With the closing silence. */
  readonly samples: number;
}

export const captionTypes: Readonly<Record<CaptionFormat, string>> = {
  srt: 'application/x-subrip',
  vtt: 'text/vtt',
  json: 'application/json',
};

export function captions(
  format: CaptionFormat,
  chapters: readonly CaptionedChapter[],
  signal?: AbortSignal,
): AsyncIterable<Uint8Array> {
  const lines = { srt: srtLines, vtt: vttLines, json: jsonLines }[format](chapters, signal);
  return inPieces(lines);
}

const two = (value: number) => String(value).padStart(2, '0');

function clock(ms: number, point: ',' | '.'): string {
  const seconds = Math.floor(ms / 1000);
  const hours = Math.floor(seconds / 3600);
  return `${two(hours)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}${point}${String(ms % 1000).padStart(3, '0')}`;
}

interface Cue {
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
}

/** One cue for each sentence that takes time and has words. */
async function* cues(chapters: readonly CaptionedChapter[], signal?: AbortSignal): AsyncIterable<Cue> {
  for (const { chapter, startSample } of chapters)
    for await (const sentence of chapter.sentences(signal, { marks: false })) {
      const text = plain(sentence);
      if (text === '' || sentence.samples === 0) continue;
      const at = startSample + sentence.startSample;
      const startMs = roundedMs(at, chapter.sampleRateHz);
      const endMs = Math.max(startMs + 1, roundedMs(at + sentence.samples, chapter.sampleRateHz));
      yield { startMs, endMs, text };
    }
}

/** A control character ends the text, or the file, for some players. */
const plain = ({ source }: RenderedSentence): string => source.replace(/[\s\p{Cc}]+/gu, ' ').trim();

async function* srtLines(chapters: readonly CaptionedChapter[], signal?: AbortSignal): AsyncIterable<string> {
  let number = 0;
  for await (const { startMs, endMs, text } of cues(chapters, signal)) {
    number += 1;
    // An arrow in the text would be read as a time by some.
    yield `${number}\n${clock(startMs, ',')} --> ${clock(endMs, ',')}\n${text.replaceAll('-->', '→')}\n\n`;
  }
}

async function* vttLines(chapters: readonly CaptionedChapter[], signal?: AbortSignal): AsyncIterable<string> {
  yield 'WEBVTT\n\n';
  for await (const { startMs, endMs, text } of cues(chapters, signal)) {
    const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
    yield `${clock(startMs, '.')} --> ${clock(endMs, '.')}\n${escaped}\n\n`;
  }
}

/**
 * Sentences and words, each with its samples and the same rounded to milliseconds. Sentences and their places in the text are
 * counted through the chapter, so that a word that was changed in one chapter changes no other chapter's file.
 */
async function* jsonLines(
  chapters: readonly CaptionedChapter[],
  signal?: AbortSignal,
): AsyncIterable<string> {
  const sampleRateHz = chapters[0]?.chapter.sampleRateHz ?? 0;
  const end = chapters.at(-1);
  const span = (startSample: number, samples: number) => ({
    startSample,
    samples,
    startMs: roundedMs(startSample, sampleRateHz),
    endMs: roundedMs(startSample + samples, sampleRateHz),
  });
  yield `{"version":1,"sampleRateHz":${sampleRateHz},"samples":${end ? end.startSample + end.samples : 0},"chapters":[`;
  for (const [index, { chapter, title, startSample, samples }] of chapters.entries()) {
    const facts = { index: chapter.index, title, ...span(startSample, samples) };
    yield `${index === 0 ? '' : ','}\n${JSON.stringify(facts).slice(0, -1)},"sentences":[`;
    let textStart: number | undefined;
    let n = 0;
    for await (const sentence of chapter.sentences(signal)) {
      textStart ??= sentence.start;
      const at = startSample + sentence.startSample;
      const words = sentence.marks
        .filter(({ kind }) => kind === 'word')
        .map((mark) => ({ text: mark.text, ...span(at + mark.firstSample, mark.samples) }));
      const { start, end: stop, source: text, spoken } = sentence;
      const place = { n, start: start - textStart, end: stop - textStart };
      yield `${n === 0 ? '' : ','}\n${JSON.stringify({ ...place, text, spoken, ...span(at, sentence.samples), words })}`;
      n += 1;
    }
    yield ']}';
  }
  yield ']}\n';
}

/** Lines are short and files long. */
export async function* inPieces(
  lines: AsyncIterable<string>,
  pieceLength = 65_536,
): AsyncIterable<Uint8Array> {
  let piece = '';
  for await (const line of lines) {
    piece += line;
    if (piece.length < pieceLength) continue;
    yield Buffer.from(piece);
    piece = '';
  }
  if (piece !== '') yield Buffer.from(piece);
}

import { pcmBytes, silence } from '@rhapsode/audio';
import { applyGain } from './gain.ts';
import type { ChapterAudio } from './port.ts';
import type { ChapterPlace } from './timeline.ts';

/** A chapter as it is heard: with the book's gain, and the silence that closes it. */
export async function* chapterPcm(
  chapter: ChapterAudio,
  place: ChapterPlace,
  gainDb: number,
  signal?: AbortSignal,
): AsyncIterable<Uint8Array> {
  let samples = 0;
  for await (const bytes of applyGain(chapter.pcm(signal), gainDb)) {
    signal?.throwIfAborted();
    samples += bytes.length / 2;
    yield bytes;
  }
  if (samples !== place.samples - place.closingSamples)
    throw new Error(`chapter ${chapter.index} has changed while it was rendered`);
  for (const zeros of silence(place.closingSamples)) yield pcmBytes(zeros);
}

import type { BookView, RenderProgress } from '@rhapsode/book';
import { seconds } from '../words.ts';

const stages: Readonly<Record<RenderProgress['stage'], string>> = {
  measure: 'measuring',
  encode: 'encoding',
  assemble: 'assembling',
};

/** How far a book is: chapters, audio, speed against real time, what is left. */
export function progressWords(
  { chapters, progress, eta_seconds: left }: BookView,
  rendering: RenderProgress | undefined,
  elapsedSeconds: number,
): string {
  const rest = left === null || left <= 0 ? '' : `, ${seconds(left)} left`;
  if (progress.stage === 'rendering') {
    const step = rendering
      ? `${stages[rendering.stage]} chapter ${rendering.chapter}/${rendering.chapters}`
      : 'making its files';
    return `sentences, ${step}${rest}`;
  }
  const { audio_seconds: audio } = progress;
  const speed =
    elapsedSeconds > 0.5 && audio > 0 ? `, ${(audio / elapsedSeconds).toFixed(1)} × real time` : '';
  return `sentences, speaking chapter ${Math.min(progress.chapters + 1, chapters)}/${chapters}, ${seconds(audio)} of audio${speed}${rest}`;
}

import { expect, it } from 'vitest';
import { createProgress } from '../src/run/progress.ts';

it('tells how long a book will take by what was spoken, and then by what was encoded', () => {
  let nowMs = 0;
  const progress = createProgress(1_000, { now: () => nowMs });
  for (let at = 0; at < 400; at += 100) {
    progress.sentence({ start: at, end: at + 100 }, true);
    nowMs += 2_500;
  }
  expect(progress.snapshot()).toMatchObject({ stage: 'speaking', charactersPerSecond: 40, etaSeconds: 15 });

  progress.rendering();
  expect(progress.snapshot()).toMatchObject({ stage: 'rendering' });
  expect(progress.snapshot()).not.toHaveProperty('etaSeconds');
  for (let chapter = 1; chapter <= 10; chapter++)
    progress.rendered({ stage: 'measure', chapter, chapters: 10 });
  nowMs += 6_000;
  progress.rendered({ stage: 'encode', chapter: 3, chapters: 10 });
  expect(progress.snapshot()).toMatchObject({ stage: 'rendering', etaSeconds: 14 });
  progress.rendered({ stage: 'encode', chapter: 10, chapters: 10 });
  expect(progress.snapshot()).toMatchObject({ etaSeconds: 0 });
});

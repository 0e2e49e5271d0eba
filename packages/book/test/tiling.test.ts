import { type Manifest, manifest, renderBook } from '@rhapsode/book';
import { renderFiles } from '@rhapsode/book/run/render-files';
import { tilingProblems } from '@rhapsode/book/verify';
import { readWhole } from '@rhapsode/store';
import { createMemoryArtefacts } from '@rhapsode/store/artefacts/memory';
import { beforeAll, describe, expect, it } from 'vitest';
import { singBook, songs } from './support/book.ts';

let good: Manifest;
beforeAll(async () => {
  const store = createMemoryArtefacts();
  const deps = { outputs: renderFiles(store, ''), parts: renderFiles(store, 'parts/') };
  await renderBook(singBook(songs(2, 3, 0.2), { outputs: { audio: ['wav'], captions: [] } }), deps);
  good = manifest.parse(JSON.parse((await readWhole(store, 'Ann Author/The Song/book.json'))!.toString()));
});

describe('a manifest', () => {
  it('tiles the text and the audio as it was written', () => {
    expect(tilingProblems(good)).toEqual([]);
  });

  const spoilt: readonly (readonly [string, (copy: Manifest) => void, RegExp])[] = [
    ['a sentence that is left out', ({ sentences }) => sentences.splice(2, 1), /sentence 2/],
    ['a sentence too many', ({ sentences }) => sentences.push(sentences.at(-1)!), /1 sentences too many/],
    [
      'a sample that is lost',
      ({ sentences }) => {
        sentences[1]!.samples -= 1;
      },
      /sentence 2 begins at sample/,
    ],
    [
      'a pause that is too long',
      ({ sentences }) => {
        sentences[5]!.pauseSamples += 1;
      },
      /chapter 1 ends/,
    ],
    [
      'text that is doubled',
      ({ sentences }) => {
        sentences[3]!.start -= 1;
      },
      /sentence 3 has the text/,
    ],
    [
      'a chapter in another place',
      ({ chapters }) => {
        chapters[1]!.startSample += 1024;
      },
      /chapter 1 begins/,
    ],
    [
      'a file of another length',
      ({ files }) => {
        files[0]!.samples! += 1;
      },
      /instead of/,
    ],
  ];
  it.each(spoilt)('does not with %s', (_, spoil, message) => {
    const copy = structuredClone(good);
    spoil(copy);
    expect(tilingProblems(copy).join('\n')).toMatch(message);
  });
});

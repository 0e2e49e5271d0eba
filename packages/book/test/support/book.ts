import { createHash } from 'node:crypto';
import { pcmBytes } from '@rhapsode/audio';
import type { BookAudio, ChapterAudio, RenderedSentence } from '@rhapsode/book';
import { bookMetadata, outputSettings } from '@rhapsode/book';

export interface SentenceSpec {
  readonly source: string;
  readonly samples: number;
  readonly pauseSamples: number;
  readonly worker?: string;
}

export interface ChapterSpec {
  readonly title: string;
  readonly sentences: readonly SentenceSpec[];
}

/** A voice of two gliding tones, whose pitch depends on what is said: any two places of a book sound differently. */
export function sing(words: string, samples: number, sampleRateHz: number): Int16Array {
  const seed = createHash('sha256').update(words).digest().readUInt16BE(0);
  const base = (2 * Math.PI * (180 + (seed % 400))) / sampleRateHz;
  return Int16Array.from({ length: samples }, (_, i) => {
    const fade = Math.min(1, i / 200, (samples - 1 - i) / 200);
    const glide = 1 + i / (4 * samples);
    return Math.round(fade * (5000 * Math.sin(base * glide * i) + 2500 * Math.sin(2.7 * base * glide * i)));
  });
}

export const digestOf = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex');

/** A book whose sentences are sung, as a runner would hand it over. */
export function singBook(
  chapters: readonly ChapterSpec[],
  options: {
    metadata?: Record<string, unknown>;
    outputs?: Record<string, unknown>;
    cover?: BookAudio['metadata']['cover'];
    sampleRateHz?: number;
  } = {},
): BookAudio {
  const { sampleRateHz = 22_050 } = options;
  let n = 0;
  let text = 0;
  return {
    id: 'book',
    metadata: {
      ...bookMetadata.parse({ title: 'The Song', authors: ['Ann Author'], ...options.metadata }),
      ...(options.cover ? { cover: options.cover } : {}),
    },
    outputs: outputSettings.parse(options.outputs ?? {}),
    chapters: chapters.map(({ title, sentences }, index): ChapterAudio => {
      let position = 0;
      const all = sentences.map(({ source, samples, pauseSamples, worker = 'w1' }): RenderedSentence => {
        const pcm = sing(source, samples, sampleRateHz);
        const sentence: RenderedSentence = {
          n: n++,
          start: text,
          end: text + source.length,
          source,
          spoken: source.trim(),
          key: digestOf([source, samples]),
          voice: 'singer',
          voiceDigest: 'd1',
          state: 'spoken',
          startSample: position,
          samples,
          pauseSamples,
          peak: pcm.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0),
          marks: [
            {
              kind: 'word',
              text: source.trim().split(' ')[0]!,
              firstSample: 0,
              samples: Math.floor(samples / 2),
            },
          ],
          attempt: 1,
          worker,
        };
        position += samples + pauseSamples;
        text += source.length;
        return sentence;
      });
      return {
        index,
        title,
        audioDigest: digestOf(all.map(({ key, samples, pauseSamples }) => [key, samples, pauseSamples])),
        digest: digestOf(all.map(({ worker: _, attempt: __, ...same }) => same)),
        sampleRateHz,
        samples: position,
        sentenceCount: all.length,
        async *sentences() {
          yield* all;
        },
        async *pcm() {
          for (const { source, samples, pauseSamples } of all) {
            const pcm = sing(source, samples, sampleRateHz);
            for (let at = 0; at < samples; at += 3001) yield pcmBytes(pcm.slice(at, at + 3001));
            if (pauseSamples > 0) yield pcmBytes(new Int16Array(pauseSamples));
          }
        },
      };
    }),
  };
}

/** Chapters of a few sentences whose lengths are no round number of anything. */
export const songs = (chapters: number, sentences = 3, seconds = 0.9): ChapterSpec[] =>
  Array.from({ length: chapters }, (_, c) => ({
    title: `Song ${c + 1}`,
    sentences: Array.from({ length: sentences }, (_, s) => ({
      source: `Line ${s + 1} of song ${c + 1}. `,
      samples: Math.round(22_050 * seconds) + 37 * c + 101 * s,
      pauseSamples: s === sentences - 1 ? 17_641 + c : 4_409,
    })),
  }));

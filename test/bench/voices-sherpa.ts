import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Engine, SpeakRequest } from '@rhapsode/voices';
import { createEspeakPhonemizer } from '@rhapsode/voices/espeak';
import { bytesField, concat } from '@rhapsode/voices/onnx/graph/wire';
import { piperConfig } from '../../models/fixtures/make.ts';
import { medium, vitsModel } from '../../models/fixtures/vits.ts';
import { type Cost, costOf, hear, progress, spread } from './voice-cost.ts';

/** sherpa-onnx is a development dependency, for this comparison only. */
interface Sherpa {
  readonly OfflineTts: new (config: unknown) => { generate(request: unknown): { samples: Float32Array } };
}

export interface Compared {
  /** How much more audio per CPU second, and per second, than sherpa-onnx makes. */
  readonly bulkCpu: string;
  readonly bulkTime: string;
  readonly listenerCpu: string;
  /** First audio, as a part of its whole sentence. */
  readonly first: string;
  readonly met: boolean;
}

/**
 * The same voice file, words, phonemes and one thread here and in sherpa-onnx, interleaved. Its words come from a lexicon that our
 * phonemizer wrote, so it needs no data of its own.
 */
export async function compareWithSherpa(
  engine: Engine,
  dir: string,
  request: SpeakRequest,
  repeats: number,
): Promise<Compared> {
  const sherpa = await openSherpa(dir, request.text);
  const theirs = (): Promise<Cost> =>
    costOf(async () => sherpa.generate({ text: request.text, sid: 0, speed: 1 }).samples);
  const ratios = { bulkCpu: [], bulkTime: [], listenerCpu: [], first: [] } as Record<string, number[]>;
  for (let round = 0; round <= repeats; round++) {
    const before = await theirs();
    const bulk = await hear(engine, { ...request, class: 'bulk', seed: round });
    const listener = await hear(engine, { ...request, class: 'interactive', seed: round });
    const after = await theirs();
    progress(`beside sherpa-onnx: round ${round} of ${repeats}`);
    // The first round warms all of them up.
    if (round === 0) continue;
    const per = (key: 'cpuMs' | 'totalMs') => (before[key] / before.samples + after[key] / after.samples) / 2;
    ratios.bulkCpu!.push(per('cpuMs') / (bulk.cpuMs / bulk.samples));
    ratios.bulkTime!.push(per('totalMs') / (bulk.totalMs / bulk.samples));
    ratios.listenerCpu!.push(per('cpuMs') / (listener.cpuMs / listener.samples));
    ratios.first!.push(listener.firstMs / (per('totalMs') * listener.samples));
  }
  const [bulkCpu, bulkTime, listenerCpu, first] = ['bulkCpu', 'bulkTime', 'listenerCpu', 'first'].map((key) =>
    spread(ratios[key]!),
  );
  return {
    bulkCpu: bulkCpu!.text,
    bulkTime: bulkTime!.text,
    listenerCpu: listenerCpu!.text,
    first: first!.text,
    met: bulkCpu!.median >= 1,
  };
}

async function openSherpa(dir: string, text: string) {
  const { OfflineTts } = createRequire(import.meta.url)('sherpa-onnx-node') as Sherpa;
  const config = piperConfig('medium', medium);
  const metadata = {
    model_type: 'vits',
    comment: 'piper',
    language: 'English',
    voice: 'en-us',
    has_espeak: '1',
    n_speakers: '1',
    sample_rate: '22050',
    punctuation: '. ,',
    add_blank: '1',
  };
  const entry = ([key, value]: [string, string]) =>
    bytesField(14, concat([bytesField(1, key), bytesField(2, value)]));
  const at = (name: string) => join(dir, name);
  writeFileSync(at('sherpa.bin'), concat([vitsModel(medium), ...Object.entries(metadata).map(entry)]));
  const tokens = Object.entries(config.phoneme_id_map).map(([symbol, [id]]) => `${symbol} ${id}`);
  writeFileSync(at('tokens.txt'), `${tokens.join('\n')}\n`);
  writeFileSync(at('lexicon.txt'), await lexiconOf(text, Object.keys(config.phoneme_id_map)));
  return new OfflineTts({
    model: {
      vits: {
        model: at('sherpa.bin'),
        tokens: at('tokens.txt'),
        lexicon: at('lexicon.txt'),
        dataDir: '',
        noiseScale: config.inference.noise_scale,
        noiseScaleW: config.inference.noise_w,
        lengthScale: config.inference.length_scale,
      },
      numThreads: 1,
      provider: 'cpu',
    },
    maxNumSentences: 1,
  });
}

async function lexiconOf(text: string, known: readonly string[]): Promise<string> {
  const words = [...new Set(text.toLowerCase().match(/[a-z]+/g))];
  const phonemizer = createEspeakPhonemizer();
  try {
    const spoken = await phonemizer.phonemize('en-us', words);
    const lines = words.map((word, i) => {
      const phonemes = [...(spoken[i] ?? []).join('')].filter((one) => one !== ' ' && known.includes(one));
      return `${word} ${phonemes.join(' ')}\n`;
    });
    return lines.join('');
  } finally {
    await phonemizer.close();
  }
}

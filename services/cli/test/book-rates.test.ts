import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createResampler, parseWav, samplesAtRate } from '@rhapsode/audio';
import { bookSettings, createSegmentStore, type Manifest, manifest } from '@rhapsode/book';
import { bookRateHz } from '@rhapsode/book/create/book-rate';

import { createFsArtefacts } from '@rhapsode/store/artefacts/fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probe } from '../../../packages/book/test/support/media.ts';
import { command } from './support/command.ts';
import { inProcess } from './support/in-process.ts';

let folder: string;
/** What an undisturbed run made. */
let whole: Made;
const at = (path: string) => join(folder, path);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rhapsode-cli-rates-'));
  await writeFile(at('play.md'), manuscript);
  whole = await make('whole');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Two voices that take turns, of 16 and of 22.05 kHz, and a chapter of the slower one alone. */
const manuscript = [
  '# The meeting\n',
  'A morning by the sea.\n',
  'Alice: Good morning. Did you hear the wind?\n',
  'It had blown all night. Nobody had slept.\n',
  'Alice: I slept well.\n',
  '# The parting\n',
  'That was all there was to say.\n',
].join('\n');
const env = { RHAPSODE_MODELS_DIR: fileURLToPath(new URL('../../../models/fixtures', import.meta.url)) };
const rates = { tone: 16_000, 'fixture-tiny': 22_050 } as const;

const argsOf = (out: string, more: readonly string[] = []) => [
  ...[at('play.md'), '-o', at(out), '--voices', 'Alice=fixture-tiny', '--loudness', 'off', '--json'],
  ...(more.includes('-f') ? more : ['-f', 'm4b,wav', ...more]),
];
interface Made {
  readonly files: string[];
  readonly sentencesSynthesized: number;
}
const make = async (out: string, more: readonly string[] = []): Promise<Made> => {
  const ran = await inProcess('book', argsOf(out, more), env);
  expect([ran.code, ran.err]).toEqual([0, '']);
  return JSON.parse(ran.out.trimEnd().split('\n').at(-1)!) as Made;
};
const read = (files: readonly string[], ending: string) =>
  readFile(files.find((name) => name.endsWith(ending))!);
const manifestOf = async (files: readonly string[]): Promise<Manifest> =>
  manifest.parse(JSON.parse((await read(files, 'book.json')).toString()));

async function resampled(pcm: Int16Array, fromHz: number, toHz: number): Promise<Int16Array> {
  const resampler = await createResampler(fromHz, toHz);
  try {
    return Int16Array.from([...resampler.push(pcm), ...resampler.finish()]);
  } finally {
    resampler.close();
  }
}

describe('a book whose voices have different sample rates', () => {
  it('is at the higher one, exact to the sample, and its sentences are kept as they were spoken', async () => {
    const { files } = whole;
    const book = await manifestOf(files);
    expect(book.sampleRateHz).toBe(22_050);
    expect(new Set(book.sentences.map(({ voice }) => voice))).toEqual(new Set(Object.keys(rates)));

    const kept = createSegmentStore(createFsArtefacts({ dir: at('whole/.rhapsode') }));
    const wavs = await Promise.all(
      ['01 - The meeting.wav', '02 - The parting.wav'].map(async (name) => parseWav(await read(files, name))),
    );
    for (const { voice, key, chapter, position, samples, pauseSamples, spoken } of book.sentences) {
      if (spoken === '') continue;
      const { facts, pcm } = (await kept.audio('local', key))!;
      expect(facts.sampleRateHz).toBe(rates[voice as keyof typeof rates]);
      expect(samples).toBe(samplesAtRate(facts.samples, facts.sampleRateHz, 22_050));
      const spokenPcm = new Int16Array(pcm.buffer.slice(pcm.byteOffset, pcm.byteOffset + pcm.byteLength));
      const wanted =
        facts.sampleRateHz === 22_050 ? spokenPcm : await resampled(spokenPcm, facts.sampleRateHz, 22_050);
      const from = position - book.chapters[chapter]!.startSample;
      const { pcm: whole, sampleRateHz } = wavs[chapter]!;
      expect(sampleRateHz).toBe(22_050);
      expect(Buffer.compare(bytes(whole.slice(from, from + samples)), bytes(wanted))).toBe(0);
      const pause = whole.subarray(from + samples, from + samples + pauseSamples);
      expect(pause.every((sample) => sample === 0)).toBe(true);
    }

    const { chapters, format } = probe(files.find((name) => name.endsWith('.m4b'))!);
    const ms = (sample: number) => Math.round((sample * 1000) / 22_050);
    expect(
      chapters.map(({ start_time, end_time }) => [start_time, end_time].map((s) => Math.round(+s * 1000))),
    ).toEqual(book.chapters.map(({ startSample, samples }) => [ms(startSample), ms(startSample + samples)]));
    expect(Math.round(Number(format.duration) * 1000)).toBe(ms(book.samples));

    const timings = JSON.parse((await read(files, '.timings.json')).toString());
    for (const { sentences } of timings.chapters)
      for (const { startSample, samples, words } of sentences) {
        let before = startSample;
        for (const word of words) {
          expect(word.startSample).toBeGreaterThanOrEqual(before);
          before = word.startSample + word.samples;
        }
        expect(before).toBeLessThanOrEqual(startSample + samples);
      }
    const verified = await inProcess('verify', [at('whole')]);
    expect([verified.code, verified.out]).toEqual([0, expect.stringContaining('all is well')]);
  });

  it('comes out the same where its making was killed', async () => {
    // While its sentences are spoken, and when all of them are.
    for (const interruptAfter of [/^\d+\/\d+ /m, /^(\d+)\/\1 /m])
      await command(
        folder,
        argsOf('killed').filter((arg) => arg !== '--json'),
        {
          env,
          interruptAfter,
          interruptWith: 'SIGKILL',
        },
      );
    const rest = await make('killed');
    expect(rest.files.map((name) => name.slice(at('killed').length))).toEqual(
      whole.files.map((name) => name.slice(at('whole').length)),
    );
    expect((await manifestOf(rest.files)).contentDigest).toBe((await manifestOf(whole.files)).contentDigest);
    for (const [index, name] of whole.files.entries())
      if (!name.endsWith('book.json'))
        expect([name, Buffer.compare(await readFile(rest.files[index]!), await readFile(name))]).toEqual([
          name,
          0,
        ]);
  });

  it('may be asked for at another one, and nothing is spoken again for it', async () => {
    const { files, sentencesSynthesized } = await make('whole', ['-f', 'wav', '--sample-rate', '24000']);
    expect(sentencesSynthesized).toBe(0);
    expect((await manifestOf(files)).sampleRateHz).toBe(24_000);
    expect(parseWav(await read(files, '.wav')).sampleRateHz).toBe(24_000);
    expect((await inProcess('verify', [at('whole')])).code).toBe(0);
    await expect(inProcess('book', argsOf('no', ['--sample-rate', '20000']), env)).rejects.toThrow(
      "'outputs.sample_rate' 20000 is not a sample rate of aac",
    );
  });
});

const bytes = (pcm: Int16Array) => Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength);

describe('the sample rate of a book', () => {
  const rateOf = (outputs: object, voices: readonly number[]) =>
    bookRateHz(bookSettings.parse({ outputs }).outputs, voices);

  it('is the highest of its voices, or the next that its files can have', () => {
    expect(rateOf({}, [16_000, 24_000, 22_050])).toBe(24_000);
    expect(rateOf({ audio: ['wav'] }, [20_000, 8_000])).toBe(20_000);
    expect(rateOf({}, [20_000, 8_000])).toBe(22_050);
    expect(rateOf({ audio: ['wav'] }, [96_000])).toBe(48_000);
  });

  it('is the one that was asked for', () => {
    expect(rateOf({ sample_rate: 44_100 }, [16_000])).toBe(44_100);
    expect(rateOf({ audio: ['flac'], sample_rate: 20_000 }, [16_000])).toBe(20_000);
  });
});

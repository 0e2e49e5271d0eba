import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { kokoroVocabulary, writeKokoroFixture } from '../../../models/fixtures/kokoro.ts';
import { openCatalogue } from '../src/catalogue.ts';
import { collect, engineConformance } from '../src/conformance.ts';
import { createEspeakPhonemizer } from '../src/espeak.ts';
import { groupTokens, kokoroRuns, mostTokens } from '../src/kokoro-tokens.ts';
import { createLocalEngine } from '../src/local-engine.ts';
import type { SpeakRequest } from '../src/port.ts';

const modelsDir = mkdtempSync(join(tmpdir(), 'rhapsode-kokoro-test-'));
writeKokoroFixture(modelsDir, 'kokoro', { tokens: 'input_ids', noise: false });
writeKokoroFixture(modelsDir, 'kokoro-noisy', { tokens: 'tokens', noise: true });
const closing: { close(): Promise<void> }[] = [];
afterAll(async () => {
  await Promise.all(closing.map((one) => one.close()));
  rmSync(modelsDir, { recursive: true, force: true });
});

const request: SpeakRequest = {
  voice: 'kokoro',
  text: 'The quick brown fox, it is said, jumps over the lazy dog; and then it goes home.',
  segment: 0,
  seed: 7,
  speed: 1,
  class: 'interactive',
};
const open = () => openCatalogue({ modelsDir, espeak: false });
const engine = async () => {
  const created = createLocalEngine(await open());
  closing.push(created);
  return created;
};

engineConformance('a Kokoro voice', async () => ({
  engine: await engine(),
  request,
  sampleRateHz: 24_000,
  deterministic: true,
}));

it('promises exact repetition only where its model draws no random numbers', async () => {
  const found = await open();
  expect(found.problems).toEqual([]);
  const [plain, noisy] = [found.get('kokoro'), found.get('kokoro-noisy')];
  expect([plain.deterministic, plain.capabilities.streaming, plain.speakers]).toEqual([
    true,
    true,
    ['af_test', 'bm_test'],
  ]);
  expect([noisy.deterministic, noisy.capabilities.streaming]).toEqual([false, false]);
  const speaking = await engine();
  const { pcm } = await collect(speaking, { ...request, voice: 'kokoro-noisy' });
  expect(pcm.length).toBeGreaterThan(24_000);
});

it('takes the style of the number of tokens, pads on both ends, and 600 samples a token', async () => {
  const phonemizer = createEspeakPhonemizer();
  closing.push(phonemizer);
  const vocabulary = new Map(Object.entries(kokoroVocabulary));
  const runs = await kokoroRuns('Hello there.', 'en-us', vocabulary, phonemizer);
  expect(runs.length).toBe(1);
  const ids = [0, ...runs[0]!, 0];
  const { pcm } = await collect(await engine(), { ...request, text: 'Hello there.' });
  expect(pcm.length).toBe(ids.length * 600);
  const style = (runs[0]!.length - 1) * 0.01;
  const expected = ids.flatMap((id) =>
    Array.from({ length: 600 }, (_, i) => Math.sin((id + 20) * i * 0.004 + style)),
  );
  // Gain and limiter keep the sign and the order of sizes.
  for (const [i, value] of expected.entries())
    if (Math.abs(value) > 0.05) expect(Math.sign(pcm[i]!)).toBe(Math.sign(value));
});

it('speaks with the speaker that is asked for', async () => {
  const speaking = await engine();
  const one = await collect(speaking, { ...request, speaker: 'af_test' });
  const other = await collect(speaking, { ...request, speaker: 'bm_test' });
  expect(other.pcm).not.toEqual(one.pcm);
});

it('divides what is longer than the model takes between words, in about equal parts', async () => {
  const phonemizer = createEspeakPhonemizer();
  closing.push(phonemizer);
  const vocabulary = new Map(Object.entries(kokoroVocabulary));
  const text = 'and then the longest clause of them all went on '.repeat(18);
  const runs = await kokoroRuns(text, 'en-us', vocabulary, phonemizer);
  expect(runs.length).toBeGreaterThan(1);
  const lengths = runs.map((run) => run.length);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(mostTokens);
  expect(Math.min(...lengths) / Math.max(...lengths)).toBeGreaterThan(0.7);
  expect((await collect(await engine(), { ...request, text })).pcm.length).toBeGreaterThan(24_000 * 10);
});

it('keeps every token, in order, in runs that the model takes, whatever the text', () => {
  const word = fc.array(fc.integer({ min: 1, max: 99 }), { minLength: 0, maxLength: 40 });
  const clauses = fc.array(fc.array(word, { maxLength: 80 }), { maxLength: 6 });
  fc.assert(
    fc.property(clauses, (given) => {
      const runs = groupTokens(given);
      expect(runs.flat()).toEqual(given.flat(2));
      for (const run of runs) expect(run.length).toBeLessThanOrEqual(mostTokens);
      expect(runs.every((run) => run.length > 0)).toBe(true);
    }),
    { numRuns: 200 },
  );
});

it('refuses a style file that is none', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'rhapsode-kokoro-bad-'));
  writeKokoroFixture(dir, 'bad', { tokens: 'input_ids', noise: false });
  writeFileSync(join(dir, 'bad', 'voices', 'af_test.bin'), 'short');
  expect((await openCatalogue({ modelsDir: dir, espeak: false })).problems[0]!.error.code).toBe(
    'model_checksum',
  );
  const manifest = JSON.parse(readFileSync(join(dir, 'bad', 'voice.json'), 'utf8'));
  const { createHash } = await import('node:crypto');
  manifest.files[2].sha256 = createHash('sha256').update('short').digest('hex');
  writeFileSync(join(dir, 'bad', 'voice.json'), JSON.stringify(manifest));
  const speaking = createLocalEngine(await openCatalogue({ modelsDir: dir, espeak: false }));
  closing.push(speaking);
  await expect(collect(speaking, { ...request, voice: 'bad' })).rejects.toMatchObject({
    code: 'model_invalid',
  });
  rmSync(dir, { recursive: true, force: true });
});

import { afterAll, expect, it } from 'vitest';
import { openCatalogue } from '../src/catalogue.ts';
import { collect, engineConformance } from '../src/conformance.ts';
import { createEspeakPhonemizer, rateForSpeed } from '../src/espeak.ts';
import { createAnswerReader, type EspeakAnswer } from '../src/espeak-client.ts';
import { createEngineHost } from '../src/host.ts';
import { createLocalEngine } from '../src/local-engine.ts';
import type { SpeakRequest } from '../src/port.ts';
import { createSilenceTrimmer } from '../src/silence-trimmer.ts';

const request: SpeakRequest = {
  voice: 'espeak',
  text: 'The quick brown fox, it is said, jumps over the lazy dog.',
  segment: 0,
  seed: 7,
  speed: 1,
  class: 'interactive',
};

engineConformance('espeak-ng in this process', async () => ({
  engine: createLocalEngine(await openCatalogue()),
  request,
  sampleRateHz: 22_050,
  deterministic: true,
}));

engineConformance('espeak-ng behind the host', async () => ({
  engine: createEngineHost({ children: 1, catalogue: {}, warm: ['espeak'] }),
  request: {
    ...request,
    voice: 'espeak-de',
    text: 'Der schnelle braune Fuchs springt über den faulen Hund.',
  },
  sampleRateHz: 22_050,
  deterministic: true,
}));

const engines: { close(): Promise<void> }[] = [];
afterAll(() => Promise.all(engines.map((engine) => engine.close())));

it('speaks at about the speed that is asked for', async () => {
  const engine = createLocalEngine(await openCatalogue());
  engines.push(engine);
  const text =
    'It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness.';
  const usual = (await collect(engine, { ...request, text })).pcm.length;
  for (const speed of [0.5, 0.75, 1.25, 1.5, 2, 2.6]) {
    const ratio = usual / (await collect(engine, { ...request, text, speed })).pcm.length;
    expect(ratio / speed).toBeGreaterThan(0.85);
    expect(ratio / speed).toBeLessThan(1.15);
  }
  expect([rateForSpeed(0.5), rateForSpeed(1), rateForSpeed(2.7)]).toEqual([87, 175, 450]);
});

it('marks each word where it is spoken', async () => {
  const engine = createLocalEngine(await openCatalogue());
  engines.push(engine);
  const { facts } = await collect(engine, request);
  expect(facts.marksFrom).toBe('model');
  expect(facts.marks.map((mark) => mark.text)).toEqual(request.text.match(/\w+/g));
  expect(new Set(facts.marks.map((mark) => mark.firstSample)).size).toBe(facts.marks.length);
});

it('ends without the silence that espeak-ng adds', async () => {
  const engine = createLocalEngine(await openCatalogue());
  engines.push(engine);
  const { pcm } = await collect(engine, request);
  expect(Math.abs(pcm.at(-1)!)).toBeGreaterThan(1);
});

it('gives phonemes without language flags, one part per clause', async () => {
  const phonemizer = createEspeakPhonemizer();
  engines.push(phonemizer);
  expect(await phonemizer.phonemize('en-us', ['Hello there', 'yes'])).toEqual([['həlˈoʊ ðˈɛɹ'], ['jˈɛs']]);
  expect((await phonemizer.phonemize('de', ['the Weltanschauung']))[0]![0]).not.toMatch(/[()_]/);
  expect(await phonemizer.version()).toMatch(/^espeak-ng/);
  await expect(phonemizer.phonemize('xx-none', ['a'])).rejects.toMatchObject({ code: 'model_invalid' });
});

it('reads answers however the pipe cuts them', () => {
  const pcm = Buffer.from([1, 0, 255, 255, 10, 0]);
  const stream = Buffer.concat([
    Buffer.from('{"id":1,"bytes":6}\n'),
    pcm,
    Buffer.from('{"id":1,"done":true}\n{"id":2,"bytes":0,"done":true}\n'),
  ]);
  for (let size = 1; size <= stream.length; size++) {
    const answers: EspeakAnswer[] = [];
    const read = createAnswerReader((answer) => answers.push(answer));
    for (let at = 0; at < stream.length; at += size) read(stream.subarray(at, at + size));
    expect(answers.map((answer) => answer.id)).toEqual([1, 1, 2]);
    expect([...answers[0]!.pcm!]).toEqual([1, -1, 10]);
  }
});

it('holds silence back only until something follows it', () => {
  const trimmer = createSilenceTrimmer();
  const out = [[5, 0, 0], [0, 1], [0, -1, 7, 0], [0]].map((pcm) => [...trimmer.push(Int16Array.from(pcm))]);
  expect(out).toEqual([[5], [], [0, 0, 0, 1, 0, -1, 7], []]);
});

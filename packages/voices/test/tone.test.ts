import { expect, it } from 'vitest';
import { openCatalogue } from '../src/catalogue.ts';
import { collect, engineConformance } from '../src/conformance.ts';
import { createLocalEngine } from '../src/local-engine.ts';
import type { SpeakRequest } from '../src/port.ts';
import { toneLength, toneRateHz, toneSample, toneSamples } from '../src/tone.ts';

const request: SpeakRequest = {
  voice: 'tone',
  text: 'The quick brown fox jumps over the lazy dog, twice.',
  segment: 3,
  seed: 7,
  speed: 1,
  class: 'interactive',
};
const create = async (realTimeFactor = 0) =>
  createLocalEngine(await openCatalogue({ testVoices: true, tone: { realTimeFactor } }));

engineConformance('the tone in this process', async () => ({
  engine: await create(),
  request,
  sampleRateHz: toneRateHz,
  deterministic: true,
}));

it('makes every sample a function of seed, segment and offset, and of nothing else', async () => {
  const { pcm } = await collect(await create(), request);
  expect(pcm.length).toBe(toneLength(request.text));
  expect(pcm).toEqual(toneSamples(7, 3, 0, pcm.length));
  expect(pcm[1234]).toBe(toneSample(7, 3, 1234));
});

it('shows a lost, doubled, swapped or crossed sample within a few samples', () => {
  const own = toneSamples(7, 3, 0, 20_000);
  expect(own.includes(0)).toBe(false);
  const others = [
    toneSamples(7, 3, 1, 20_001),
    toneSamples(7, 4, 0, 20_000),
    toneSamples(8, 3, 0, 20_000),
    toneSamples(8, 2, 0, 20_000),
    toneSamples(3, 7, 0, 20_000),
  ];
  for (const other of others)
    for (let from = 0; from < own.length - 4; from++)
      expect(own.subarray(from, from + 4)).not.toEqual(other.subarray(from, from + 4));
});

it('comes in other pieces when it is repeated', async () => {
  const engine = await create();
  const [first, second] = [await collect(engine, request), await collect(engine, request)];
  expect(second.pieces).not.toEqual(first.pieces);
});

it('differs in samples and length from run to run as tone-random, and says so', async () => {
  const catalogue = await openCatalogue({ testVoices: true });
  expect(catalogue.get('tone-random').deterministic).toBe(false);
  const engine = createLocalEngine(catalogue);
  const runs = [];
  for (let i = 0; i < 3; i++) runs.push(await collect(engine, { ...request, voice: 'tone-random' }));
  expect(new Set(runs.map((run) => run.pcm[0])).size).toBeGreaterThan(1);
  expect(new Set(runs.map((run) => run.pcm.length)).size).toBeGreaterThan(1);
});

it('does not speak its directives, fails where they say and as they say', async () => {
  const engine = await create();
  for (const [kind, code] of [
    ['fail', 'synthesis_failed'],
    ['nan', 'engine_output_invalid'],
    ['crash', 'engine_crashed'],
  ]) {
    const text = `${request.text} {{tone:${kind}@4321}}`;
    expect(toneLength(text)).toBe(toneLength(request.text));
    let heard = 0;
    const run = async () => {
      for await (const piece of engine.speak({ ...request, text }, new AbortController().signal))
        if (piece.type === 'audio') heard += piece.pcm.length;
    };
    await expect(run()).rejects.toMatchObject({ code });
    expect(heard).toBe(4321);
  }
});

it('can be paced, and aborted while it waits', async () => {
  const started = performance.now();
  const short = { ...request, text: 'Pace.' };
  await collect(await create(0.5), short);
  const tookMs = performance.now() - started;
  expect(tookMs).toBeGreaterThan((toneLength('Pace.') / toneRateHz) * 500 - 5);
  await expect(
    collect(await create(), { ...request, text: 'Hang. {{tone:hang}}' }, AbortSignal.timeout(50)),
  ).rejects.toMatchObject({ name: 'TimeoutError' });
});

it('is not listed unless test voices are asked for', async () => {
  const catalogue = await openCatalogue({});
  expect(catalogue.voices.some((voice) => voice.engine === 'tone')).toBe(false);
  expect(() => catalogue.get('tone')).toThrow(expect.objectContaining({ code: 'voice_not_found' }));
});

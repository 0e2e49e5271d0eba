import { setTimeout as sleep } from 'node:timers/promises';
import { bands } from '@rhapsode/contracts';
import { createLocalEngine, openCatalogue, toneLength, toneSamples } from '@rhapsode/voices';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { isAudio } from '../src/assemble.ts';
import { createEmbedded, type Embedded } from '../src/embedded.ts';
import { type Listening, listen } from '../src/listen.ts';
import { locate, totalSamples } from '../src/locate.ts';
import { open, type SubmitRequest, submit } from '../src/submit.ts';

const open_: Embedded[] = [];
afterEach(async () => {
  for (const embedded of open_.splice(0)) await embedded.close();
});

async function embed(options: { toneRealTimeFactor?: number; slots?: number } = {}) {
  const catalogue = await openCatalogue({
    testVoices: true,
    ...(options.toneRealTimeFactor === undefined
      ? {}
      : { tone: { realTimeFactor: options.toneRealTimeFactor } }),
  });
  const engine = createLocalEngine(catalogue);
  const embedded = createEmbedded({ engine, voices: catalogue.voices, slots: options.slots ?? 2 });
  open_.push(embedded);
  const request: SubmitRequest = {
    tenant: 'test',
    class: 'interactive',
    pool: embedded.pool,
    voice: catalogue.get('tone'),
    seed: 42,
  };
  return { ...embedded, request };
}

async function hear(
  embedded: Embedded & { healAfterMs?: number },
  id: string,
  from?: { segment: number; sample: number },
): Promise<number[]> {
  const listening = await listen(id, from ? { from } : {}, embedded);
  const samples: number[] = [];
  for await (const piece of listening.pieces) {
    if (isAudio(piece)) samples.push(...new Int16Array(piece.pcm.slice().buffer));
    else listening.consumed(piece.segment + 1);
  }
  await listening.close();
  return samples;
}

/** Asks for piece after piece, and says nothing of what it has taken. */
function hearAll({ pieces }: Listening) {
  const hearing = { segments: 0, ended: Promise.resolve() };
  hearing.ended = (async () => {
    for await (const piece of pieces) if (piece.type === 'segment') hearing.segments += 1;
  })().catch(() => {});
  return hearing;
}

async function expected(embedded: Embedded, id: string, seed: number): Promise<number[]> {
  const segments = await embedded.store.segments(id, 0, 10_000);
  return segments.flatMap((segment, index) => [
    ...toneSamples(seed, index, 0, toneLength(segment.text)),
    ...new Array(segment.pauseSamples).fill(0),
  ]);
}

const text = Array.from({ length: 25 }, (_, i) => `This is sentence number ${i}, and it is spoken.`).join(
  ' ',
);

describe('the embedded pipeline', () => {
  it('speaks a sentence while the log and the store hear of the end of the one before', async () => {
    const embedded = await embed({ slots: 1 });
    const append = embedded.log.append.bind(embedded.log);
    const storing = Promise.withResolvers<void>();
    const begun = new Set<number>();
    vi.spyOn(embedded.log, 'append').mockImplementation(async (id, message, pcm, signal) => {
      if (message.kind === 'audio') begun.add(message.segment);
      if (message.kind === 'segment-end' && message.segment === 0) await storing.promise;
      return append(id, message, pcm, signal);
    });
    const { utterance } = await submit(text, embedded.request, embedded);
    await expect.poll(() => begun).toContain(1);
    storing.resolve();
    expect(await hear(embedded, utterance.id)).toEqual(await expected(embedded, utterance.id, 42));
  });

  it('turns text into the exact samples of its sentences and pauses', async () => {
    const embedded = await embed();
    const { utterance, stored } = await submit(text, embedded.request, embedded);
    const heard = await hear(embedded, utterance.id);
    expect(await stored).toBe(25);
    expect(heard).toEqual(await expected(embedded, utterance.id, 42));
    await expect.poll(() => totalSamples(embedded.store, utterance.id)).toBe(heard.length);
    const { position, skip } = await locate(embedded.store, utterance, 100_000);
    expect(skip).toBe(0);
    expect(await hear(embedded, utterance.id, position)).toEqual(heard.slice(100_000));
  });

  it('speaks text that is still arriving, and gives what it gives for the whole text', async () => {
    const embedded = await embed();
    const whole = await submit(text, { ...embedded.request, class: 'bulk' }, embedded);
    const wanted = await hear(embedded, whole.utterance.id);
    const writer = await open({ ...embedded.request, class: 'bulk' }, embedded);
    const heard = hear(embedded, writer.utterance.id);
    for (const [i] of [...text].entries()) if (i % 7 === 0) await writer.write(text.slice(i, i + 7));
    await writer.finish();
    expect(await heard).toEqual(wanted);
  });

  it('synthesizes no sentence beyond the window of a listener who does not listen', async () => {
    const embedded = await embed();
    const { utterance, stored } = await submit(text, embedded.request, embedded);
    await stored;
    const listening = await listen(utterance.id, {}, embedded);
    await listening.pieces.next();
    await expect.poll(async () => (await embedded.store.get(utterance.id))?.finished).toBe(6);
    await embedded.dispatcher.sweep(embedded.pool);
    await sleep(50);
    expect(await embedded.store.get(utterance.id)).toMatchObject({ released: 6, finished: 6 });
    await listening.close();
  });

  it('makes what the log has forgotten again in its own turn, not before all others', async () => {
    const embedded = await embed();
    const { utterance } = await submit(text, { ...embedded.request, class: 'bulk' }, embedded);
    const heard = await hear(embedded, utterance.id);
    await embedded.log.purge(utterance.id);
    const add = vi.spyOn(embedded.queue, 'add');
    expect(await hear({ ...embedded, healAfterMs: 20 }, utterance.id)).toEqual(heard);
    expect(new Set(add.mock.calls.flat(2).map(({ band }) => band))).toEqual(new Set([bands.bulk]));
  });

  it('gives a listener who has heard all and taken nothing no more, however long it waits', async () => {
    const embedded = await embed();
    const { utterance, stored } = await submit(text, embedded.request, embedded);
    await stored;
    const { dispatcher } = embedded;
    let asked = 0;
    const heal: typeof dispatcher.heal = async (...what) => {
      const healed = await dispatcher.heal(...what);
      asked += 1;
      return healed;
    };
    const deps = { ...embedded, dispatcher: { ...dispatcher, heal }, healAfterMs: 20 };
    const listening = await listen(utterance.id, {}, deps);
    const hearing = hearAll(listening);
    await expect.poll(() => hearing.segments).toBe(6);
    const before = asked;
    await expect.poll(() => asked).toBeGreaterThan(before + 2);
    expect(await embedded.store.get(utterance.id)).toMatchObject({ released: 6, consumed: 0 });
    listening.consumed(2);
    await expect.poll(() => hearing.segments).toBe(8);
    await listening.close();
    await hearing.ended;
  });

  it('tells again what a listener has taken when the store has lost it', async () => {
    const embedded = await embed();
    const { utterance, stored } = await submit(text, embedded.request, embedded);
    await stored;
    const { dispatcher } = embedded;
    let lost = 0;
    const consumed: typeof dispatcher.consumed = async (whose, segment) => {
      // As if the server had forgotten it.
      if (segment <= 4 && lost++ === 0) return;
      await dispatcher.consumed(whose, segment);
    };
    const deps = { ...embedded, dispatcher: { ...dispatcher, consumed }, healAfterMs: 20 };
    const listening = await listen(utterance.id, {}, deps);
    const hearing = hearAll(listening);
    await expect.poll(() => hearing.segments).toBe(6);
    listening.consumed(4);
    await expect.poll(() => hearing.segments).toBe(10);
    expect(lost).toBeGreaterThan(1);
    await listening.close();
    await hearing.ended;
  });

  it('stops an utterance that is cancelled, wherever it is', async () => {
    const embedded = await embed({ toneRealTimeFactor: 0.2 });
    const { utterance, stored } = await submit(text, embedded.request, embedded);
    const heard = hear(embedded, utterance.id);
    const failed = expect(heard).rejects.toMatchObject({ code: 'cancelled' });
    await stored;
    await expect.poll(() => embedded.worker.running()).toBeGreaterThan(0);
    expect(await embedded.dispatcher.cancel(utterance.id)).toBe(true);
    await expect.poll(() => embedded.worker.running()).toBe(0);
    await failed;
    expect(await embedded.queue.counts()).toEqual({ waiting: 0, active: 0 });
    expect(await embedded.dispatcher.cancel('nothing0')).toBe(false);
  });

  it('answers a repeated request with the utterance that is there, and refuses another text under its id', async () => {
    const embedded = await embed();
    const request = { ...embedded.request, id: 'chosen00' };
    const first = await submit(text, request, embedded);
    const second = await submit(text, request, embedded);
    expect([await first.stored, await second.stored]).toEqual([25, 25]);
    expect(await hear(embedded, 'chosen00')).toEqual(await expected(embedded, 'chosen00', 42));
    await expect(submit('Another text.', request, embedded)).rejects.toMatchObject({
      code: 'utterance_exists',
    });
  });

  it('ends with an error that names the sentence when a sentence can never be made', async () => {
    const embedded = await embed();
    const { utterance } = await submit(
      'This one is good. Now {{tone:fail}} it is not. And this.',
      embedded.request,
      embedded,
    );
    await expect(hear(embedded, utterance.id)).rejects.toMatchObject({
      code: 'synthesis_failed',
      segment: 1,
    });
  });

  it('delivers a voice that does not repeat itself, the same to every listener', async () => {
    const embedded = await embed();
    const voice = { ...embedded.request.voice, id: 'tone-random', deterministic: false };
    const { utterance } = await submit(text, { ...embedded.request, voice }, embedded);
    const heard = await hear(embedded, utterance.id);
    expect(await hear(embedded, utterance.id)).toEqual(heard);
    expect(heard).not.toEqual(await expected(embedded, utterance.id, 42));
  });

  it.each([
    ['', 'text_empty'],
    [' \n\t', 'text_empty'],
    ['...!?', 'text_empty'],
    ['`^ ~', 'text_empty'],
    ['♪', 'text_empty'],
    ['x'.repeat(10_000_001), 'text_too_long'],
  ])('refuses a text that it cannot speak, and keeps nothing of it', async (text, code) => {
    const embedded = await embed();
    await expect(submit(text, embedded.request, embedded)).rejects.toMatchObject({ code });
    expect(await embedded.queue.counts()).toEqual({ waiting: 0, active: 0 });
  });

  it('gives chunks and pauses of the length that is asked for, and the same samples', async () => {
    const embedded = await embed();
    const settings = { chunk_seconds: 0.25, sentence_silence_seconds: 0.05 };
    const { utterance, stored } = await submit(text, { ...embedded.request, settings }, embedded);
    const lengths = Array.from({ length: await stored }, (): number[] => []);
    const heard: number[] = [];
    const listening = await listen(utterance.id, {}, embedded);
    for await (const piece of listening.pieces) {
      if (piece.type === 'segment') {
        listening.consumed(piece.segment + 1);
        continue;
      }
      heard.push(...new Int16Array(piece.pcm.slice().buffer));
      if (piece.type === 'audio') lengths[piece.position.segment]!.push(piece.pcm.length / 2);
    }
    await listening.close();
    for (const chunks of lengths) {
      expect(chunks.length).toBeGreaterThan(1);
      expect(chunks.slice(0, -1).every((length) => length === 4_000)).toBe(true);
      expect(chunks.at(-1)).toBeLessThanOrEqual(4_000);
    }
    const pauses = (await embedded.store.segments(utterance.id, 0, 100)).map((one) => one.pauseSamples);
    expect(pauses.slice(0, -1).every((samples) => samples === 800)).toBe(true);
    expect(heard).toEqual(await expected(embedded, utterance.id, 42));
  });

  it('tells of each chunk how long it took, on the first hearing and after a resume', async () => {
    const embedded = await embed({ toneRealTimeFactor: 0.01 });
    const { utterance, stored } = await submit(text, { ...embedded.request, class: 'bulk' }, embedded);
    await stored;
    for (const from of [
      { segment: 0, sample: 0 },
      { segment: 2, sample: 1_000 },
    ]) {
      const listening = await listen(utterance.id, { from }, embedded);
      let before: { segment: number; elapsedMs: number; end: number } | undefined;
      for await (const piece of listening.pieces) {
        if (piece.type !== 'audio') continue;
        const { segment, sample } = piece.position;
        const { chunk, attempt, samples, timing } = piece.chunk!;
        const { elapsedMs, firstChunkMs, queueMs, realTimeFactor } = timing!;
        const end = sample + piece.pcm.length / 2;
        expect(attempt).toBe(1);
        expect(queueMs).toBeGreaterThanOrEqual(0);
        expect(realTimeFactor).toBeCloseTo(elapsedMs / ((end / 16_000) * 1000), 6);
        expect(realTimeFactor).toBeGreaterThan(0);
        if (chunk === 0) expect(elapsedMs).toBe(firstChunkMs);
        if (before?.segment === segment) {
          expect(sample).toBe(before.end);
          expect(samples).toBe(end - sample);
          expect(elapsedMs).toBeGreaterThanOrEqual(before.elapsedMs);
        }
        before = { segment, elapsedMs, end };
      }
      expect(before?.segment).toBe(24);
      await listening.close();
    }
  });

  it('takes other settings under the same id for another request', async () => {
    const embedded = await embed();
    const request = { ...embedded.request, id: 'chosen01', settings: { chunk_seconds: 0.5 } };
    await submit(text, request, embedded);
    await submit(text, { ...request, settings: { ...request.settings, noise_w: undefined } }, embedded);
    for (const settings of [undefined, { chunk_seconds: 0.6 }, { sentence_silence_seconds: 0.5 }])
      await expect(submit(text, { ...request, settings }, embedded)).rejects.toMatchObject({
        code: 'utterance_exists',
      });
  });

  it('refuses a speed, a speaker and a setting that the voice does not have', async () => {
    const embedded = await embed();
    const settings = [{ noise_scale: 0.5 }, { chunk_seconds: 5 }, { sentence_silence_seconds: Number.NaN }];
    const wrongs = settings.map((setting) => ({ settings: setting }));
    for (const setting of [{ speed: 100 }, { speed: Number.NaN }, { speaker: 'nobody' }, ...wrongs])
      await expect(submit(text, { ...embedded.request, ...setting }, embedded)).rejects.toMatchObject({
        code: 'unsupported_setting',
      });
  });
});

import type { SpeechSettings } from '@rhapsode/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine, SegmentFacts, SpeakRequest } from './port.ts';

export interface EngineSubject {
  readonly engine: Engine;
  readonly request: SpeakRequest;
  readonly sampleRateHz: number;
  readonly deterministic: boolean;
}

export async function collect(
  engine: Engine,
  request: SpeakRequest,
  signal: AbortSignal = new AbortController().signal,
): Promise<{ pcm: Int16Array; pieces: number[]; facts: SegmentFacts }> {
  const pieces: Int16Array[] = [];
  let facts: SegmentFacts | undefined;
  for await (const piece of engine.speak(request, signal)) {
    if (facts !== undefined) throw new Error('something came after the end');
    if (piece.type === 'end') facts = piece.facts;
    else pieces.push(piece.pcm);
  }
  if (facts === undefined) throw new Error('there was no end');
  const pcm = new Int16Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    pcm.set(piece, at);
    at += piece.length;
  }
  return { pcm, pieces: pieces.map((piece) => piece.length), facts };
}

/** What `Engine` promises. `request` has a text of several seconds. */
export function engineConformance(name: string, create: () => Promise<EngineSubject>): void {
  describe(`${name} keeps the engine's promises`, () => {
    let subject: EngineSubject;
    beforeAll(async () => {
      subject = await create();
    }, 120_000);
    afterAll(() => subject?.engine.close());

    it('gives pieces of at most a second and then one end that counts their samples', async () => {
      const { pcm, pieces, facts } = await collect(subject.engine, subject.request);
      expect(facts.samples).toBe(pcm.length);
      expect(pcm.length).toBeGreaterThan(subject.sampleRateHz / 2);
      expect(Math.max(...pieces)).toBeLessThanOrEqual(subject.sampleRateHz);
      expect(Math.min(...pieces)).toBeGreaterThan(0);
      expect(new Set(pcm).size).toBeGreaterThan(16);
    });

    it('gives no audio and an end for a text with nothing to say', async () => {
      for (const text of ['', '   ', '\n']) {
        const { pcm, facts } = await collect(subject.engine, { ...subject.request, text });
        expect([pcm.length, facts.samples, facts.marks.length]).toEqual([0, 0, 0]);
      }
    });

    it('repeats a sentence exactly if its voice is deterministic, whatever was spoken between', async () => {
      if (!subject.deterministic) return;
      const first = await collect(subject.engine, subject.request);
      await collect(subject.engine, { ...subject.request, text: 'Something else, 42!', seed: 9, speed: 1.5 });
      const [second, third] = await Promise.all([
        collect(subject.engine, subject.request),
        collect(subject.engine, subject.request),
      ]);
      expect(second.pcm).toEqual(first.pcm);
      expect(third.pcm).toEqual(first.pcm);
      expect(second.facts).toEqual(first.facts);
    });

    it('speaks faster at a higher speed', async () => {
      const usual = await collect(subject.engine, subject.request);
      const fast = await collect(subject.engine, { ...subject.request, speed: 2 });
      expect(fast.pcm.length / usual.pcm.length).toBeGreaterThan(0.3);
      expect(fast.pcm.length / usual.pcm.length).toBeLessThan(0.75);
    });

    it('throws the reason when it is aborted, before and in the middle, and goes on to serve', async () => {
      const reason = new Error('enough');
      await expect(collect(subject.engine, subject.request, AbortSignal.abort(reason))).rejects.toBe(reason);
      const controller = new AbortController();
      const heard = async () => {
        for await (const piece of subject.engine.speak(subject.request, controller.signal))
          if (piece.type === 'audio') controller.abort(reason);
      };
      await expect(heard()).rejects.toBe(reason);
      expect((await collect(subject.engine, subject.request)).facts.samples).toBeGreaterThan(0);
    });

    it('serves on after a consumer that left', async () => {
      for await (const piece of subject.engine.speak(subject.request, new AbortController().signal))
        if (piece.type === 'audio') break;
      expect((await collect(subject.engine, subject.request)).facts.samples).toBeGreaterThan(0);
    });

    it('keeps marks in order and inside the sentence', async () => {
      const { facts } = await collect(subject.engine, subject.request);
      if (facts.marksFrom === 'none') return;
      expect(facts.marks.length).toBeGreaterThan(0);
      for (const kind of ['word', 'phoneme'] as const) {
        let before = 0;
        for (const mark of facts.marks.filter((one) => one.kind === kind)) {
          expect(mark.firstSample).toBeGreaterThanOrEqual(before);
          before = mark.firstSample;
          expect(mark.firstSample + mark.samples).toBeLessThanOrEqual(facts.samples);
        }
      }
      for (const mark of facts.marks)
        if (mark.start !== undefined && mark.end !== undefined)
          expect(subject.request.text.slice(mark.start, mark.end)).toBe(mark.text);
    });

    it('refuses settings that the voice does not have', async () => {
      const scales = [Number.NaN, Number.POSITIVE_INFINITY, -1, 50].flatMap((value) => [
        { settings: { noise_scale: value } },
        { settings: { noise_w: value } },
      ]);
      const settings = { no_such_setting: 1 } as SpeechSettings;
      const wrongs = [
        { speed: 100 },
        { speed: Number.NaN },
        { speaker: 'nobody' },
        { seed: -1 },
        { settings },
      ];
      for (const wrong of [...wrongs, ...scales])
        await expect(collect(subject.engine, { ...subject.request, ...wrong })).rejects.toMatchObject({
          name: 'RhapsodeError',
        });
      await expect(
        collect(subject.engine, { ...subject.request, voice: 'no-such-voice' }),
      ).rejects.toMatchObject({ code: 'voice_not_found' });
    });
  });
}

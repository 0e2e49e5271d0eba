import { createHash } from 'node:crypto';
import { pcmBytes } from '@rhapsode/audio';
import { epochOf, noPcm, type Position, RhapsodeError } from '@rhapsode/contracts';
import type { AudioLog } from '@rhapsode/log';
import { createMemoryLog } from '@rhapsode/log/memory';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AssembleDeps, type AudioPiece, assemble, isAudio } from '../src/assemble.ts';

const id = 'utterance0';
const sampleRateHz = 1000;

/** Every sample tells where it belongs, and which take it is of. */
const sampleOf = (segment: number, offset: number, take = 0) =>
  (((segment * 7919 + offset * 31 + take * 104_729) % 65_521) - 32_760) | 0;

const audioOf = (segment: number, samples: number, take = 0) =>
  Int16Array.from({ length: samples }, (_, offset) => sampleOf(segment, offset, take));

const pauseOf = (segment: number) => (segment % 3) * 5;

interface Attempt {
  segment: number;
  epoch: number;
  samples: number;
  take?: number;
  /** Sizes of the chunks; the last one takes the rest. */
  cuts?: readonly number[];
  /** How many messages it got out before it died; all, and the end, by default. */
  dies?: number;
}

type Append = () => Promise<unknown>;

/** The messages of one attempt, as the worker would publish them. */
function messagesOf(
  log: AudioLog,
  { segment, epoch, samples, take = 0, cuts = [7], dies }: Attempt,
): Append[] {
  const pcm = audioOf(segment, samples, take);
  const messages: Append[] = [];
  const digest = createHash('sha256');
  let firstSample = 0;
  for (let chunk = 0; firstSample < samples; chunk++) {
    const part = pcm.slice(firstSample, firstSample + Math.max(1, cuts[chunk % cuts.length]!));
    digest.update(pcmBytes(part));
    const message = {
      kind: 'audio' as const,
      segment,
      epoch,
      chunk,
      firstSample,
      samples: part.length,
      prefixDigest: digest.copy().digest('hex').slice(0, 16),
    };
    messages.push(() => log.append(id, message, pcmBytes(part)));
    firstSample += part.length;
  }
  const end = {
    kind: 'segment-end' as const,
    segment,
    epoch,
    chunks: messages.length,
    samples,
    pauseSamples: pauseOf(segment),
    digest: digest.digest('hex'),
    marksFrom: 'none' as const,
    marks: [],
    synthesisMs: 1,
    queueMs: 1,
  };
  messages.push(() => log.append(id, end, noPcm));
  return messages.slice(0, dies ?? messages.length);
}

const publish = async (log: AudioLog, attempt: Attempt) => {
  for (const append of messagesOf(log, attempt)) await append();
};
const endOf = (log: AudioLog, segments: number) => log.append(id, { kind: 'utterance-end', segments }, noPcm);

const expected = (lengths: readonly number[]): number[] =>
  lengths.flatMap((samples, segment) => [
    ...audioOf(segment, samples),
    ...new Array(pauseOf(segment)).fill(0),
  ]);

async function hear(
  log: AudioLog,
  options: { from?: Position; deterministic?: boolean } & Partial<AssembleDeps> = {},
): Promise<{ samples: number[]; pieces: AudioPiece[] }> {
  const { from, deterministic = true, ...deps } = options;
  const samples: number[] = [];
  const pieces: AudioPiece[] = [];
  for await (const piece of assemble(
    id,
    { deterministic, sampleRateHz, ...(from ? { from } : {}) },
    { log, heal: async () => undefined, healAfterMs: 20, ...deps },
  )) {
    pieces.push(piece);
    if (isAudio(piece)) samples.push(...new Int16Array(piece.pcm.slice().buffer));
  }
  return { samples, pieces };
}

const lengths = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 6 });
const cuts = fc.array(fc.integer({ min: 1, max: 25 }), { minLength: 1, maxLength: 4 });

/** Merges lists at random, keeping the order within each. */
function interleave<T>(lists: readonly (readonly T[])[], picks: readonly number[]): T[] {
  const rest = lists.map((list) => [...list]);
  const merged: T[] = [];
  for (let i = 0; rest.some((list) => list.length > 0); i++) {
    const open = rest.filter((list) => list.length > 0);
    merged.push(open[picks[i % picks.length]! % open.length]!.shift()!);
  }
  return merged;
}

describe('assemble', () => {
  it('gives the exact samples whatever dies, is doubled, overtaken or late', async () => {
    const attempts = fc.array(fc.record({ dies: fc.integer({ min: 0, max: 12 }), cuts }), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(
        lengths,
        fc.array(attempts, { minLength: 6, maxLength: 6 }),
        fc.array(fc.nat(50), { minLength: 5, maxLength: 40 }),
        fc.boolean(),
        async (lengths, attemptsOf, picks, twice) => {
          const log = createMemoryLog();
          const lists = lengths.flatMap((samples, segment) => {
            const dead = attemptsOf[segment]!;
            const whole = messagesOf(log, {
              segment,
              samples,
              epoch: epochOf(0, dead.length + 1),
              cuts: [9, 4],
            });
            return [
              ...dead.map((attempt, i) =>
                messagesOf(log, { segment, samples, epoch: epochOf(0, i + 1), ...attempt }),
              ),
              // An acknowledgement that was lost: the publisher sends again.
              twice ? whole.flatMap((append) => [append, append]) : whole,
            ];
          });
          for (const append of interleave([...lists, [() => endOf(log, lengths.length)]], picks))
            await append();
          const { samples } = await hear(log);
          expect(samples).toEqual(expected(lengths));
          await log.close();
        },
      ),
      { numRuns: 150 },
    );
  });

  it('gives the same samples to a listener who comes at any position, at any time', async () => {
    await fc.assert(
      fc.asyncProperty(lengths, cuts, fc.nat(), fc.nat(), async (lengths, cuts, anySegment, anySample) => {
        const log = createMemoryLog();
        const all = expected(lengths);
        const segment = anySegment % lengths.length;
        const sample = anySample % (lengths[segment]! + pauseOf(segment) + 1);
        const before = lengths.slice(0, segment).reduce((sum, n, i) => sum + n + pauseOf(i), 0);
        const early = hear(log, { from: { segment, sample } });
        for (const [segment, samples] of lengths.entries())
          await publish(log, { segment, samples, epoch: 1, cuts });
        await endOf(log, lengths.length);
        const late = hear(log, { from: { segment, sample } });
        expect((await early).samples).toEqual(all.slice(before + sample));
        expect((await late).samples).toEqual(all.slice(before + sample));
        await log.close();
      }),
      { numRuns: 60 },
    );
  });

  it('streams inside a sentence and goes on at the very sample where a dead attempt stopped', async () => {
    const log = createMemoryLog();
    const heard: number[] = [];
    const listening = (async () => {
      for await (const piece of assemble(
        id,
        { deterministic: true, sampleRateHz },
        { log, heal: async () => undefined },
      ))
        if (isAudio(piece)) heard.push(...new Int16Array(piece.pcm.slice().buffer));
    })();
    await publish(log, { segment: 0, samples: 50, epoch: 1, cuts: [10], dies: 3 });
    await expect.poll(() => heard.length).toBe(30);
    await publish(log, { segment: 0, samples: 50, epoch: 2, cuts: [7] });
    await endOf(log, 1);
    await listening;
    expect(heard).toEqual(expected([50]));
    await log.close();
  });

  it('fails, naming the segment, when a second attempt disagrees with what was heard', async () => {
    const log = createMemoryLog();
    await publish(log, { segment: 0, samples: 50, epoch: 1, cuts: [10], dies: 3 });
    const listening = hear(log);
    await new Promise((resolve) => setTimeout(resolve, 30));
    await publish(log, { segment: 0, samples: 50, epoch: 2, take: 1 });
    await endOf(log, 1);
    await expect(listening).rejects.toMatchObject({ code: 'splice_mismatch', segment: 0 });
    await log.close();
  });

  it('gives a voice that is not deterministic a sentence at a time, each from one attempt, the same to everyone', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.array(fc.record({ dies: fc.option(fc.nat(8), { nil: undefined }), cuts }), {
            minLength: 1,
            maxLength: 3,
          }),
          {
            minLength: 1,
            maxLength: 4,
          },
        ),
        fc.array(fc.nat(50), { minLength: 5, maxLength: 30 }),
        async (attemptsOf, picks) => {
          const log = createMemoryLog();
          const lists = attemptsOf.flatMap((attempts, segment) =>
            [...attempts, { dies: undefined, cuts: [11] }].map(({ dies, cuts }, i) =>
              messagesOf(log, {
                segment,
                samples: 30 + i,
                take: i,
                epoch: epochOf(0, i + 1),
                cuts,
                ...(dies === undefined ? {} : { dies }),
              }),
            ),
          );
          const early = hear(log, { deterministic: false });
          for (const append of interleave([...lists, [() => endOf(log, attemptsOf.length)]], picks))
            await append();
          const heard = (await early).samples;
          expect((await hear(log, { deterministic: false })).samples).toEqual(heard);
          const last = { segment: attemptsOf.length - 1, sample: 0 };
          const end = (await hear(log, { deterministic: false, from: last })).samples;
          expect(heard.slice(heard.length - end.length)).toEqual(end);
          let at = 0;
          for (const [segment, attempts] of attemptsOf.entries()) {
            const takes = [...attempts, 0].map((_, i) => [
              ...audioOf(segment, 30 + i, i),
              ...new Array(pauseOf(segment)).fill(0),
            ]);
            const take = takes.find((take) => take.every((sample, i) => heard[at + i] === sample));
            expect(take, `segment ${segment} is one whole attempt`).toBeDefined();
            at += take!.length;
          }
          expect(heard.length).toBe(at);
          await log.close();
        },
      ),
      { numRuns: 80 },
    );
  });

  it('keeps few chunks in memory, and reads again what it had to drop', async () => {
    const log = createMemoryLog();
    // Everything but the first sentence is there before the first one.
    for (let segment = 5; segment >= 0; segment--)
      await publish(log, { segment, samples: 60, epoch: 1, cuts: [3] });
    await endOf(log, 6);
    let refetched = 0;
    const observer = {
      ...(await import('../src/observe.ts')).silent,
      chunk: (result: string) => {
        if (result === 'refetched') refetched += 1;
      },
    };
    const { samples } = await hear(log, { observer, cacheChunks: 4 });
    expect(samples).toEqual(expected([60, 60, 60, 60, 60, 60]));
    expect(refetched).toBeGreaterThan(80);
    await log.close();
  });

  it('asks to heal what is missing, and goes on when it was made again', async () => {
    const log = createMemoryLog();
    await publish(log, { segment: 0, samples: 20, epoch: 1 });
    await publish(log, { segment: 2, samples: 20, epoch: 1 });
    await endOf(log, 3);
    const asked: { head: number; missing: readonly number[] }[] = [];
    const { samples } = await hear(log, {
      heal: async (_id, head, missing) => {
        asked.push({ head, missing });
        await publish(log, { segment: 1, samples: 20, epoch: epochOf(1, 1) });
        return undefined;
      },
    });
    expect(samples).toEqual(expected([20, 20, 20]));
    expect(asked).toEqual([{ head: 1, missing: [1] }]);
    await log.close();
  });

  it('asks to heal a sentence whose beginning is no longer on the log', async () => {
    const log = createMemoryLog();
    const sequences: number[] = [];
    for (const append of messagesOf(log, { segment: 0, samples: 40, epoch: 1, cuts: [10] }))
      sequences.push((await append()) as number);
    await endOf(log, 1);
    await log.purge(id, sequences[1]!);
    const { samples } = await hear(log, {
      heal: async (_id, _head, missing) => {
        expect(missing).toEqual([0]);
        await publish(log, { segment: 0, samples: 40, epoch: epochOf(1, 1), cuts: [8] });
        return 1;
      },
    });
    expect(samples).toEqual(expected([40]));
    await log.close();
  });

  it('goes on where it was when the log begins anew, for a voice that repeats itself', async () => {
    await fc.assert(
      fc.asyncProperty(lengths, cuts, fc.nat(30), async (lengths, cuts, losses) => {
        const log = createMemoryLog();
        let epoch = 1;
        let lost = 0;
        const make = async () => {
          for (const [segment, samples] of lengths.entries())
            await publish(log, { segment, samples, epoch, cuts });
          await endOf(log, lengths.length);
        };
        await make();
        const heard: number[] = [];
        for await (const piece of assemble(
          id,
          { deterministic: true, sampleRateHz },
          {
            log,
            healAfterMs: 20,
            heal: async () => {
              epoch = epochOf(lost, 1);
              await make();
              return lengths.length;
            },
          },
        )) {
          if (isAudio(piece)) heard.push(...new Int16Array(piece.pcm.slice().buffer));
          if (heard.length > losses * (lost + 1) && lost < 3) {
            lost += 1;
            log.beginAnew();
          }
        }
        expect(heard).toEqual(expected(lengths));
        await log.close();
      }),
      { numRuns: 40 },
    );
  });

  it('gives an error, not a guess, when what was heard of a sentence can never be repeated', async () => {
    const log = createMemoryLog();
    await publish(log, { segment: 0, samples: 400, epoch: 1, cuts: [4] });
    const listening = (async () => {
      for await (const piece of assemble(
        id,
        { deterministic: false, sampleRateHz },
        { log, cacheChunks: 2, heal: async () => undefined },
      ))
        if (isAudio(piece)) log.beginAnew();
    })();
    await expect(listening).rejects.toMatchObject({ code: 'audio_lost', segment: 0 });
    await log.close();
  });

  it('ends with the error that healing gives when the utterance is gone', async () => {
    const log = createMemoryLog();
    const heal = async () => {
      throw new RhapsodeError('utterance_not_found');
    };
    await expect(hear(log, { heal })).rejects.toMatchObject({ code: 'utterance_not_found' });
    await log.close();
  });

  it('tells of a failed sentence and goes on behind it, where that is asked for', async () => {
    const log = createMemoryLog();
    await publish(log, { segment: 0, epoch: 1, samples: 20 });
    await publish(log, { segment: 1, epoch: 2, samples: 40, dies: 2 });
    const failed = { kind: 'segment-failed' as const, segment: 1, epoch: 4 };
    await log.append(id, { ...failed, code: 'engine_crashed', reason: 'it crashed' }, noPcm);
    await log.append(id, { ...failed, segment: 2, code: 'unheard_of', reason: 'who knows' }, noPcm);
    await publish(log, { segment: 3, epoch: 1, samples: 30 });
    await endOf(log, 4);
    const ends: unknown[] = [];
    let heard: number[] = [];
    for await (const piece of assemble(
      id,
      { deterministic: true, sampleRateHz, failures: 'yield' },
      { log, heal: async () => undefined },
    ))
      if (isAudio(piece)) heard.push(...new Int16Array(piece.pcm.slice().buffer));
      else {
        ends.push([piece.segment, piece.failed, piece.failed ? 0 : heard.length]);
        heard = [];
      }
    expect(ends).toEqual([
      [0, undefined, 20 + pauseOf(0)],
      [1, { code: 'engine_crashed', reason: 'it crashed' }, 0],
      [2, { code: 'synthesis_failed', reason: 'who knows' }, 0],
      [3, undefined, 30 + pauseOf(3)],
    ]);
  });

  it('ends with an error that names the segment when a sentence failed, after all that comes before it', async () => {
    const log = createMemoryLog();
    const heard: number[] = [];
    await publish(log, { segment: 0, samples: 20, epoch: 1 });
    await log.append(
      id,
      { kind: 'segment-failed', segment: 1, epoch: 4, code: 'engine_crashed', reason: 'it crashed' },
      noPcm,
    );
    await endOf(log, 2);
    const listening = (async () => {
      for await (const piece of assemble(
        id,
        { deterministic: true, sampleRateHz },
        { log, heal: async () => undefined },
      ))
        if (isAudio(piece)) heard.push(...new Int16Array(piece.pcm.slice().buffer));
    })();
    await expect(listening).rejects.toMatchObject({ code: 'engine_crashed', segment: 1 });
    expect(heard).toEqual(expected([20]));
    await log.close();
  });

  it('refuses a position behind the end', async () => {
    const log = createMemoryLog();
    await publish(log, { segment: 0, samples: 20, epoch: 1 });
    await endOf(log, 1);
    expect((await hear(log, { from: { segment: 1, sample: 0 } })).samples).toEqual([]);
    for (const from of [
      { segment: 0, sample: 21 + pauseOf(0) },
      { segment: 1, sample: 1 },
      { segment: 2, sample: 0 },
    ])
      await expect(hear(log, { from })).rejects.toMatchObject({ code: 'range_not_satisfiable' });
    await log.close();
  });
});

import { noPcm, RhapsodeError } from '@rhapsode/contracts';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Entry } from '../src/port.ts';
import { type Answer, createReader, type Follower, type LiveCopy, type LogSource } from '../src/reader.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** The chunk number tells the incarnation and the sequence, so that a mixed-up message shows. */
const copyOf = (incarnation: number, sequence: number, previous: number): LiveCopy => ({
  incarnation,
  sequence,
  previous,
  open: () => ({
    message: {
      kind: 'audio',
      segment: incarnation,
      epoch: 0,
      chunk: sequence,
      firstSample: 0,
      samples: 1,
      prefixDigest: '',
    },
    pcm: noPcm,
  }),
});

/** A log and a network whose every delivery is decided by the test. */
function createFake() {
  let incarnation = 1;
  let last = 0;
  let stored: LiveCopy[] = [];
  let follower: Follower | undefined;
  const copies: LiveCopy[] = [];
  const questions: { after: number; resolve(answer: Answer): void; reject(error: unknown): void }[] = [];
  const answers: (() => void)[] = [];

  const source: LogSource = {
    ask: (after, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
        questions.push({ after, resolve, reject });
      }),
    follow(started) {
      follower = started;
      return () => {
        follower = undefined;
      };
    },
  };
  return {
    source,
    copies,
    questions,
    answers,
    stored: () => stored,
    incarnation: () => incarnation,
    followed: () => follower !== undefined,
    /** Other utterances take `skipped` sequences in between. */
    append(skipped = 0) {
      const previous = stored.at(-1)?.sequence ?? 0;
      last += 1 + skipped;
      const copy = copyOf(incarnation, last, previous);
      stored.push(copy);
      copies.push(copy);
    },
    purge(upTo: number) {
      stored = stored.filter(({ sequence }) => sequence > upTo);
    },
    beginAnew() {
      incarnation++;
      last = 0;
      stored = [];
    },
    live: (copy: LiveCopy) => follower?.live(copy),
    interrupt: () => follower?.interrupted(),
    /** The log looks; its answer is on its way. */
    look(question = questions.shift()) {
      if (!question) return;
      const message = stored.find(({ sequence }) => sequence > question.after);
      const answer = { incarnation, message, last };
      answers.push(() => question.resolve(answer));
    },
    refuse: () => questions.shift()?.reject(new RhapsodeError('log_unavailable')),
  };
}

const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms);
const options = { readAhead: 3, pollMs: 50, signals: [] };

type Step =
  | { do: 'append'; skipped: number }
  | { do: 'deliver' | 'lose' | 'double'; copy: number }
  | { do: 'look' }
  | { do: 'answer' }
  | { do: 'refuse' | 'interrupt' }
  | { do: 'beginAnew' }
  | { do: 'purge'; share: number }
  | { do: 'read'; waitMs: number }
  | { do: 'pass'; ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('append' as const), skipped: fc.nat(3) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('deliver' as const), copy: fc.nat(9) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('lose' as const, 'double' as const), copy: fc.nat(9) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('look' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('answer' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('refuse' as const, 'interrupt' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('beginAnew' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('purge' as const), share: fc.double({ min: 0, max: 1 }) }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('read' as const), waitMs: fc.nat(120) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(60) }) },
);

async function play(steps: readonly Step[], after: number, readAhead: number) {
  const log = createFake();
  for (let i = 0; i < after; i++) log.append();
  log.copies.length = 0;
  const reader = createReader(log.source, { ...options, after, readAhead });
  if (after > 0) {
    // A sequence means something in one incarnation only; this is the reader's first word with it.
    log.look();
    log.answers.shift()!();
    await settle();
  }
  const overlooked: number[] = [];
  /** What was yielded between one `lost` and the next. */
  const sections: Entry[][] = [[]];
  let losses = 0;
  let reading = false;

  async function read(waitMs: number) {
    if (reading) return;
    reading = true;
    const [asked, then] = [log.incarnation(), [...log.stored()]];
    const item = await reader.next(waitMs);
    reading = false;
    if (item === undefined) {
      const yielded = new Set(sections.at(-1)!.map(({ sequence }) => sequence));
      const still = then.filter(
        (copy) => copy.sequence > (losses ? 0 : after) && log.stored().includes(copy),
      );
      if (asked === log.incarnation())
        overlooked.push(
          ...still.map(({ sequence }) => sequence).filter((sequence) => !yielded.has(sequence)),
        );
    } else if ('lost' in item) sections.push([]);
    else sections.at(-1)!.push(item);
    return item;
  }

  for (const each of steps) {
    if (each.do === 'append') log.append(each.skipped);
    else if (each.do === 'look') log.look();
    else if (each.do === 'answer') log.answers.shift()?.();
    else if (each.do === 'refuse') log.refuse();
    else if (each.do === 'interrupt') log.interrupt();
    else if (each.do === 'purge') log.purge(Math.floor(each.share * (log.stored().at(-1)?.sequence ?? 0)));
    else if (each.do === 'read') void read(each.waitMs);
    else if (each.do === 'pass') await settle(each.ms);
    else if (each.do === 'beginAnew') {
      log.beginAnew();
      losses++;
    } else if ('copy' in each && log.copies.length > 0) {
      const at = each.copy % log.copies.length;
      const copy = log.copies[at]!;
      if (each.do !== 'double') log.copies.splice(at, 1);
      if (each.do !== 'lose') log.live(copy);
    }
    await settle();
    expect(reader.kept).toBeLessThanOrEqual(readAhead);
  }

  // From here on the network is a good one.
  let quiet = 0;
  for (let round = 0; quiet < 3; round++) {
    if (round > 2_000) throw new Error('the reader does not come to an end');
    if (!reading)
      void read(0).then((item) => {
        if (item === undefined) quiet++;
      });
    while (log.questions.length > 0 || log.answers.length > 0) {
      log.look();
      log.answers.shift()?.();
      await settle();
    }
    await settle(10);
  }
  reader.close();
  return { log, sections, losses, overlooked };
}

describe('whatever is lost, doubled, delayed or purged', () => {
  test('a reader yields every message that is still stored, once and in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 80 }),
        fc.nat(3),
        fc.integer({ min: 1, max: 4 }),
        async (steps, after, readAhead) => {
          const { log, sections, losses, overlooked } = await play(steps, after, readAhead);
          expect(overlooked).toEqual([]);
          expect(sections.length - 1).toBeLessThanOrEqual(losses);
          const all = sections.flat().map(({ message }) => message as { segment: number; chunk: number });
          expect(new Set(all.map(({ segment, chunk }) => `${segment}:${chunk}`)).size).toBe(all.length);
          for (const section of sections) {
            const sequences = section.map(({ sequence }) => sequence);
            expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
            expect(
              new Set(section.map(({ message }) => (message as { segment: number }).segment)).size,
            ).toBeLessThan(2);
          }
          const newest = sections
            .at(-1)!
            .filter(({ message }) => (message as { segment: number }).segment === log.incarnation())
            .map(({ sequence }) => sequence);
          const start = losses === 0 ? after : 0;
          const kept = log.stored().map(({ sequence }) => sequence);
          expect(newest).toEqual(expect.arrayContaining(kept.filter((sequence) => sequence > start)));
        },
      ),
      { numRuns: 1500 },
    );
  }, 120_000);
});

describe('a reader', () => {
  test('asks no more than once while live copies come in order', async () => {
    const log = createFake();
    const reader = createReader(log.source, options);
    log.look();
    log.answers.shift()!();
    await settle();
    for (let n = 1; n <= 20; n++) {
      log.append();
      log.live(log.copies.shift()!);
      expect(await reader.next(1000)).toMatchObject({ sequence: n });
    }
    expect(log.questions).toEqual([]);
  });

  test('keeps no bytes beyond its read-ahead, and asks for them when there is room', async () => {
    const log = createFake();
    const reader = createReader(log.source, options);
    log.look();
    log.answers.shift()!();
    await settle();
    for (let n = 0; n < 10; n++) {
      log.append();
      log.live(log.copies.shift()!);
    }
    await settle(1000);
    expect(reader.kept).toBe(3);
    expect(log.questions).toEqual([]);
    expect(await reader.next(0)).toMatchObject({ sequence: 1 });
    expect(log.questions).toMatchObject([{ after: 3 }]);
  });

  test('yields what it has before it says that the log began anew', async () => {
    const log = createFake();
    const reader = createReader(log.source, options);
    log.look();
    log.answers.shift()!();
    await settle();
    log.append();
    log.live(log.copies.shift()!);
    log.beginAnew();
    log.append();
    log.live(log.copies.shift()!);
    expect(await reader.next(0)).toMatchObject({ sequence: 1, message: { segment: 1 } });
    expect(await reader.next(0)).toEqual({ lost: true });
    expect(await reader.next(0)).toMatchObject({ sequence: 1, message: { segment: 2 } });
  });

  test('takes nothing from an answer of the log that was', async () => {
    const log = createFake();
    const reader = createReader(log.source, options);
    log.look();
    log.answers.shift()!();
    await settle();
    log.append(4);
    log.copies.length = 0;
    log.interrupt();
    log.look();
    log.beginAnew();
    log.append();
    log.live(log.copies.shift()!);
    log.answers.shift()!();
    expect(await reader.next(0)).toEqual({ lost: true });
    expect(await reader.next(0)).toMatchObject({ sequence: 1, message: { segment: 2 } });
    expect(reader.kept).toBe(0);
  });

  test('asks at once after an interruption, and again when that came while it was asking', async () => {
    const log = createFake();
    createReader(log.source, options);
    log.look();
    log.interrupt();
    log.answers.shift()!();
    await settle();
    expect(log.questions).toHaveLength(1);
    log.look();
    log.answers.shift()!();
    await settle();
    expect(log.questions).toEqual([]);
    log.interrupt();
    expect(log.questions).toHaveLength(1);
  });

  test('does not say that there is nothing when a live copy told of more while the log was asked', async () => {
    const log = createFake();
    const reader = createReader(log.source, options);
    log.look();
    log.answers.shift()!();
    await settle();
    const next = reader.next(0);
    log.look();
    log.append();
    log.append();
    log.live(log.copies[1]!);
    log.answers.shift()!();
    await settle();
    log.look();
    log.answers.shift()!();
    expect(await next).toMatchObject({ sequence: 1 });
  });

  test('tells of a message that it cannot read, and goes on behind it', async () => {
    const log = createFake();
    const reader = createReader(log.source, options);
    log.look();
    log.answers.shift()!();
    await settle();
    log.append();
    log.append();
    const [bad, good] = log.copies.splice(0) as [LiveCopy, LiveCopy];
    log.live({
      ...bad,
      open: () => {
        throw new RhapsodeError('bad_message');
      },
    });
    log.live(good);
    await expect(reader.next(0)).rejects.toMatchObject({ code: 'bad_message' });
    expect(await reader.next(0)).toMatchObject({ sequence: 2 });
  });

  test('tells once of a log that is not as it must be, and goes on when it is', async () => {
    const log = createFake();
    log.append();
    const reader = createReader(log.source, options);
    const first = expect(reader.next(0)).rejects.toMatchObject({ code: 'config_invalid' });
    log.questions.shift()!.reject(new RhapsodeError('config_invalid'));
    await settle();
    await first;
    const second = reader.next(0);
    log.look();
    log.answers.shift()!();
    expect(await second).toMatchObject({ sequence: 1 });
  });

  test('leaves nothing behind when it is closed', async () => {
    const log = createFake();
    const reader = createReader(log.source, options);
    const waiting = expect(reader.next(1000)).rejects.toMatchObject({ name: 'AbortError' });
    await settle();
    reader.close();
    await waiting;
    await settle();
    expect(log.followed()).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });
});

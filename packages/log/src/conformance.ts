import { type LogMessage, newUtteranceId, noPcm } from '@rhapsode/contracts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AudioLog, Entry, LogReader } from './port.ts';

export interface LogHarness {
  readonly log: AudioLog;
  /** From now on, live copies for which this answers true are lost on their way to readers. */
  loseLive(lose: () => boolean): void;
  /** The log can't be reached between these two. It forgets nothing. */
  down(): Promise<void>;
  up(): Promise<void>;
  /** Loses all that was stored, and counts from 1 again. */
  beginAnew(): Promise<void>;
  close(): Promise<void>;
}

export interface HarnessOptions {
  readonly appendTimeoutMs?: number;
  readonly maxBytes?: number;
}

/** What every adapter must do. `create` gives a log that is empty and reachable. */
export function logConformance(name: string, create: (options: HarnessOptions) => Promise<LogHarness>): void {
  describe(`${name}: the promises of the audio log`, () => {
    const open: LogHarness[] = [];
    let utterance: string;

    async function start(options: HarnessOptions = {}): Promise<LogHarness> {
      const harness = await create(options);
      open.push(harness);
      return harness;
    }

    beforeEach(() => {
      utterance = newUtteranceId();
    });
    afterEach(async () => {
      for (const harness of open.splice(0)) await harness.close();
    });

    const fill = async (log: AudioLog, from: number, to: number, id = utterance) => {
      const sequences: number[] = [];
      for (let chunk = from; chunk < to; chunk++) sequences.push(await log.append(id, ...chunkOf(chunk)));
      return sequences;
    };

    describe('append', () => {
      test('gives rising sequences', async () => {
        const { log } = await start();
        const sequences = await fill(log, 0, 10);
        expect(sequences).toEqual([...new Set(sequences)].sort((a, b) => a - b));
        expect(sequences[0]).toBeGreaterThan(0);
      });

      test('stores one message when it is appended twice, and answers with the same sequence', async () => {
        const { log } = await start();
        const first = await log.append(utterance, ...chunkOf(0));
        await log.append(utterance, ...chunkOf(1));
        expect(await log.append(utterance, ...chunkOf(0))).toBe(first);
        expect(await chunks(log.read(utterance))).toEqual([0, 1]);
      });

      test('stores one message when two writers append it at once', async () => {
        const { log } = await start();
        const twice = await Promise.all([
          log.append(utterance, ...chunkOf(0)),
          log.append(utterance, ...chunkOf(0)),
        ]);
        expect(twice[0]).toBe(twice[1]);
        expect(await chunks(log.read(utterance))).toEqual([0]);
      });

      test('stores a message again when the one with its id was purged', async () => {
        const { log } = await start();
        const end: LogMessage = { kind: 'utterance-end', segments: 1 };
        for (let round = 0; round < 3; round++) {
          const [first, second] = [
            await log.append(utterance, end, noPcm),
            await log.append(utterance, end, noPcm),
          ];
          expect(second).toBe(first);
          expect(await everything(log.read(utterance))).toEqual([
            { sequence: first, message: end, pcm: noPcm },
          ]);
          await log.purge(utterance);
        }
      });

      test('keeps every kind of message as it was, whatever text is in it', async () => {
        const { log } = await start();
        const sent = everyKind();
        const sequences: number[] = [];
        for (const [message, pcm] of sent) sequences.push(await log.append(utterance, message, pcm));
        const expected = sent.map(([message, pcm], i) => ({ sequence: sequences[i], message, pcm }));
        expect(await everything(log.read(utterance))).toEqual(expected);
        for (const entry of expected) expect(await log.get(utterance, entry.sequence!)).toEqual(entry);
      });

      test('keeps what was appended when the writer uses its buffer again', async () => {
        const { log } = await start();
        const [message, pcm] = chunkOf(5);
        const buffer = Buffer.from(pcm);
        const sequence = await log.append(utterance, message, buffer);
        buffer.fill(0);
        expect((await log.get(utterance, sequence))?.pcm).toEqual(pcm);
      });

      test('gives PCM that can be viewed as 16-bit samples, live and read again', async () => {
        const { log } = await start();
        const reader = log.read(utterance);
        await reader.next(0);
        const sequence = await log.append(utterance, ...chunkOf(3));
        const entries = [await reader.next(5_000), await log.get(utterance, sequence)] as Entry[];
        for (const { pcm } of entries)
          expect(new Int16Array(pcm.buffer, pcm.byteOffset, pcm.byteLength / 2)[0]).toBe(3);
      });

      test('refuses a message that is larger than the log takes', async () => {
        const { log } = await start();
        const samples = 1_000_000;
        const [message] = chunkOf(0);
        await expect(
          log.append(utterance, { ...message, samples } as LogMessage, new Uint8Array(samples * 2)),
        ).rejects.toMatchObject({ code: 'bad_message', message: expect.stringMatching(/bytes/) });
        expect(await everything(log.read(utterance))).toEqual([]);
      });

      test('rejects with the reason when it is cancelled', async () => {
        const { log } = await start();
        const reason = new Error('no longer wanted');
        await expect(log.append(utterance, ...chunkOf(0), AbortSignal.abort(reason))).rejects.toBe(reason);
        expect(await everything(log.read(utterance))).toEqual([]);
      });

      test('waits while the log is full, and goes on when there is room', async () => {
        const { log } = await start({ maxBytes: 100_000 });
        const other = newUtteranceId();
        await log.append(other, ...bigChunkOf(0, 40_000));
        await log.append(other, ...bigChunkOf(1, 40_000));
        const waiting = log.append(utterance, ...bigChunkOf(0, 40_000));
        await log.purge(other);
        expect(await waiting).toBeGreaterThan(0);
        expect(await everything(log.read(utterance))).toHaveLength(1);
      });

      test('fails with log_full when the log stays full', async () => {
        const { log } = await start({ maxBytes: 100_000, appendTimeoutMs: 300 });
        await log.append(utterance, ...bigChunkOf(0, 40_000));
        await log.append(utterance, ...bigChunkOf(1, 40_000));
        await expect(log.append(utterance, ...bigChunkOf(2, 40_000))).rejects.toMatchObject({
          code: 'log_full',
        });
        expect(await chunks(log.read(utterance))).toEqual([0, 1]);
      });
    });

    describe('get', () => {
      test('gives nothing for a sequence that another utterance has, or none', async () => {
        const { log } = await start();
        const ids = Array.from({ length: 5 }, newUtteranceId);
        const sequences = new Map<string, number[]>();
        for (const id of [...ids, ...ids])
          sequences.set(id, [
            ...(sequences.get(id) ?? []),
            await log.append(id, ...chunkOf(sequences.get(id)?.length ?? 0)),
          ]);
        for (const [id, own] of sequences)
          for (const sequence of [...sequences.values()].flat()) {
            const entry = await log.get(id, sequence);
            if (own.includes(sequence)) expect(chunkIn(entry!)).toBe(own.indexOf(sequence));
            else expect(entry).toBeUndefined();
          }
        expect(await log.get(utterance, 10_000)).toBeUndefined();
      });
    });

    describe('read', () => {
      test('yields what is stored, then what comes, each once and in order', async () => {
        const { log } = await start();
        await fill(log, 0, 20);
        const reader = log.read(utterance);
        expect(await chunks(reader)).toEqual(upTo(20));
        await fill(log, 20, 40);
        expect(await chunks(reader)).toEqual(upTo(40).slice(20));
      });

      test('starts behind a sequence', async () => {
        const { log } = await start();
        const sequences = await fill(log, 0, 10);
        expect(await chunks(log.read(utterance, { after: sequences[6]! }))).toEqual([7, 8, 9]);
      });

      test('keeps utterances apart', async () => {
        const { log } = await start();
        const ids = Array.from({ length: 20 }, newUtteranceId);
        const readers = ids.map((id) => log.read(id));
        await Promise.all(ids.map((id, i) => fill(log, i * 100, i * 100 + 10, id)));
        for (const [i, reader] of readers.entries())
          expect(await chunks(reader)).toEqual(upTo(10).map((chunk) => i * 100 + chunk));
      });

      test('says that there is nothing only after asking the log', async () => {
        const harness = await start();
        const { log } = harness;
        const reader = log.read(utterance);
        expect(await reader.next(0)).toBeUndefined();
        harness.loseLive(() => true);
        for (let chunk = 0; chunk < 5; chunk++) {
          await log.append(utterance, ...chunkOf(chunk));
          expect(await reader.next(0)).toMatchObject({ message: { chunk } });
        }
        expect(await reader.next(0)).toBeUndefined();
      });

      test('does not wait for a lost live copy any longer than a poll takes', async () => {
        const harness = await start();
        const { log } = harness;
        harness.loseLive(() => true);
        const reader = log.read(utterance);
        const next = reader.next(60_000);
        await log.append(utterance, ...chunkOf(0));
        expect(await next).toMatchObject({ message: { chunk: 0 } });
      });

      test('misses nothing when a third of the live copies is lost', async () => {
        const harness = await start();
        const { log } = harness;
        let n = 0;
        harness.loseLive(() => n++ % 3 === 1);
        const readers = [log.read(utterance), log.read(utterance)];
        const writing = fill(log, 0, 100);
        const read = await Promise.all(readers.map((reader) => take(reader, 100)));
        await writing;
        for (const entries of read) expect(entries.map(chunkIn)).toEqual(upTo(100));
      });

      test('a consumer that stops for a while has missed nothing', async () => {
        const { log } = await start();
        const reader = log.read(utterance);
        await fill(log, 0, 5);
        expect((await take(reader, 5)).map(chunkIn)).toEqual(upTo(5));
        await fill(log, 5, 200);
        expect(await chunks(reader)).toEqual(upTo(200).slice(5));
      });

      test('ends with the reason when it is cancelled, also while it waits', async () => {
        const { log } = await start();
        const stop = new AbortController();
        const reader = log.read(utterance, { signal: stop.signal });
        const waiting = reader.next(60_000);
        const reason = new Error('the listener has gone');
        stop.abort(reason);
        await expect(waiting).rejects.toBe(reason);
        await expect(reader.next(0)).rejects.toBe(reason);
        await expect(log.read(utterance, { signal: stop.signal }).next(0)).rejects.toBe(reason);
      });

      test('ends when it is closed, also while it waits', async () => {
        const { log } = await start();
        const reader = log.read(utterance);
        const waiting = reader.next(60_000);
        reader.close();
        await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
      });

      test('refuses a second next() while one waits', async () => {
        const { log } = await start();
        const reader = log.read(utterance);
        const waiting = reader.next(60_000);
        await expect(reader.next(0)).rejects.toThrow('one next() at a time');
        await log.append(utterance, ...chunkOf(0));
        expect(await waiting).toMatchObject({ message: { chunk: 0 } });
      });
    });

    describe('purge', () => {
      test('forgets one utterance and no other', async () => {
        const { log } = await start();
        const other = newUtteranceId();
        await fill(log, 0, 5);
        await fill(log, 0, 5, other);
        await log.purge(utterance);
        expect(await chunks(log.read(utterance))).toEqual([]);
        expect(await chunks(log.read(other))).toEqual(upTo(5));
      });

      test('forgets up to and including a sequence', async () => {
        const { log } = await start();
        const sequences = await fill(log, 0, 6);
        await log.purge(utterance, sequences[3]!);
        expect(await chunks(log.read(utterance))).toEqual([4, 5]);
        expect(await log.get(utterance, sequences[3]!)).toBeUndefined();
        expect(await log.get(utterance, sequences[4]!)).toBeDefined();
      });

      test('behind a reader takes nothing from it', async () => {
        const { log } = await start();
        const reader = log.read(utterance);
        const read: number[] = [];
        const writing = fill(log, 0, 100);
        while (read.length < 100) {
          const entry = (await reader.next(5_000)) as Entry;
          read.push(chunkIn(entry));
          if (read.length % 5 === 0) await log.purge(utterance, entry.sequence);
        }
        await writing;
        expect(read).toEqual(upTo(100));
        expect(await chunks(log.read(utterance))).toEqual([]);
      });

      test('of what is not there is no error', async () => {
        const { log } = await start();
        await log.purge(utterance);
        await log.purge(utterance, 1000);
      });
    });

    describe('cancellation', () => {
      test('is told to every listener until it has gone', async () => {
        const { log } = await start();
        const [staying, leaving] = [new AbortController(), new AbortController()];
        const told: string[] = [];
        const never: string[] = [];
        log.onCancel((id) => told.push(id), staying.signal);
        log.onCancel((id) => never.push(id), leaving.signal);
        leaving.abort();
        const other = newUtteranceId();
        // A listener may be a moment away from hearing: announcements are "at most once".
        await expect
          .poll(async () => {
            await log.announceCancel(utterance);
            return told;
          })
          .toContain(utterance);
        await log.announceCancel(other);
        await expect.poll(() => told).toContain(other);
        expect(never).toEqual([]);
        staying.abort();
      });
    });

    describe('an interruption', () => {
      test('ends with readers and writers going on by themselves, and nothing lost or doubled', async () => {
        const harness = await start();
        const { log } = harness;
        const reader = log.read(utterance);
        await fill(log, 0, 5);
        expect((await take(reader, 5)).map(chunkIn)).toEqual(upTo(5));
        const waiting = take(reader, 5);
        await harness.down();
        const writing = Promise.all(
          upTo(10)
            .slice(5)
            .map((chunk) => log.append(utterance, ...chunkOf(chunk))),
        );
        await harness.up();
        await writing;
        expect((await waiting).map(chunkIn).sort((a, b) => a - b)).toEqual(upTo(10).slice(5));
        expect(await reader.next(0)).toBeUndefined();
        expect(await log.ping()).toBeUndefined();
      });

      test('makes append and ping fail with log_unavailable when it lasts', async () => {
        const harness = await start({ appendTimeoutMs: 300 });
        const { log } = harness;
        const [sequence] = await fill(log, 0, 1);
        await harness.down();
        await expect(log.append(utterance, ...chunkOf(1))).rejects.toMatchObject({ code: 'log_unavailable' });
        await expect(log.ping()).rejects.toMatchObject({ code: 'log_unavailable' });
        await expect(log.get(utterance, sequence!)).rejects.toMatchObject({ code: 'log_unavailable' });
        await harness.up();
      });

      test('does not keep an append or a reader that is cancelled', async () => {
        const harness = await start();
        const { log } = harness;
        const stop = new AbortController();
        const reader = log.read(utterance, { signal: stop.signal });
        await harness.down();
        const waiting = [log.append(utterance, ...chunkOf(0), stop.signal), reader.next(0)];
        const reason = new Error('no longer wanted');
        stop.abort(reason);
        for (const each of waiting) await expect(each).rejects.toBe(reason);
        await harness.up();
      });

      test('in which all was lost is told to readers before what was stored since', async () => {
        const harness = await start();
        const { log } = harness;
        const reader = log.read(utterance);
        await fill(log, 0, 10);
        expect((await take(reader, 10)).map(chunkIn)).toEqual(upTo(10));
        const waiting = reader.next(60_000);
        await harness.beginAnew();
        await fill(log, 20, 25);
        expect(await waiting).toEqual({ lost: true });
        expect(await chunks(reader)).toEqual(upTo(25).slice(20));
      });

      test('in which all was lost is told also when the new log is longer than the old one was', async () => {
        const harness = await start();
        const { log } = harness;
        const reader = log.read(utterance);
        await fill(log, 0, 3);
        expect((await take(reader, 3)).map(chunkIn)).toEqual(upTo(3));
        await harness.beginAnew();
        await fill(log, 20, 40);
        expect(await reader.next(5_000)).toEqual({ lost: true });
        expect(await chunks(reader)).toEqual(upTo(40).slice(20));
      });

      test('in which all was lost does not make a repeated message a duplicate', async () => {
        const harness = await start();
        const { log } = harness;
        await fill(log, 0, 5);
        await harness.beginAnew();
        await fill(log, 0, 5);
        expect(await chunks(log.read(utterance))).toEqual(upTo(5));
      });

      test('in which all was lost is seen from a cursor that the log has not reached', async () => {
        const { log } = await start();
        await fill(log, 0, 3);
        const reader = log.read(utterance, { after: 1000 });
        expect(await reader.next(5_000)).toEqual({ lost: true });
        expect(await chunks(reader)).toEqual(upTo(3));
      });
    });

    describe('close', () => {
      test('ends what waits, and nothing works afterwards', async () => {
        const { log } = await start();
        await log.ping();
        const reader = log.read(utterance);
        const waiting = expect(reader.next(60_000)).rejects.toMatchObject({ code: 'log_unavailable' });
        await log.close();
        await waiting;
        const unavailable = { code: 'log_unavailable' };
        await expect(log.append(utterance, ...chunkOf(0))).rejects.toMatchObject(unavailable);
        await expect(log.get(utterance, 1)).rejects.toMatchObject(unavailable);
        await expect(log.purge(utterance)).rejects.toMatchObject(unavailable);
        await expect(log.ping()).rejects.toMatchObject(unavailable);
        await expect(log.read(utterance).next(0)).rejects.toMatchObject(unavailable);
        await log.close();
      });
    });
  });
}

export const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** A chunk whose samples all hold its number. */
export function bigChunkOf(chunk: number, bytes: number): [LogMessage, Uint8Array] {
  const samples = bytes / 2;
  const pcm = new Uint8Array(new Int16Array(samples).fill(chunk).buffer);
  const prefixDigest = chunk.toString(16).padStart(16, '0');
  return [
    { kind: 'audio', segment: 0, epoch: 1, chunk, firstSample: chunk * samples, samples, prefixDigest },
    pcm,
  ];
}
export const chunkOf = (chunk: number) => bigChunkOf(chunk, 64);

/** The chunk's number; fails when its samples are another's. */
export function chunkIn({ message, pcm }: Entry): number {
  if (message.kind !== 'audio') throw new Error(`expected a chunk, not ${message.kind}`);
  const [chunk] = bigChunkOf(message.chunk, pcm.byteLength).slice(1) as [Uint8Array];
  expect(pcm).toEqual(chunk);
  return message.chunk;
}

/** All that is stored now. */
export async function everything(reader: LogReader): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (;;) {
    const entry = await reader.next(0);
    if (!entry) return entries;
    if ('lost' in entry) throw new Error('the log began anew');
    entries.push(entry);
  }
}

const chunks = async (reader: LogReader): Promise<number[]> => (await everything(reader)).map(chunkIn);

export async function take(reader: LogReader, count: number): Promise<Entry[]> {
  const entries: Entry[] = [];
  while (entries.length < count) {
    const entry = await reader.next(10_000);
    if (!entry || 'lost' in entry)
      throw new Error(`${entries.length} of ${count}, then ${JSON.stringify(entry)}`);
    entries.push(entry);
  }
  return entries;
}

function everyKind(): [LogMessage, Uint8Array][] {
  const end = {
    kind: 'segment-end',
    segment: 0,
    chunks: 1,
    samples: 32,
    pauseSamples: 7,
    digest: 'ab'.repeat(32),
    synthesisMs: 1.5,
    queueMs: 0,
  } as const;
  const mark = { kind: 'phoneme', text: 'ɹˈæp — “日本” 🎵\r\n\u0000', firstSample: 0, samples: 3 } as const;
  return [
    chunkOf(0),
    [{ ...end, epoch: 1, marksFrom: 'none', marks: [] }, noPcm],
    [{ ...end, epoch: 2, marksFrom: 'model', marks: [mark, { ...mark, start: 0, end: 4 }] }, noPcm],
    // Longer than a bus keeps in headers.
    [{ ...end, epoch: 3, marksFrom: 'model', marks: Array.from({ length: 2000 }, () => mark) }, noPcm],
    [
      { kind: 'segment-failed', segment: 1, epoch: 4, code: 'engine_crashed', reason: 'élan: \n\t"…"' },
      noPcm,
    ],
    [{ kind: 'utterance-end', segments: 2 }, noPcm],
  ];
}

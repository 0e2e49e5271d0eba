import {
  RhapsodeError,
  type Segment,
  segment as segmentSchema,
  type Utterance,
  utterance as utteranceSchema,
  voiceInfo,
} from '@rhapsode/contracts';
import { z } from 'zod';
import { costMs, encodeSegment } from '../item.ts';
import type {
  Cancelled,
  Outcome,
  Progress,
  Released,
  StoredPiece,
  TextOutcome,
  UtteranceState,
  WorkerRecord,
} from '../port.ts';

// How records look in Redis. The scripts look no deeper than the first word.

const workerRecord = z.object({
  id: z.string(),
  pool: z.string(),
  slots: z.int().min(0),
  voices: z.array(voiceInfo),
});

function parse<T>(schema: z.ZodType<T>, json: string): T {
  try {
    return schema.parse(JSON.parse(json));
  } catch (cause) {
    throw new RhapsodeError('bad_message', { message: 'a record of the store is malformed', cause });
  }
}

export const encodeUtterance = (utterance: Utterance): string =>
  JSON.stringify(utteranceSchema.parse(utterance));

export const encodeItem = (segment: Segment): string => `${costMs(segment)} ${encodeSegment(segment)}`;
export const decodeItem = (item: string): Segment => parse(segmentSchema, item.slice(item.indexOf(' ') + 1));

/** `-`, `f` (flush), `e` (end) or `b` (both), and the text as JSON, which has a way to write half of a surrogate pair. */
export const decodePiece = (item: string): StoredPiece => ({
  text: parse(z.string(), item.slice(1)),
  flush: item[0] === 'f' || item[0] === 'b',
  end: item[0] === 'e' || item[0] === 'b',
});

export type TextReply = [result: TextOutcome['result'], length: number, pieces: number, complete: number];

export const decodeTextOutcome = ([result, length, pieces, complete]: TextReply): TextOutcome => ({
  result,
  length,
  pieces,
  complete: complete === 1,
});

export const encodeOutcome = (outcome: Outcome): string =>
  'failed' in outcome ? `f${outcome.failed}` : `s${outcome.samples}`;

/** `<generation>` or `<generation> <outcome>` */
export function decodeProgress(text: string): Progress {
  const space = text.indexOf(' ');
  if (space < 0) return { generation: Number(text), outcome: undefined };
  const rest = text.slice(space + 2);
  const outcome = text[space + 1] === 'f' ? { failed: rest } : { samples: Number(rest) };
  return { generation: Number(text.slice(0, space)), outcome };
}

export type StateReply = [record: string, ...numbers: number[]] | [];

export function decodeState([record, ...numbers]: StateReply): UtteranceState | undefined {
  if (record === undefined) return undefined;
  const [segments = 0, sealed, released = 0, consumed = 0, finished = 0, failed = 0, cancelled] = numbers;
  const [length = 0, pieces = 0, complete, attended] = numbers.slice(7);
  const utterance = parse(utteranceSchema, record);
  return {
    utterance,
    segments,
    sealed: sealed === 1,
    released,
    consumed,
    finished,
    failed,
    cancelled: cancelled === 1,
    attended: attended === 1,
    text: utterance.idleMs === undefined ? undefined : { length, pieces, complete: complete === 1 },
  };
}

/** Utterance, index, segment, generation; and so on. */
export function decodeReleased(reply: readonly string[]): Released[] {
  return inGroups(reply, 4).map(([record, index, item, generation]) => ({
    utterance: parse(utteranceSchema, record!),
    index: Number(index),
    segment: decodeItem(item!),
    generation: Number(generation),
  }));
}

/** How many are unfinished; then segment and generation of each in flight. */
export function decodeCancelled(reply: readonly number[] | null): Cancelled | undefined {
  if (reply === null) return undefined;
  const [unfinished = 0, ...numbers] = reply;
  const inFlight = inGroups(numbers, 2).map(([segment, generation]) => ({
    segment: segment!,
    generation: generation!,
  }));
  return { inFlight, unfinished };
}

export const decodeWorkers = (records: readonly string[]): WorkerRecord[] =>
  byId(records.map((record) => parse(workerRecord, record)));
export const decodeVoices = (records: readonly string[]) =>
  byId(records.map((record) => parse(voiceInfo, record)));

const inGroups = <T>(values: readonly T[], size: number): T[][] =>
  Array.from({ length: values.length / size }, (_, i) => values.slice(i * size, (i + 1) * size));

const byId = <T extends { id: string }>(records: T[]): T[] => records.sort((a, b) => (a.id < b.id ? -1 : 1));

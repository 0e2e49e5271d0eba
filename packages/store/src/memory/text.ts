import type { ArrivedText, StoredPiece, TextOutcome, TextPiece } from '../port.ts';

/** The text of an utterance that arrives in pieces, and until when somebody holds it. */
export interface TextRecord {
  pieces: StoredPiece[];
  length: number;
  count: number;
  complete: boolean;
  /** Where the last flush was. */
  flushed: number;
  /** Infinity: it needs nobody. */
  heldUntilMs: number;
}

export const createTextRecord = (heldUntilMs: number): TextRecord => ({
  pieces: [],
  length: 0,
  count: 0,
  complete: false,
  flushed: 0,
  heldUntilMs,
});

export const arrivedText = ({ length, count, complete }: TextRecord): ArrivedText => ({
  length,
  pieces: count,
  complete,
});

/** See `RequestStore.addText`. */
export function addPiece(record: TextRecord, piece: TextPiece, maxLength: number): TextOutcome['result'] {
  const { text, at = record.length } = piece;
  const behind = at + text.length;
  const fresh = text.length > 0 && behind > record.length;
  const atEnd = (fresh ? at : behind) === record.length;
  const end = piece.end && !record.complete;
  if (at > record.length) return 'refused';
  if (fresh && (!atEnd || record.complete || behind > maxLength)) return 'refused';
  if (end && !atEnd) return 'refused';
  const flush = piece.flush && atEnd && !record.complete && behind > 0 && (fresh || record.flushed < behind);
  if (!fresh && !flush && !end) return 'there';
  record.pieces.push({ text: fresh ? text : '', flush, end });
  record.count += 1;
  if (fresh) record.length = behind;
  if (flush) record.flushed = behind;
  record.complete ||= end;
  return 'stored';
}

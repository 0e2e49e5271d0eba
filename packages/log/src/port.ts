import type { Envelope, LogMessage } from '@rhapsode/contracts';

/**
 * The audio log: per utterance, an append-only sequence of messages that workers write and collectors read.
 *
 * Promises
 * - `append` resolves when the message is stored. Appending a message with the id of one that is stored (`messageId`,
 *   within two minutes) stores nothing and resolves with that one's sequence. What was purged is not stored any more.
 *   The PCM's buffer may be used again once `append` has resolved.
 * - Sequences of one utterance rise in the order of storing. They have holes.
 * - A reader yields every stored message of its utterance once, in order of sequence, from `after` on; live delivery may
 *   lose, double or reorder messages, readers do not. A reader never ends by itself.
 * - A reader keeps at most `readAhead` messages in memory; a slow consumer costs reads, not memory.
 * - The log may lose messages (a server with memory storage restarts, age, trim): readers then go on with what is
 *   stored and yield `{ lost: true }` first when the log began anew, i.e. when earlier sequences have no meaning any more.
 * - After a broken connection readers and writers go on by themselves; `append` keeps trying, with the same id, until its
 *   signal is aborted or `appendTimeoutMs` has passed, then rejects with `log_unavailable` or `log_full`. `get` and
 *   `purge` have the same patience. A message that no server takes is refused with `bad_message` at once.
 * - `close` waits for nothing: whatever is still waiting rejects with `log_unavailable`.
 */
export interface AudioLog {
  append(utterance: string, message: LogMessage, pcm: Uint8Array, signal?: AbortSignal): Promise<number>;
  read(utterance: string, options?: ReadOptions): LogReader;
  /** One stored message, or undefined if it is not there (any more). */
  get(utterance: string, sequence: number): Promise<Entry | undefined>;
  /** Forgets the messages of an utterance, all of them or those up to and including a sequence. */
  purge(utterance: string, upTo?: number): Promise<void>;
  /** Tells every process that an utterance is cancelled. At most once delivered, lost while disconnected. */
  announceCancel(utterance: string): Promise<void>;
  /** Calls back for announced cancellations until the signal is aborted. */
  onCancel(listener: (utterance: string) => void, signal: AbortSignal): void;
  /** Resolves when the connection answers and the streams are as they must be; rejects with `log_unavailable` or `config_invalid`. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface Entry extends Envelope {
  readonly sequence: number;
}

export interface ReadOptions {
  /** Start behind this sequence; 0 is the beginning. */
  readonly after?: number;
  readonly signal?: AbortSignal;
}

export interface LogReader {
  /**
   * The next message. `undefined`: nothing new within `waitMs`, and the log was asked (not only the live copy), so all
   * that was stored when the call was made has been yielded. While the log can't be asked the call lasts longer.
   * One call at a time. Rejects with the signal's reason, with `bad_message` in place of a message that can't be read
   * (the call after it goes on), and with `config_invalid`.
   */
  next(waitMs: number): Promise<Entry | LogLost | undefined>;
  /** A call that waits rejects with an AbortError. */
  close(): void;
}

export interface LogLost {
  readonly lost: true;
}

export const logDefaults = {
  /** Messages a reader keeps. */
  readAhead: 8,
  /** Longest a message is kept. */
  maxAgeMs: 15 * 60_000,
  duplicateWindowMs: 2 * 60_000,
  appendTimeoutMs: 15_000,
  /** How often a waiting reader asks the log itself. */
  pollMs: 750,
} as const;

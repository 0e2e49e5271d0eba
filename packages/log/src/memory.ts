import { encodeEnvelope, type LogMessage, messageId, RhapsodeError } from '@rhapsode/contracts';
import { type AudioLog, type Entry, logDefaults } from './port.ts';
import { createReader, type Follower, type LiveCopy, type LogSource } from './reader.ts';
import { keepTrying, present } from './retry.ts';

export interface MemoryLogOptions {
  readonly readAhead?: number;
  readonly pollMs?: number;
  readonly appendTimeoutMs?: number;
  readonly maxAgeMs?: number;
  readonly duplicateWindowMs?: number;
  /** PCM kept in all; appends beyond it wait for room, then fail with `log_full`. */
  readonly maxBytes?: number;
  /** Header and payload of one message. */
  readonly maxMessageBytes?: number;
  readonly faults?: MemoryLogFaults;
}

/** What may go wrong on a real bus, on order. Each is asked about every message. */
export interface MemoryLogFaults {
  /** What becomes of the live copy; `hold` delivers it after the utterance's next one. */
  live?(entry: Entry): 'deliver' | 'lose' | 'double' | 'hold';
  /** The message is stored, but the writer never hears of it. */
  loseAck?(utterance: string, message: LogMessage): boolean;
  /** Nothing can be appended, asked or changed while this is true. */
  down?(): boolean;
}

export interface MemoryLog extends AudioLog {
  /** Forgets everything and counts from 1 again, as a server with memory storage does when it restarts. */
  beginAnew(): void;
}

interface Item {
  readonly utterance: string;
  readonly id: string;
  readonly storedAtMs: number;
  readonly entry: Entry;
}

interface Channel {
  /** In order of sequence. */
  readonly items: Item[];
  readonly followers: Set<Follower>;
  readonly held: LiveCopy[];
}

/** What an entry costs beside its PCM, roughly. */
const entryBytes = 512;
const sizeOf = ({ entry }: Item): number => entry.pcm.byteLength + entryBytes;

/** The audio log of one process: the embedded mode's, and the one for tests. Keeps every promise of the port. */
export function createMemoryLog(options: MemoryLogOptions = {}): MemoryLog {
  const { readAhead, pollMs, appendTimeoutMs, maxAgeMs, duplicateWindowMs } = {
    ...logDefaults,
    ...options,
  };
  const { maxBytes = 512 * 1024 * 1024, maxMessageBytes = 1024 * 1024, faults = {} } = options;
  const channels = new Map<string, Channel>();
  /** Everything stored, oldest first. */
  const items = new Set<Item>();
  const ids = new Map<string, Item>();
  const cancelListeners = new Set<(utterance: string) => void>();
  const closing = new AbortController();
  let incarnation = 1;
  let lastSequence = 0;
  let bytes = 0;

  function channelOf(utterance: string): Channel {
    const known = channels.get(utterance);
    if (known) return known;
    const channel: Channel = { items: [], followers: new Set(), held: [] };
    channels.set(utterance, channel);
    return channel;
  }

  function tidy(utterance: string, channel: Channel): void {
    if (channel.items.length === 0 && channel.followers.size === 0) channels.delete(utterance);
  }

  function forget(item: Item): void {
    items.delete(item);
    bytes -= sizeOf(item);
    if (ids.get(item.id) === item) ids.delete(item.id);
  }

  function expire(): void {
    const oldestMs = performance.now() - maxAgeMs;
    for (const item of items) {
      if (item.storedAtMs > oldestMs) break;
      forget(item);
      const channel = channelOf(item.utterance);
      // The oldest of all is the oldest of its utterance.
      channel.items.shift();
      tidy(item.utterance, channel);
    }
  }

  function checkUp(): void {
    closing.signal.throwIfAborted();
    if (faults.down?.()) throw new RhapsodeError('log_unavailable');
    expire();
  }

  function store(utterance: string, message: LogMessage, pcm: Uint8Array): number {
    const id = messageId(utterance, message);
    const known = ids.get(id);
    const nowMs = performance.now();
    if (known && known.storedAtMs > nowMs - duplicateWindowMs) return known.entry.sequence;
    // The writer may use its buffer again.
    const entry: Entry = { sequence: lastSequence + 1, message, pcm: new Uint8Array(pcm) };
    const item: Item = { utterance, id, storedAtMs: nowMs, entry };
    if (bytes + sizeOf(item) > maxBytes) throw new RhapsodeError('log_full');
    const channel = channelOf(utterance);
    const previous = channel.items.at(-1)?.entry.sequence ?? 0;
    lastSequence = entry.sequence;
    channel.items.push(item);
    items.add(item);
    ids.set(id, item);
    bytes += sizeOf(item);
    const copy: LiveCopy = { incarnation, previous, sequence: entry.sequence, open: () => entry };
    sendLive(channel, copy, faults.live?.(entry) ?? 'deliver');
    return entry.sequence;
  }

  function sendLive(channel: Channel, copy: LiveCopy, fate: 'deliver' | 'lose' | 'double' | 'hold'): void {
    if (fate === 'lose') return;
    if (fate === 'hold') {
      channel.held.push(copy);
      return;
    }
    const copies = [copy, ...(fate === 'double' ? [copy] : []), ...channel.held.splice(0)];
    for (const follower of channel.followers) for (const each of copies) follower.live(each);
  }

  const sweeper = setInterval(expire, Math.min(maxAgeMs, 60_000)).unref();

  const sourceOf = (utterance: string): LogSource => ({
    async ask(after) {
      checkUp();
      const list = channels.get(utterance)?.items ?? [];
      const entry = list[firstBehind(list, after)]?.entry;
      const message = entry && { sequence: entry.sequence, open: () => entry };
      return { incarnation, message, last: lastSequence };
    },
    follow(follower) {
      const channel = channelOf(utterance);
      channel.followers.add(follower);
      return () => {
        channel.followers.delete(follower);
        tidy(utterance, channel);
      };
    },
  });

  return {
    async append(utterance, message, pcm, signal) {
      checkSize(utterance, message, pcm, maxMessageBytes);
      return keepTrying(
        async () => {
          checkUp();
          const sequence = store(utterance, message, pcm);
          if (faults.loseAck?.(utterance, message)) throw new RhapsodeError('log_unavailable');
          return sequence;
        },
        { timeoutMs: appendTimeoutMs, signals: present(closing.signal, signal) },
      );
    },

    read: (utterance, { after, signal } = {}) =>
      createReader(sourceOf(utterance), {
        after,
        readAhead,
        pollMs,
        signals: present(closing.signal, signal),
      }),

    get: (utterance, sequence) =>
      keepTrying(
        async () => {
          checkUp();
          const list = channels.get(utterance)?.items ?? [];
          const entry = list[firstBehind(list, sequence - 1)]?.entry;
          return entry?.sequence === sequence ? entry : undefined;
        },
        { timeoutMs: appendTimeoutMs, signals: [closing.signal] },
      ),

    purge: (utterance, upTo = Number.POSITIVE_INFINITY) =>
      keepTrying(
        async () => {
          checkUp();
          const channel = channels.get(utterance);
          if (!channel) return;
          for (const item of channel.items.splice(0, firstBehind(channel.items, upTo))) forget(item);
          tidy(utterance, channel);
        },
        { timeoutMs: appendTimeoutMs, signals: [closing.signal] },
      ),

    async announceCancel(utterance) {
      if (closing.signal.aborted || faults.down?.()) return;
      for (const listener of cancelListeners) queueMicrotask(() => listener(utterance));
    },

    onCancel(listener, signal) {
      if (signal.aborted) return;
      cancelListeners.add(listener);
      signal.addEventListener('abort', () => cancelListeners.delete(listener), { once: true });
    },

    async ping() {
      checkUp();
    },

    async close() {
      closing.abort(new RhapsodeError('log_unavailable', { message: 'The audio log is closed.' }));
      cancelListeners.clear();
      clearInterval(sweeper);
    },

    beginAnew() {
      incarnation++;
      lastSequence = 0;
      bytes = 0;
      items.clear();
      ids.clear();
      for (const channel of channels.values()) {
        channel.items.length = 0;
        channel.held.length = 0;
        for (const follower of channel.followers) follower.interrupted();
      }
    },
  };
}

/** Index of the first item with a sequence above `after`. */
function firstBehind(list: readonly Item[], after: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle]!.entry.sequence > after) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The same limit as on a bus, so that what works in one process works with three. */
function checkSize(utterance: string, message: LogMessage, pcm: Uint8Array, maxBytes: number): void {
  const { header, payload } = encodeEnvelope({ message, pcm });
  const size = Buffer.byteLength(header) + payload.byteLength;
  if (size > maxBytes)
    throw new RhapsodeError('bad_message', {
      message: `log message ${messageId(utterance, message)} has ${size} bytes; at most ${maxBytes} are kept`,
    });
}

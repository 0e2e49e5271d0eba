import { formatPosition, newUtteranceId, type Position, start as startPosition } from '@rhapsode/contracts';
import {
  type ClientMessage,
  decodeAudioFrame,
  mainContext,
  type ServerMessage,
  type ServerMessageOf,
  serverMessage,
} from '@rhapsode/contracts/session';
import { CancelledError, StreamError } from './errors.ts';
import { BrokenLinkError, type Link, openLink } from './link.ts';
import { parseError } from './read-error.ts';
import { createRetries, mayTryElsewhere, type RetryOptions } from './retries.ts';
import { createTextQueue } from './text-queue.ts';
import { createWorkQueue } from './work-queue.ts';

export type OpenFields = Omit<
  Extract<ClientMessage, { type: 'open' }>,
  'type' | 'context' | 'credit' | 'format' | 'sample_rate' | 'metrics'
>;

export interface SessionOptions extends RetryOptions {
  /** Of the session's route, at every gateway. */
  readonly urls: readonly string[];
  readonly socket: typeof WebSocket;
  readonly open: OpenFields;
  /** Most UTF-16 code units of a message; asked for each. */
  readonly maxTextChunk: () => number;
  /** A server that owes audio and says nothing for so long is taken for dead. */
  readonly silenceMs?: number | undefined;
  /** Audio that was received and not read yet. Beyond it the connection is given up until it has been read. */
  readonly maxBufferedBytes?: number | undefined;
  /** Tells a server, by whatever way there is, that nobody waits for the utterance any more. */
  readonly forget: (utterance: string) => void;
  /** The marks of a sentence, when they come: its audio may still wait for its reader. */
  readonly onSentence: (start: ServerMessageOf<'segment_start'>, end: ServerMessageOf<'segment_end'>) => void;
}

export interface StreamFacts {
  readonly utterance: string;
  readonly voice: string;
  readonly voiceDigest: string;
  readonly sampleRateHz: number;
  /** Whether the same request gives the same samples again. */
  readonly deterministic: boolean;
}

export type SessionItem =
  | { readonly type: 'start'; readonly facts: StreamFacts }
  | { readonly type: 'audio'; readonly at: Position; readonly silence: boolean; readonly pcm: Int16Array }
  | {
      readonly type: 'segment';
      readonly start: ServerMessageOf<'segment_start'>;
      readonly end: ServerMessageOf<'segment_end'>;
    };

/**
 * One utterance over any number of connections: text goes in, exact audio comes out, once and in order.
 *
 * - `connecting`: a link is opened to the next gateway. Its `ready` is answered with `open` as long as no server is known to
 *   have the utterance, then with `resume` at the sample behind the last one that came. An `open` whose answer was lost is
 *   found out by the error that the next one gives.
 * - `linked`: what the server has not confirmed of the text is sent again, then what is fed, flushes at their place.
 * - a link that breaks, a server that goes down or is silent while it owes audio: `connecting`, at the next gateway.
 * - `parked`: more audio came than may wait for its reader. The link is given up; when half is read, `connecting`.
 * - `over`: the end came, or an error that no other server would change.
 */
export interface Session {
  readonly utterance: string;
  /** UTF-16 code units fed so far. */
  readonly fed: number;
  send(text: string): void;
  /** Speaks what is there; resolves when all audio of it came. */
  flush(): Promise<void>;
  finish(): void;
  /** The reader has everything before the position. */
  taken(position: Position): void;
  /** Gives up with the error; the server forgets the utterance. */
  cancel(error: unknown): void;
  read(): AsyncGenerator<SessionItem, void, undefined>;
}

interface Flush {
  readonly nonce: number;
  readonly offset: number;
  /** On the present link. */
  sent: boolean;
  /** A server did it whose answer was lost. */
  isDone: boolean;
  readonly done: PromiseWithResolvers<void>;
}

const context = mainContext;
/** Of a WebSocket's close: any other server would say the same. */
const finalCodes = [1002, 1003, 1007, 1008, 1009];

export function createSession(options: SessionOptions): Session {
  const { urls, socket, open, maxTextChunk, forget, onSentence, signal } = options;
  const { silenceMs = 30_000, maxBufferedBytes = 32 << 20 } = options;
  const utterance = open.id ?? newUtteranceId();
  const hearing = {
    credit: 'client',
    ...(open.idle_flush_ms === undefined ? {} : { idle_flush_ms: open.idle_flush_ms }),
  } as const;
  const text = createTextQueue();
  const items = createWorkQueue<SessionItem>();
  const retries = createRetries(urls.length, options);
  let flushes: Flush[] = [];
  let nonces = 0;
  let isFinished = false;
  let isOver = false;

  /** Whether a server is known to have the utterance. */
  let isKnown = false;
  let hasStarted = false;
  let at: Position = startPosition;
  /** The last sentence of which audio is coming. */
  let announced: ServerMessageOf<'segment_start'> | undefined;
  let taken: Position | undefined;

  let link: Link | undefined;
  let isLinked = false;
  let sent = 0;
  let isFinishSent = false;
  let bufferedBytes = 0;
  let isParked = false;
  let heardAtMs = 0;
  let watch: ReturnType<typeof setTimeout> | undefined;

  const tell = (message: ClientMessage) => link?.send(message);

  function connect(): void {
    const url = urls[retries.server]!;
    heardAtMs = performance.now();
    link = openLink(url, socket, { onMessage, onFrame: guard(onFrame), onBroken: broken });
    look();
  }

  /** Looks now and then whether the server has fallen silent. */
  function look(): void {
    clearTimeout(watch);
    if (isOver || !link) return;
    const silentMs = performance.now() - heardAtMs;
    const owes = !isLinked || (isFinished && items.isAwaited);
    if (!owes) heardAtMs = performance.now();
    else if (silentMs >= silenceMs) {
      broken(new BrokenLinkError(1006, `${urls[retries.server]} has said nothing for ${silenceMs} ms`));
      return;
    }
    watch = setTimeout(look, owes ? Math.max(1, silenceMs - silentMs) : silenceMs);
  }

  function unlink(): void {
    clearTimeout(watch);
    link?.close();
    link = undefined;
    isLinked = false;
  }

  function broken(error: unknown): void {
    unlink();
    if (isOver) return;
    const final = error instanceof BrokenLinkError && finalCodes.includes(error.code);
    retries
      .after(final ? new StreamError('invalid_request', { message: error.message, cause: error }) : error)
      .then(
        () => {
          if (!isOver && !isParked) connect();
        },
        (last: unknown) =>
          fail(
            last instanceof BrokenLinkError
              ? new StreamError('internal_error', { message: last.message, cause: last })
              : last,
          ),
      );
  }

  function over(): void {
    isOver = true;
    signal?.removeEventListener('abort', onAbort);
    unlink();
  }

  function fail(error: unknown): void {
    if (isOver) return;
    over();
    for (const { done } of flushes) done.reject(error);
    items.fail(error);
  }

  const guard =
    <A>(work: (argument: A) => void) =>
    (argument: A): void => {
      try {
        work(argument);
      } catch (error) {
        broken(error);
      }
    };

  /** Sends what is due on this link, in its order. */
  function sendPending(): void {
    if (!isLinked) return;
    for (;;) {
      const flush = flushes.find((one) => !one.sent);
      const until = flush?.offset ?? text.end;
      while (sent < until) {
        const piece = text.piece(sent, until, maxTextChunk());
        tell({ type: 'text', context, text: piece, offset: sent });
        sent += piece.length;
      }
      if (!flush) break;
      flush.sent = true;
      tell({ type: 'flush', context, nonce: flush.nonce });
    }
    if (!isFinished || isFinishSent) return;
    isFinishSent = true;
    tell({ type: 'finish', context });
  }

  function settleFlushes(isSettled: (flush: Flush) => boolean): void {
    for (const flush of flushes) if (isSettled(flush)) flush.done.resolve();
    flushes = flushes.filter((flush) => !isSettled(flush));
  }

  function onLinked(facts: ServerMessageOf<'opened' | 'resumed'>): void {
    isKnown = true;
    isLinked = true;
    if (!hasStarted) {
      hasStarted = true;
      const { voice, voice_digest, sample_rate, deterministic } = facts;
      const start = { utterance, voice, voiceDigest: voice_digest, sampleRateHz: sample_rate, deterministic };
      items.push({ type: 'start', facts: start });
    }
    if (taken) tell({ type: 'taken', context, position: formatPosition(taken) });
    sendPending();
  }

  function onOpened(message: ServerMessageOf<'opened'>): void {
    sent = 0;
    isFinishSent = false;
    onLinked(message);
  }

  function onResumed(message: ServerMessageOf<'resumed'>): void {
    const { offset, text_complete } = message;
    if (offset < text.confirmed) {
      const message = `the server has ${offset} characters of the text, after it had confirmed ${text.confirmed}`;
      fail(new StreamError('audio_lost', { message }));
      return;
    }
    text.confirm(offset);
    sent = offset;
    isFinishSent = text_complete;
    for (const flush of flushes) {
      // Text behind it has arrived, so it was done; the answer comes with the audio.
      flush.isDone = flush.sent = flush.offset < offset || text_complete;
    }
    onLinked(message);
  }

  function onMessage(raw: unknown): void {
    heardAtMs = performance.now();
    const parsed = serverMessage.safeParse(raw);
    // What a newer server says besides is not for us.
    if (!parsed.success) return;
    const message = parsed.data;
    if ('context' in message && message.context !== undefined && message.context !== context) return;
    guard(handle)(message);
  }

  function handle(message: ServerMessage): void {
    switch (message.type) {
      case 'ready':
        if (isKnown) resume();
        else tell({ type: 'open', context, ...open, id: utterance, ...hearing });
        break;
      case 'opened':
        onOpened(message);
        break;
      case 'resumed':
        onResumed(message);
        break;
      case 'received':
        retries.progress();
        text.confirm(message.offset);
        break;
      case 'segment_start':
        if (!announced || message.segment > announced.segment) announced = message;
        break;
      case 'segment_end':
        onSegmentEnd(message);
        break;
      case 'flushed':
        settleFlushes(({ nonce }) => nonce === message.nonce);
        break;
      case 'end':
        onEnd();
        break;
      case 'cancelled':
        fail(new CancelledError('cancelled'));
        break;
      case 'error':
        onError(message);
    }
  }

  const resume = () => tell({ type: 'resume', context, utterance, position: formatPosition(at), ...hearing });

  function onError({ error: envelope }: ServerMessageOf<'error'>): void {
    const error = parseError(envelope);
    // The answer to an earlier `open` was lost, or its server has not come so far.
    if (!isLinked && error.code === 'utterance_exists' && !isKnown) {
      isKnown = true;
      resume();
      return;
    }
    if (mayTryElsewhere(error)) broken(error);
    else fail(error);
  }

  function onFrame(bytes: ArrayBuffer): void {
    heardAtMs = performance.now();
    const { kind, segment, firstSample, samples, pcm: raw } = decodeAudioFrame(bytes);
    const skip = segment === at.segment ? at.sample - firstSample : segment < at.segment ? samples : -1;
    if (skip >= samples) return;
    if (skip < 0)
      throw new BrokenLinkError(
        1011,
        `audio came from ${segment}:${firstSample}, and ${formatPosition(at)} is due`,
      );
    retries.progress();
    const pcm = new Int16Array(raw.buffer as ArrayBuffer, raw.byteOffset, raw.byteLength >> 1).subarray(skip);
    items.push({ type: 'audio', at, silence: kind === 'pause', pcm });
    at = { segment, sample: firstSample + samples };
    bufferedBytes += pcm.byteLength;
    if (bufferedBytes <= maxBufferedBytes) return;
    isParked = true;
    unlink();
  }

  function onSegmentEnd(message: ServerMessageOf<'segment_end'>): void {
    const { segment, samples, pause_samples } = message;
    if (segment < at.segment) return;
    if (segment > at.segment || at.sample !== samples + pause_samples || announced?.segment !== segment)
      throw new BrokenLinkError(1011, `sentence ${segment} ended, and ${formatPosition(at)} is due`);
    const { end } = announced;
    onSentence(announced, message);
    items.push({ type: 'segment', start: announced, end: message });
    at = { segment: segment + 1, sample: 0 };
    settleFlushes(({ isDone, offset }) => isDone && offset <= end);
  }

  function onEnd(): void {
    settleFlushes(() => true);
    over();
    items.end();
  }

  const onAbort = () => cancel(signal!.reason);

  function cancel(error: unknown): void {
    if (isOver) return;
    if (isLinked) tell({ type: 'cancel', context });
    else if (isKnown || link) forget(utterance);
    fail(error);
  }

  async function* read(): AsyncGenerator<SessionItem, void, undefined> {
    for await (const item of items.read()) {
      if (item.type === 'audio') bufferedBytes -= item.pcm.byteLength;
      if (isParked && bufferedBytes <= maxBufferedBytes / 2) {
        isParked = false;
        if (!isOver) connect();
      }
      yield item;
    }
  }

  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) fail(signal.reason);
  else connect();

  return {
    utterance,
    get fed() {
      return text.end;
    },
    send(piece) {
      text.add(piece);
      sendPending();
    },
    flush() {
      const flush: Flush = {
        nonce: ++nonces,
        offset: text.end,
        sent: false,
        isDone: false,
        done: Promise.withResolvers<void>(),
      };
      flush.done.promise.catch(() => {});
      flushes.push(flush);
      sendPending();
      return flush.done.promise;
    },
    finish() {
      isFinished = true;
      sendPending();
      look();
    },
    taken(position) {
      taken = position;
      if (isLinked) tell({ type: 'taken', context, position: formatPosition(position) });
    },
    cancel,
    read,
  };
}

import { formatPosition, newUtteranceId, type Position } from '@rhapsode/contracts';
import {
  type ClientMessage,
  mainContext as context,
  type ServerMessage,
  type ServerMessageOf,
  serverMessage,
} from '@rhapsode/contracts/session';
import { CancelledError, StreamError } from './errors.ts';
import { createIncomingAudio, type IncomingPiece, type IncomingSentence } from './incoming-audio.ts';
import { BrokenLinkError, type Link, openLink } from './link.ts';
import { createOutgoingText } from './outgoing-text.ts';
import { parseError } from './read-error.ts';
import { createRetries, mayTryElsewhere, type RetryOptions } from './retries.ts';
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
  readonly onSentence: (sentence: IncomingSentence) => void;
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
  | IncomingPiece
  | IncomingSentence;

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

/** Of a WebSocket's close: any other server would say the same. */
const finalCodes = [1002, 1003, 1007, 1008, 1009];

const knownTypes: readonly string[] = serverMessage.options.map(({ shape }) => shape.type.value);

export function createSession(options: SessionOptions): Session {
  const { urls, socket, open, forget, onSentence, signal } = options;
  const { silenceMs = 30_000, maxBufferedBytes = 32 << 20 } = options;
  const utterance = open.id ?? newUtteranceId();
  const { idle_flush_ms } = open;
  const hearing = { credit: 'client', ...(idle_flush_ms === undefined ? {} : { idle_flush_ms }) } as const;
  const text = createOutgoingText(options.maxTextChunk);
  const audio = createIncomingAudio();
  const items = createWorkQueue<SessionItem>();
  const retries = createRetries(urls.length, options);

  let link: Link | undefined;
  /** The server of the link has the utterance. */
  let isLinked = false;
  /** Some server is known to have it. */
  let isKnown = false;
  let hasStarted = false;
  let isParked = false;
  let isOver = false;
  let taken: Position | undefined;
  let bufferedBytes = 0;
  let heardAtMs = 0;
  let watch: ReturnType<typeof setTimeout> | undefined;

  const say = (message: ClientMessage) => link?.send(message);

  function connect(): void {
    heardAtMs = performance.now();
    link = openLink(urls[retries.server]!, socket, {
      onMessage,
      onFrame: (bytes) => guard(() => onFrame(bytes)),
      onBroken: broken,
    });
    look();
  }

  /** Looks now and then whether the server has fallen silent. */
  function look(): void {
    clearTimeout(watch);
    if (isOver || !link) return;
    const owes = !isLinked || (text.isFinished && items.isAwaited);
    if (!owes) heardAtMs = performance.now();
    const silentMs = performance.now() - heardAtMs;
    if (silentMs < silenceMs) watch = setTimeout(look, Math.max(1, silenceMs - silentMs));
    else broken(new BrokenLinkError(1006, `${urls[retries.server]} has said nothing for ${silenceMs} ms`));
  }

  function unlink(): void {
    clearTimeout(watch);
    link?.close();
    link = undefined;
    isLinked = false;
    text.unlink();
  }

  function broken(error: unknown): void {
    unlink();
    if (isOver) return;
    const isFinal = error instanceof BrokenLinkError && finalCodes.includes(error.code);
    retries.after(isFinal ? asStreamError(error, 'invalid_request') : error).then(
      () => {
        if (!isOver && !isParked) connect();
      },
      (last: unknown) => fail(asStreamError(last, 'server_unavailable')),
    );
  }

  function guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      broken(error);
    }
  }

  function over(): void {
    isOver = true;
    signal?.removeEventListener('abort', onAbort);
    unlink();
  }

  function fail(error: unknown): void {
    if (isOver) return;
    over();
    text.fail(error);
    items.fail(error);
  }

  const resume = () =>
    say({ type: 'resume', context, utterance, position: formatPosition(audio.position), ...hearing });

  function onLinked(facts: ServerMessageOf<'opened' | 'resumed'>, offset: number, isComplete: boolean): void {
    isKnown = true;
    isLinked = true;
    if (!hasStarted) {
      hasStarted = true;
      const { voice, voice_digest, sample_rate, deterministic } = facts;
      const start = { utterance, voice, voiceDigest: voice_digest, sampleRateHz: sample_rate, deterministic };
      items.push({ type: 'start', facts: start });
    }
    if (taken) say({ type: 'taken', context, position: formatPosition(taken) });
    text.link(say, offset, isComplete);
  }

  function onResumed(message: ServerMessageOf<'resumed'>): void {
    const { offset, text_complete } = message;
    if (offset >= text.confirmed) onLinked(message, offset, text_complete);
    else
      fail(
        new StreamError('audio_lost', {
          message: `the server has ${offset} characters of the text, after it had confirmed ${text.confirmed}`,
        }),
      );
  }

  function onMessage(raw: { readonly type: string }): void {
    heardAtMs = performance.now();
    const { data: message } = serverMessage.safeParse(raw);
    if (!message) {
      // What a newer server says besides is not for us.
      if (!knownTypes.includes(raw.type)) return;
      const what = `the server sent a message of type ${raw.type} that is not one of the protocol`;
      fail(new StreamError('bad_message', { message: what }));
      return;
    }
    if ('context' in message && message.context !== undefined && message.context !== context) return;
    guard(() => handle(message));
  }

  function handle(message: ServerMessage): void {
    switch (message.type) {
      case 'ready':
        if (isKnown) resume();
        else say({ type: 'open', context, ...open, id: utterance, ...hearing });
        break;
      case 'opened':
        onLinked(message, 0, false);
        break;
      case 'resumed':
        onResumed(message);
        break;
      case 'received':
        retries.progress();
        text.confirm(message.offset);
        break;
      case 'segment_start':
        audio.sentenceStart(message);
        break;
      case 'segment_end': {
        const sentence = audio.sentenceEnd(message);
        if (!sentence) break;
        onSentence(sentence);
        items.push(sentence);
        text.spoken(sentence.start.end);
        break;
      }
      case 'flushed':
        text.flushed(message.nonce);
        break;
      case 'end':
        text.ended();
        over();
        items.end();
        break;
      case 'cancelled':
        fail(new CancelledError('cancelled'));
        break;
      case 'error':
        onError(message);
    }
  }

  function onError({ error: envelope }: ServerMessageOf<'error'>): void {
    const error = parseError(envelope);
    // The answer to an earlier `open` was lost.
    if (!isLinked && !isKnown && error.code === 'utterance_exists') {
      isKnown = true;
      resume();
    } else if (mayTryElsewhere(error)) broken(error);
    else fail(error);
  }

  function onFrame(bytes: ArrayBuffer): void {
    heardAtMs = performance.now();
    const piece = audio.frame(bytes);
    if (!piece) return;
    retries.progress();
    items.push(piece);
    bufferedBytes += piece.pcm.byteLength;
    if (bufferedBytes <= maxBufferedBytes) return;
    isParked = true;
    unlink();
  }

  const onAbort = () => cancel(signal!.reason);

  function cancel(error: unknown): void {
    if (isOver) return;
    if (isLinked) say({ type: 'cancel', context });
    else forget(utterance);
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
      return text.length;
    },
    send: text.add,
    flush: text.flush,
    finish() {
      text.finish();
      look();
    },
    taken(position) {
      taken = position;
      if (isLinked) say({ type: 'taken', context, position: formatPosition(position) });
    },
    cancel,
    read,
  };
}

const asStreamError = (error: unknown, code: 'invalid_request' | 'server_unavailable'): unknown =>
  error instanceof BrokenLinkError ? new StreamError(code, { message: error.message, cause: error }) : error;

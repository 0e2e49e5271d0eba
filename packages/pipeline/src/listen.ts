import { setTimeout as sleep } from 'node:timers/promises';
import type { Utterance } from '@rhapsode/contracts';
import { RhapsodeError } from '@rhapsode/contracts';
import type { AudioLog } from '@rhapsode/log';
import type { RequestStore } from '@rhapsode/store';
import { type AssembleOptions, type AudioPiece, assemble } from './assemble.ts';
import type { Dispatcher } from './dispatch.ts';
import { heardState } from './heard-state.ts';
import { type Observer, silent } from './observe.ts';
import { type PatienceDeps, waitPatiently } from './patience.ts';

export interface ListenDeps extends PatienceDeps {
  readonly store: RequestStore;
  readonly log: AudioLog;
  readonly dispatcher: Pick<Dispatcher, 'heal' | 'consumed'>;
  readonly observer?: Observer;
  readonly healAfterMs?: number;
  readonly creditEveryMs?: number;
  /** Audio kept on the log behind the foremost listener, for those who resume or come late; older audio is made again. */
  readonly replayBytes?: number;
}

const creditRetryMs = 250;

/** A guest says this often that it is there, and counts as there for twice as long. */
const attendEveryMs = 10_000;

export interface Listening {
  readonly utterance: Utterance;
  readonly pieces: AsyncGenerator<AudioPiece, void, undefined>;
  /** The listener has everything below `segment`; told to the store soon, and at most every `creditEveryMs`. */
  consumed(segment: number): void;
  /** Resolves when the last credit has been told, or can't be. */
  close(): Promise<void>;
}

/**
 * One listener of one utterance: its audio from a position on, and the credit that it gives back. A guest is one who did not ask
 * for the utterance: it is not cancelled under a guest because who asked for it goes away.
 */
export async function listen(
  id: string,
  options: Pick<AssembleOptions, 'from' | 'signal' | 'failures'> & { readonly guest?: boolean | undefined },
  deps: ListenDeps,
): Promise<Listening> {
  const {
    store,
    log,
    dispatcher,
    observer = silent,
    healAfterMs,
    creditEveryMs = 20,
    replayBytes = 64 * 1024 * 1024,
  } = deps;
  const { utterance } = await heardState(store, id);
  const { idleMs, transient } = utterance;

  const stop = new AbortController();
  log.onCancel((cancelled) => {
    if (cancelled === id)
      stop.abort(new RhapsodeError('cancelled', { message: `utterance ${id} was cancelled` }));
  }, stop.signal);
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;

  let wanted = 0;

  /** A store that lost its last second may have lost this listener's last report with it. */
  async function heal(...asked: Parameters<Dispatcher['heal']>): Promise<number | undefined> {
    const taken = Math.max(wanted, options.from?.segment ?? 0);
    if (taken > 0) await dispatcher.consumed(utterance, taken);
    return dispatcher.heal(...asked);
  }

  const assembled = assemble(
    id,
    { ...options, signal, deterministic: utterance.deterministic, sampleRateHz: utterance.sampleRateHz },
    { log, observer, heal, ...(healAfterMs === undefined ? {} : { healAfterMs }) },
  );

  /** As long as somebody listens; who was gone before that says nothing. */
  function sayEvery(everyMs: number, say: () => void): void {
    if (signal.aborted) return;
    const saying = setInterval(say, everyMs).unref();
    signal.addEventListener('abort', () => clearInterval(saying), { once: true });
  }
  const trouble = (what: string) => (error: unknown) => observer.trouble(what, error, { utterance: id });
  const hold = () => void store.hold(id, 'listener').catch(trouble('hold'));
  const attend = () => void store.attend(id, 2 * attendEveryMs).catch(trouble('attend'));
  // Others may go while this one is still there.
  if (transient && idleMs !== undefined) sayEvery(idleMs / 3, hold);
  if (options.guest) {
    attend();
    sayEvery(attendEveryMs, attend);
  }

  /** Ends of segments that are still replayable, oldest first, with the bytes heard before each. */
  const passed: { behind: number; heardBytes: number }[] = [];
  let heardBytes = 0;

  async function trim(behind: number): Promise<void> {
    passed.push({ behind, heardBytes });
    let upTo: number | undefined;
    while (heardBytes - passed[0]!.heardBytes > replayBytes) upTo = passed.shift()!.behind;
    if (upTo !== undefined) await log.purge(id, upTo).catch(trouble('trim'));
  }

  async function* heard(): AsyncGenerator<AudioPiece, void, undefined> {
    try {
      for (;;) {
        const { done, value: piece } = await waitPatiently(
          id,
          () => assembled.next(),
          (reason) => stop.abort(reason),
          deps,
        );
        if (done) return;
        yield piece;
        if (piece.type === 'audio') heardBytes += piece.pcm.length;
        else if (piece.type === 'segment') await trim(piece.behind);
      }
    } finally {
      await assembled.return();
    }
  }
  const pieces = heard();

  let told = 0;
  let isTelling = false;
  let telling: Promise<void> | undefined;

  async function tell(): Promise<void> {
    isTelling = true;
    while (told < wanted) {
      const segment = wanted;
      let pauseMs = creditEveryMs;
      try {
        await dispatcher.consumed(utterance, segment);
        told = segment;
      } catch (error) {
        observer.trouble('credit', error, { utterance: id });
        // Whoever goes on from here has it told when healing.
        if (stop.signal.aborted) break;
        pauseMs = creditRetryMs;
      }
      if (told < wanted) await sleep(pauseMs);
    }
    isTelling = false;
  }

  return {
    utterance,
    pieces,
    consumed(segment) {
      if (segment <= wanted) return;
      wanted = segment;
      if (!isTelling) telling = tell();
    },
    async close() {
      stop.abort();
      await pieces.return();
      await telling;
    },
  };
}

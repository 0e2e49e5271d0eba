import { RhapsodeError } from '@rhapsode/contracts';
import type { CatalogueOptions } from './catalogue.ts';
import type { LocalEngineOptions } from './local-engine.ts';
import type { Engine, SegmentFacts, SpeakRequest, SpeechPiece } from './port.ts';
import {
  type ChildSentence,
  createSupervisedChild,
  type RestartReason,
  type SupervisedChild,
  type Supervision,
  supervisionDefaults,
} from './supervised-child.ts';

export interface EngineHostOptions {
  /** Engine processes, each of one thread unless `engine` says otherwise. */
  readonly children: number;
  /** Sentences a child speaks in turns, in order of playback deadline. */
  readonly sentencesPerChild?: number;
  readonly catalogue: CatalogueOptions;
  readonly engine?: LocalEngineOptions;
  /** Voices that are loaded before the host is ready. */
  readonly warm?: readonly string[];
  /** The children's whole environment; empty by default. */
  readonly env?: Readonly<Record<string, string>>;
  /** Pieces a sentence may be ahead of its consumer. */
  readonly piecesAhead?: number;
  readonly supervision?: Partial<Supervision>;
  readonly onRestart?: (event: {
    pid: number;
    reason: RestartReason;
    detail: string;
    failedStarts: number;
  }) => void;
}

/**
 * An engine whose computing happens in child processes: this process stays free for locks and probes, and a crash, a hang
 * or a `kill -9` there costs the sentences that were running there (`engine_crashed`, `engine_timeout`), nothing else.
 * Sentences beyond `slots` wait, interactive ones first.
 */
export interface EngineHost extends Engine {
  /** Every child is up and warm. Rejects if a voice to be warmed could not be loaded; the host still serves the others. */
  ready(): Promise<void>;
  readonly slots: number;
  /** Sentences that are running. */
  readonly busy: number;
  readonly waiting: number;
  /** Engine processes that are up. */
  pids(): number[];
  stats(): { restarts: number; sentences: number; rssBytes: number[] };
}

interface Waiter {
  readonly interactive: boolean;
  take(child: SupervisedChild): void;
  fail(error: Error): void;
}

export function createEngineHost(options: EngineHostOptions): EngineHost {
  const perChild = options.sentencesPerChild ?? 1;
  const piecesAhead = options.piecesAhead ?? 4;
  const waiters: Waiter[] = [];
  const stats = { restarts: 0, sentences: 0 };
  const warm = Promise.withResolvers<void>();
  warm.promise.catch(() => {});
  let warmed = 0;
  let closed = false;

  const children: SupervisedChild[] = [];
  for (let i = 0; i < options.children; i++) {
    let first = true;
    children.push(
      createSupervisedChild(
        {
          catalogue: options.catalogue,
          engine: options.engine ?? {},
          warm: options.warm ?? [],
          env: options.env ?? {},
          supervision: { ...supervisionDefaults, ...options.supervision },
        },
        {
          onFree: serve,
          onWarm(failure) {
            if (failure !== undefined) warm.reject(failure);
            else if (first && ++warmed === options.children) warm.resolve();
            first = false;
          },
          onGone(event) {
            stats.restarts++;
            // Better an error that is tried again elsewhere than a wait for an engine that can't start.
            if (event.failedStarts >= 3 && !children.some((child) => child.available))
              for (const waiter of waiters.splice(0)) waiter.fail(new RhapsodeError('engine_crashed'));
            options.onRestart?.(event);
          },
        },
      ),
    );
  }

  function freest(): SupervisedChild | undefined {
    let best: SupervisedChild | undefined;
    for (const child of children)
      if (child.available && child.load < perChild && (best === undefined || child.load < best.load))
        best = child;
    return best;
  }

  function serve(): void {
    while (waiters.length > 0) {
      const child = freest();
      if (child === undefined) return;
      const first = Math.max(
        0,
        waiters.findIndex((waiter) => waiter.interactive),
      );
      waiters.splice(first, 1)[0]!.take(child);
    }
  }

  async function* speak(request: SpeakRequest, signal: AbortSignal): AsyncGenerator<SpeechPiece> {
    signal.throwIfAborted();
    if (closed) throw new RhapsodeError('draining');
    const inbox: SpeechPiece[] = [];
    let failure: unknown;
    let wake = () => {};
    let sentence: ChildSentence | undefined;
    const put = (piece: SpeechPiece) => {
      inbox.push(piece);
      wake();
    };
    const fail = (error: unknown) => {
      failure ??= error;
      wake();
    };
    const waiter: Waiter = {
      interactive: request.class === 'interactive',
      take(child) {
        sentence = child.speak(request, piecesAhead, {
          piece: (pcm) => put({ type: 'audio', pcm }),
          end: (facts: SegmentFacts) => put({ type: 'end', facts }),
          failed: fail,
        });
      },
      fail,
    };
    const onAbort = () => {
      inbox.length = 0;
      fail(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    waiters.push(waiter);
    serve();
    try {
      for (;;) {
        while (inbox.length === 0 && failure === undefined) {
          const woken = Promise.withResolvers<void>();
          wake = woken.resolve;
          await woken.promise;
        }
        const piece = inbox.shift();
        if (piece === undefined) throw failure;
        if (piece.type === 'end') {
          stats.sentences++;
          yield piece;
          return;
        }
        sentence?.grant(1);
        yield piece;
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      const at = waiters.indexOf(waiter);
      if (at >= 0) waiters.splice(at, 1);
      sentence?.abort();
    }
  }

  return {
    speak,
    ready: () => warm.promise,
    slots: options.children * perChild,
    get busy() {
      return children.reduce((sum, child) => sum + child.load, 0);
    },
    get waiting() {
      return waiters.length;
    },
    pids: () => children.flatMap((child) => child.pid ?? []),
    stats: () => ({ ...stats, rssBytes: children.map((child) => child.rssBytes) }),
    async close() {
      closed = true;
      warm.reject(new RhapsodeError('draining'));
      for (const waiter of waiters.splice(0)) waiter.fail(new RhapsodeError('draining'));
      await Promise.all(children.map((child) => child.close()));
    },
  };
}

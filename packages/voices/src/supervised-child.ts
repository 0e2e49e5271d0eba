import { type ChildProcess, fork } from 'node:child_process';
import { RhapsodeError } from '@rhapsode/contracts';
import type { CatalogueOptions } from './catalogue.ts';
import type { LocalEngineOptions } from './local-engine.ts';
import type { SegmentFacts, SpeakRequest } from './port.ts';
import { type FromChild, fromWire, type ToChild } from './protocol.ts';
import { residentBytes } from './resident-bytes.ts';

export const supervisionDefaults = {
  /** An idle child answers a ping within this time. */
  heartbeatTimeoutMs: 5_000,
  /** A speaking child, if it may send, sends something within this time. */
  progressTimeoutMs: 20_000,
  /** Opening the catalogue, warming up, loading one voice. */
  loadTimeoutMs: 120_000,
  /** An aborted sentence has ended within this time. */
  abortTimeoutMs: 5_000,
  /** Above this the child is replaced once it is idle. */
  replaceAboveBytes: 2 * 2 ** 30,
  /** Above this it is killed, whatever it does. */
  killAboveBytes: 4 * 2 ** 30,
  restartMinMs: 50,
  restartMaxMs: 10_000,
  checkEveryMs: 250,
} as const;
export type Supervision = { readonly [K in keyof typeof supervisionDefaults]: number };

export type RestartReason = 'crash' | 'timeout' | 'memory' | 'heartbeat' | 'abort';

export interface ChildSetup {
  readonly catalogue: CatalogueOptions;
  readonly engine: LocalEngineOptions;
  readonly warm: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly supervision: Supervision;
}

export interface ChildEvents {
  /** It can take a sentence: it has started, or one has ended. */
  onFree(): void;
  onWarm(failure: RhapsodeError | undefined): void;
  /** `failedStarts`: how often in a row it has gone before it was up. */
  onGone(event: { pid: number; reason: RestartReason; detail: string; failedStarts: number }): void;
}

/** Receives what one sentence gives; `failed` and `end` are the last call. */
export interface SentenceSink {
  piece(pcm: Int16Array): void;
  end(facts: SegmentFacts): void;
  failed(error: RhapsodeError): void;
}

export interface SupervisedChild {
  /** Sentences it has now, those that are being aborted included. */
  readonly load: number;
  readonly available: boolean;
  readonly pid: number | undefined;
  readonly rssBytes: number;
  speak(request: SpeakRequest, credit: number, sink: SentenceSink): ChildSentence;
  close(): Promise<void>;
}

export interface ChildSentence {
  grant(credit: number): void;
  abort(): void;
}

interface Running {
  readonly sink: SentenceSink;
  credit: number;
  loading: boolean;
  aborted: boolean;
  /** When it last sent something, or last got leave to. */
  sinceMs: number;
}

/**
 * Keeps one engine process alive.
 *
 *   starting -> up -> gone -> (back-off) -> starting …          closed ends it from anywhere
 *
 * starting: forked, opening its catalogue; takes no sentences; has `loadTimeoutMs`.
 * up:       takes sentences. A blocked thread can't answer pings, so while it speaks only progress counts, and while it
 *           waits for its listener's credit nothing does. Pings count when it is idle.
 * gone:     it exited or was killed. Its sentences have failed: `engine_timeout` if it was killed for want of progress,
 *           else `engine_crashed`. The pause before the next start doubles until a sentence succeeds.
 */
export function createSupervisedChild(setup: ChildSetup, events: ChildEvents): SupervisedChild {
  const { supervision: limits } = setup;
  const running = new Map<number, Running>();
  let child: ChildProcess | undefined;
  let state: 'starting' | 'up' | 'gone' | 'closed' = 'gone';
  let incarnation = 0;
  let failedStarts = 0;
  let nextId = 0;
  let rssBytes = 0;
  let heardMs = 0;
  let pingedMs: number | undefined;
  let backoffMs = limits.restartMinMs;
  let restart: NodeJS.Timeout | undefined;
  let killedFor: RestartReason | undefined;
  let stderr = '';
  let exited = Promise.resolve();
  let checkedMs = performance.now();

  function start(): void {
    state = 'starting';
    heardMs = performance.now();
    pingedMs = undefined;
    killedFor = undefined;
    stderr = '';
    const started = fork(new URL('./child.ts', import.meta.url), [], {
      serialization: 'advanced',
      execPath: process.execPath,
      // The child decides when its tensors are collected.
      execArgv: ['--expose-gc'],
      // Nothing of the host's environment, which holds secrets.
      env: setup.env,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    child = started;
    started.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-2_000);
    });
    started.on('message', (message) => {
      if (child === started) receive(message as FromChild);
    });
    const gone = Promise.withResolvers<void>();
    exited = gone.promise;
    // `exit` does not come when the fork itself failed.
    started.once('error', (error) => {
      stderr += String(error);
      if (started.pid === undefined) ended(started, 'did not start', gone.resolve);
    });
    started.once('exit', (code, signal) => ended(started, signal ?? `exit code ${code}`, gone.resolve));
    const tone = { ...setup.catalogue.tone, incarnation, ownProcess: true };
    post({
      type: 'open',
      catalogue: { ...setup.catalogue, tone },
      engine: setup.engine,
      warm: setup.warm,
    });
    incarnation++;
  }

  function post(message: ToChild): void {
    if (child?.connected) child.send(message, () => {});
  }

  function kill(reason: RestartReason): void {
    killedFor ??= reason;
    child?.kill('SIGKILL');
  }

  function ended(which: ChildProcess, how: string, resolve: () => void): void {
    resolve();
    if (child !== which) return;
    child = undefined;
    const reason = killedFor ?? 'crash';
    const closing = state === 'closed';
    if (state === 'starting') failedStarts++;
    if (!closing) state = 'gone';
    const error = closing
      ? () => new RhapsodeError('draining')
      : () =>
          new RhapsodeError(reason === 'timeout' ? 'engine_timeout' : 'engine_crashed', {
            message:
              reason === 'timeout'
                ? 'the speech engine made no progress and was restarted'
                : reason === 'memory'
                  ? 'the speech engine used too much memory and was restarted'
                  : 'the speech engine crashed and was restarted',
            cause: new Error(`${how} ${stderr}`.trim()),
          });
    const sinks = [...running.values()].map((one) => one.sink);
    running.clear();
    for (const sink of sinks) sink.failed(error());
    if (closing) return;
    events.onGone({ pid: which.pid ?? 0, reason, detail: `${how} ${stderr}`.trim(), failedStarts });
    restart = setTimeout(start, backoffMs);
    backoffMs = Math.min(backoffMs * 2, limits.restartMaxMs);
  }

  function receive(message: FromChild): void {
    heardMs = performance.now();
    pingedMs = undefined;
    rssBytes = message.rssBytes;
    if (message.type === 'ready') {
      state = 'up';
      failedStarts = 0;
      events.onWarm(message.warmFailure === undefined ? undefined : fromWire(message.warmFailure));
      events.onFree();
      return;
    }
    if (message.type === 'pong') return;
    const one = running.get(message.id);
    if (one === undefined) return;
    one.sinceMs = heardMs;
    one.loading = message.type === 'loading';
    switch (message.type) {
      case 'piece':
        one.credit--;
        one.sink.piece(message.pcm);
        break;
      case 'end':
        backoffMs = limits.restartMinMs;
        running.delete(message.id);
        one.sink.end(message.facts);
        break;
      case 'failed':
        running.delete(message.id);
        one.sink.failed(fromWire(message.error));
    }
    if (running.size === 0 && rssBytes > limits.replaceAboveBytes && state === 'up') {
      state = 'gone';
      kill('memory');
    } else if (message.type === 'end' || message.type === 'failed') events.onFree();
  }

  function check(): void {
    const now = performance.now();
    // If this process itself stood still, what the child said meanwhile has not been read yet.
    const late = now - checkedMs > limits.checkEveryMs * 4;
    checkedMs = now;
    if (child === undefined || late || killedFor !== undefined) return;
    rssBytes = residentBytes(child.pid) ?? rssBytes;
    if (rssBytes > limits.killAboveBytes) kill('memory');
    if (state === 'starting') {
      if (now - heardMs > limits.loadTimeoutMs) kill('timeout');
      return;
    }
    for (const one of running.values()) {
      const limit = one.loading
        ? limits.loadTimeoutMs
        : one.aborted
          ? limits.abortTimeoutMs
          : one.credit > 0
            ? limits.progressTimeoutMs
            : Infinity;
      if (now - one.sinceMs > limit) kill(one.aborted ? 'abort' : 'timeout');
    }
    if (running.size > 0 || killedFor !== undefined) return;
    if (pingedMs !== undefined) {
      if (now - pingedMs > limits.heartbeatTimeoutMs) kill('heartbeat');
    } else if (now - heardMs > limits.heartbeatTimeoutMs / 4) {
      pingedMs = now;
      post({ type: 'ping' });
    }
  }

  const checks = setInterval(check, limits.checkEveryMs);
  start();

  return {
    get load() {
      return running.size;
    },
    get available() {
      return state === 'up' && killedFor === undefined && child?.connected === true;
    },
    get pid() {
      return child?.pid;
    },
    get rssBytes() {
      return rssBytes;
    },
    speak(request, credit, sink) {
      const id = nextId++;
      const of = child;
      const one: Running = { sink, credit, loading: false, aborted: false, sinceMs: performance.now() };
      running.set(id, one);
      post({ type: 'speak', id, request, credit });
      const alive = () => child === of && running.has(id);
      return {
        grant(more) {
          if (!alive()) return;
          if (one.credit === 0) one.sinceMs = performance.now();
          one.credit += more;
          post({ type: 'credit', id, credit: more });
        },
        abort() {
          if (!alive() || one.aborted) return;
          one.aborted = true;
          one.sinceMs = performance.now();
          post({ type: 'abort', id });
        },
      };
    },
    async close() {
      state = 'closed';
      clearInterval(checks);
      clearTimeout(restart);
      child?.kill('SIGKILL');
      await exited;
    },
  };
}

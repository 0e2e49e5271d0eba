import { invalid, StreamError } from '../errors.ts';
import type { Player } from '../player.ts';
import { createPlayback } from './playback.ts';
import { definePlayerProcessor, processorName } from './processor.ts';
import { browser, type WebAudioContext, type WebAudioNode } from './types.ts';

export interface WebAudioPlayerOptions {
  /** Of the page's own; it must run at the voice's rate. One is made at that rate if not given. */
  readonly context?: unknown;
  /** A node of that context; the loudspeaker if not given. */
  readonly destination?: unknown;
  /** What is there before it begins, and before it goes on after an underrun; 0.2 if not given. */
  readonly prebufferSeconds?: number;
  /** Most audio that waits in the audio thread; 5 if not given. */
  readonly maxQueueSeconds?: number;
  /** Of `@rhapsode/client/web-audio/worklet`, where the page may not load modules from a Blob. */
  readonly workletUrl?: string;
  /** The browser plays nothing before the user touches the page. It begins by itself when that happens. */
  readonly onBlocked?: () => void;
}

export interface WebAudioPlayer extends Player {
  /** Lets go of the contexts that it made. */
  close(): Promise<void>;
}

export const hasWebAudio = (): boolean =>
  browser.AudioContext !== undefined && browser.AudioWorkletNode !== undefined;

const gestures = ['pointerdown', 'touchend', 'keydown'] as const;
/** A context that may start does so sooner. */
const blockedAfterMs = 1_000;

/** Plays sample by sample, without gaps, at the voice's own rate: nothing is resampled here. */
export function createWebAudioPlayer(options: WebAudioPlayerOptions = {}): WebAudioPlayer {
  const { prebufferSeconds = 0.2, maxQueueSeconds = 5, workletUrl, onBlocked } = options;
  const given = options.context as WebAudioContext | undefined;
  const own = new Map<number, WebAudioContext>();
  const loaded = new WeakMap<WebAudioContext, Promise<void>>();

  function contextFor(sampleRateHz: number): WebAudioContext {
    if (given && given.sampleRate !== sampleRateHz)
      throw invalid(
        'context',
        `the voice has ${sampleRateHz} Hz and the AudioContext runs at ${given.sampleRate}; make it with ` +
          `{ sampleRate: ${sampleRateHz} }, or give none`,
      );
    const context = given ?? own.get(sampleRateHz);
    if (context) return context;
    if (!browser.AudioContext || !browser.AudioWorkletNode)
      throw new StreamError('unsupported_setting', {
        message:
          'there is no Web Audio here (AudioWorklet needs a browser and a page from https or localhost)',
      });
    const made = new browser.AudioContext({ sampleRate: sampleRateHz, latencyHint: 'playback' });
    own.set(sampleRateHz, made);
    return made;
  }

  function load(context: WebAudioContext): Promise<void> {
    const before = loaded.get(context);
    if (before) return before;
    const loading =
      workletUrl === undefined ? loadFromBlob(context) : context.audioWorklet.addModule(workletUrl);
    loaded.set(context, loading);
    loading.catch(() => loaded.delete(context));
    return loading;
  }

  return {
    async play({ sampleRateHz, onBoundary }) {
      const context = contextFor(sampleRateHz);
      wake(context, onBlocked);
      await load(context);
      const node = new browser.AudioWorkletNode!(context, processorName, {
        numberOfInputs: 0,
        outputChannelCount: [1],
        processorOptions: {
          prebufferSamples: Math.round(prebufferSeconds * sampleRateHz),
          reportSamples: Math.round(0.05 * sampleRateHz),
        },
      });
      node.connect((options.destination as WebAudioNode | undefined) ?? context.destination);
      return createPlayback({ context, node, onBoundary, maxQueueSamples: maxQueueSeconds * sampleRateHz });
    },
    async close() {
      for (const context of own.values()) await context.close();
      own.clear();
    },
  };
}

async function loadFromBlob(context: WebAudioContext): Promise<void> {
  const source = `(${definePlayerProcessor.toString()})(globalThis, ${JSON.stringify(processorName)});`;
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  try {
    await context.audioWorklet.addModule(url);
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** Starts the context; where the browser waits for the user's hand, at the next touch or key. */
function wake(context: WebAudioContext, onBlocked: (() => void) | undefined): void {
  if (context.state === 'running') return;
  const awake = new AbortController();
  const start = () =>
    void context.resume().then(
      () => awake.abort(),
      () => {},
    );
  for (const gesture of gestures)
    browser.document?.addEventListener(gesture, start, { signal: awake.signal });
  const timer = setTimeout(() => onBlocked?.(), blockedAfterMs);
  awake.signal.addEventListener('abort', () => clearTimeout(timer));
  start();
}

/** The part of Web Audio that is used, so that the package needs no browser's types. A browser's own objects fit. */

export interface WebAudioNode {
  connect(destination: WebAudioNode): unknown;
  disconnect(): void;
}

export interface WorkletPort {
  postMessage(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  onmessage: ((event: { readonly data: never }) => void) | null;
}

export interface WorkletNode extends WebAudioNode {
  readonly port: WorkletPort;
  onprocessorerror: ((event: unknown) => void) | null;
}

export interface WebAudioContext {
  readonly sampleRate: number;
  readonly currentTime: number;
  readonly state: string;
  /** Seconds from the graph to the ear, where the browser knows it. */
  readonly outputLatency?: number;
  readonly baseLatency?: number;
  readonly destination: WebAudioNode;
  readonly audioWorklet: { addModule(url: string): Promise<void> };
  resume(): Promise<void>;
  close(): Promise<void>;
}

interface EventSource {
  addEventListener(type: string, listener: () => void, options?: { readonly signal: AbortSignal }): void;
}

/** What a browser brings besides. */
export interface BrowserGlobals {
  readonly AudioContext?: new (options: {
    readonly sampleRate: number;
    readonly latencyHint: 'interactive' | 'playback';
  }) => WebAudioContext;
  readonly AudioWorkletNode?: new (
    context: WebAudioContext,
    name: string,
    options: {
      readonly numberOfInputs: number;
      readonly outputChannelCount: readonly number[];
      readonly processorOptions: unknown;
    },
  ) => WorkletNode;
  readonly document?: EventSource;
}

export const browser = globalThis as unknown as BrowserGlobals;

/** To the processor. */
export type ProcessorCommand =
  | { readonly type: 'audio'; readonly samples: Int16Array }
  /** Tell when this sample of the utterance is rendered. */
  | { readonly type: 'marks'; readonly marks: readonly { readonly id: number; readonly sample: number }[] }
  /** The audio so far is a whole sentence; if the text is not complete, the next one may take its time. */
  | { readonly type: 'sentence'; readonly isTextComplete: boolean }
  | { readonly type: 'end' }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  | { readonly type: 'stop' };

/** From the processor. Times are the context's, in seconds; a sample is counted from the start of the utterance. */
export type ProcessorReport =
  | { readonly type: 'played'; readonly sample: number; readonly atSeconds: number }
  | { readonly type: 'mark'; readonly id: number; readonly atSeconds: number }
  | { readonly type: 'underrun'; readonly sample: number }
  | { readonly type: 'ended'; readonly atSeconds: number };

export interface ProcessorOptions {
  /** Samples that are there before it begins, and before it goes on after it ran dry. */
  readonly prebufferSamples: number;
  /** Samples between two reports. */
  readonly reportSamples: number;
}

/** What an AudioWorkletGlobalScope gives. */
export interface ProcessorScope {
  readonly currentFrame: number;
  readonly sampleRate: number;
  readonly AudioWorkletProcessor: new () => {
    readonly port: {
      postMessage(message: ProcessorReport): void;
      onmessage: ((event: { data: ProcessorCommand }) => void) | null;
    };
  };
  registerProcessor(name: string, processor: unknown): void;
}

export const processorName = 'rhapsode-player';

/**
 * Plays samples exactly as they come, from a queue that whoever fills it keeps short. It is sent to the audio thread as its
 * source text, so it uses nothing from outside.
 *
 * - `filling`: silent until `prebufferSamples` or a whole sentence or the end is there.
 * - `playing`: every sample of the queue is rendered, one after the other. When it runs dry: `filling`; in the middle of a
 *   sentence, or when more was due because the text is complete, that is an underrun.
 * - paused: silent, whatever the state.
 * - `over`: after the last sample of an ended utterance, or `stop`.
 */
export function definePlayerProcessor(scope: ProcessorScope, name: string): void {
  type Render = (outputs: readonly (readonly Float32Array[])[]) => boolean;
  type Processor = InstanceType<ProcessorScope['AudioWorkletProcessor']>;
  // Not fields of the class: compilers for old browsers move those into helpers that are not there.
  const renders = new WeakMap<object, Render>();

  function createRender(
    port: Processor['port'],
    { prebufferSamples, reportSamples }: ProcessorOptions,
  ): Render {
    let state: 'filling' | 'playing' | 'over' = 'filling';
    let queue: Int16Array[] = [];
    /** Samples of the first of the queue that were rendered. */
    let offset = 0;
    let queued = 0;
    /** Rendered so far. */
    let sample = 0;
    let reported = 0;
    let marks: { readonly id: number; readonly sample: number }[] = [];
    let isPaused = false;
    let isEnded = false;
    let isSentenceWhole = false;
    let mayBeSilent = true;

    const timeOf = (frame: number) => (scope.currentFrame + frame) / scope.sampleRate;
    const tellMark = (id: number, frame: number) =>
      port.postMessage({ type: 'mark', id, atSeconds: timeOf(frame) });

    port.onmessage = ({ data }) => {
      switch (data.type) {
        case 'audio':
          queue.push(data.samples);
          queued += data.samples.length;
          isSentenceWhole = false;
          mayBeSilent = false;
          break;
        case 'marks':
          for (const mark of data.marks)
            if (mark.sample < sample) tellMark(mark.id, 0);
            else marks.push(mark);
          break;
        case 'sentence':
          isSentenceWhole = true;
          mayBeSilent = !data.isTextComplete;
          break;
        case 'end':
          isEnded = true;
          break;
        case 'pause':
          isPaused = true;
          break;
        case 'resume':
          isPaused = false;
          break;
        case 'stop':
          queue = [];
          state = 'over';
      }
    };

    /** Copies from the queue until the output is full or the queue empty; returns how many samples. */
    function copy(output: Float32Array): number {
      let at = 0;
      while (at < output.length && queue.length > 0) {
        const samples = queue[0]!;
        const length = Math.min(output.length - at, samples.length - offset);
        for (let i = 0; i < length; i++) output[at + i] = samples[offset + i]! / 32_768;
        while (marks.length > 0 && marks[0]!.sample < sample + length) {
          const mark = marks.shift()!;
          tellMark(mark.id, at + mark.sample - sample);
        }
        at += length;
        offset += length;
        sample += length;
        queued -= length;
        if (offset < samples.length) break;
        queue.shift();
        offset = 0;
      }
      return at;
    }

    return (outputs) => {
      const isReady = isEnded || (queued > 0 && (queued >= prebufferSamples || isSentenceWhole));
      if (state === 'filling' && isReady) state = 'playing';
      if (state !== 'playing' || isPaused) return state !== 'over';

      const channels = outputs[0]!;
      const output = channels[0]!;
      const copied = copy(output);
      for (let channel = 1; channel < channels.length; channel++) channels[channel]!.set(output);

      const isDry = queue.length === 0 && (isEnded || copied < output.length);
      if (sample - reported >= reportSamples || (isDry && sample > reported)) {
        reported = sample;
        port.postMessage({ type: 'played', sample, atSeconds: timeOf(copied) });
      }
      if (!isDry) return true;
      if (isEnded) {
        // A mark at the very end belongs to no sample.
        for (const mark of marks) tellMark(mark.id, copied);
        marks = [];
        state = 'over';
        port.postMessage({ type: 'ended', atSeconds: timeOf(copied) });
        return false;
      }
      state = 'filling';
      if (!mayBeSilent) port.postMessage({ type: 'underrun', sample });
      return true;
    };
  }

  class PlayerProcessor extends scope.AudioWorkletProcessor {
    constructor(options: { readonly processorOptions: ProcessorOptions }) {
      super();
      renders.set(this, createRender(this.port, options.processorOptions));
    }

    process(_inputs: unknown, outputs: readonly (readonly Float32Array[])[]): boolean {
      return renders.get(this)!(outputs);
    }
  }
  scope.registerProcessor(name, PlayerProcessor);
}

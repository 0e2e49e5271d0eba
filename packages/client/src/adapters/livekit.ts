import { newUtteranceId } from '@rhapsode/contracts';
import type { AudioChunk, Boundary, Client, SpeechStream, StreamOptions } from '../index.ts';

/**
 * The part of `@livekit/agents` and `@livekit/rtc-node` that is built on. They are given, so this package needs neither; their
 * streams are typed loosely here because their subclasses reach what is protected.
 */
export interface LiveKit {
  readonly tts: {
    readonly TTS: abstract new (sampleRate: number, channels: number, capabilities: object) => object;
    readonly ChunkedStream: abstract new (
      text: string,
      tts: never,
      options?: never,
      signal?: AbortSignal,
    ) => object;
    readonly SynthesizeStream: (abstract new (
      tts: never,
      options?: never,
    ) => object) & {
      readonly END_OF_STREAM: symbol;
    };
  };
  readonly AudioFrame: new (
    data: Int16Array,
    sampleRate: number,
    channels: number,
    samples: number,
  ) => object;
  readonly createTimedString?: (word: { text: string; startTime: number; endTime: number }) => object;
}

interface Output {
  put(packet: object | symbol): void;
}
/** What the bases keep for their subclasses. */
interface Inside {
  /** Of a chunked stream. */
  readonly inputText: string;
  /** Of the other one: pieces of text, and symbols for flushes. */
  readonly input: AsyncIterableIterator<string | symbol>;
  readonly queue: Output;
  readonly abortSignal: AbortSignal;
  markStarted?(): void;
}

/** A TTS for LiveKit's agents: `await createLiveKitTts({ tts, AudioFrame, createTimedString }, client, { voice })`. */
export async function createLiveKitTts(livekit: LiveKit, client: Client, options: StreamOptions = {}) {
  const { TTS, ChunkedStream, SynthesizeStream } = livekit.tts;
  const { voice = 'default' } = options;
  const voices = await client.voices();
  const rateHz =
    voices.find(({ id, aliases }) => id === voice || aliases.includes(voice))?.sample_rate_hz ?? 24_000;

  /** Passes a stream's audio on. The last packet says so, so one is held back. */
  async function pass(stream: SpeechStream, segmentId: string, output: Output): Promise<void> {
    let words: Boundary[] = [];
    stream.on('boundary', (word) => word.type === 'word' && words.push(word));
    const packet = ({ pcm, sampleRateHz }: AudioChunk, final: boolean): object => {
      const timedTranscripts = words.map(({ text, seconds, durationSeconds }) => {
        const endTime = seconds + durationSeconds;
        return livekit.createTimedString?.({ text: `${text} `, startTime: seconds, endTime });
      });
      words = [];
      // The frame keeps what it is given.
      const frame = new livekit.AudioFrame(pcm.slice(), sampleRateHz, 1, pcm.length);
      const timed = livekit.createTimedString ? { timedTranscripts } : {};
      return { requestId: stream.utterance, segmentId, frame, final, ...timed };
    };
    let held: AudioChunk | undefined;
    for await (const chunk of stream) {
      if (held) output.put(packet(held, false));
      held = chunk;
    }
    if (held) output.put(packet(held, true));
  }

  class RhapsodeChunkedStream extends ChunkedStream {
    readonly label = 'rhapsode.ChunkedStream';

    async run(): Promise<void> {
      const { inputText, abortSignal, queue } = this as unknown as Inside;
      const stream = client.createStream({ ...options, signal: abortSignal });
      void stream.feed(inputText);
      stream.done();
      await pass(stream, stream.utterance, queue);
    }
  }

  class RhapsodeSynthesizeStream extends SynthesizeStream {
    readonly label = 'rhapsode.SynthesizeStream';

    /** What stands between two flushes is a segment, and a stream of ours. */
    async run(): Promise<void> {
      const { input, queue, abortSignal } = this as unknown as Inside;
      let current: { stream: SpeechStream; passed: Promise<void> } | undefined;
      const finish = async () => {
        const { stream, passed } = current!;
        current = undefined;
        stream.done();
        await passed;
        queue.put(SynthesizeStream.END_OF_STREAM);
      };
      const begin = () => {
        const stream = client.createStream({ ...options, signal: abortSignal });
        const passed = pass(stream, newUtteranceId(), queue);
        passed.catch(() => {});
        (this as unknown as Inside).markStarted?.();
        return { stream, passed };
      };
      for await (const piece of input) {
        if (abortSignal.aborted) return;
        if (typeof piece !== 'string') {
          if (current) await finish();
        } else if (piece !== '') {
          current ??= begin();
          await current.stream.feed(piece);
        }
      }
      if (current) await finish();
    }
  }

  type Loosely = new (...given: unknown[]) => object;
  const Chunked = RhapsodeChunkedStream as unknown as Loosely;
  const Streamed = RhapsodeSynthesizeStream as unknown as Loosely;

  class RhapsodeTTS extends TTS {
    readonly label = 'rhapsode.TTS';
    readonly provider = 'rhapsode';
    readonly model = voice;

    constructor() {
      super(rateHz, 1, { streaming: true, alignedTranscript: livekit.createTimedString !== undefined });
    }

    synthesize(text: string, connOptions?: object, signal?: AbortSignal): object {
      return new Chunked(text, this, connOptions, signal);
    }

    stream({ connOptions }: { connOptions?: object } = {}): object {
      return new Streamed(this, connOptions);
    }
  }
  return new RhapsodeTTS();
}

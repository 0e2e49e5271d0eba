import type { Boundary, Client, Player, Sink, SynthOptions, VoiceOptions } from '../index.ts';
import { wavHeader } from '../wav.ts';

/** The part of js-tts-wrapper's `AbstractTTSClient` that is built on. It is given, so this package needs no other. */
interface WrapperBase {
  on(event: 'start' | 'end' | 'boundary', listener: (...parameters: never[]) => void): void;
  getProperty(name: string): string | number | boolean;
  speak(input: never, options?: never): Promise<void>;
  speakStreamed(input: never, options?: never): Promise<void>;
  pause(): void;
  resume(): void;
  stop(): void;
}
type WrapperClass = abstract new (credentials: never) => WrapperBase;

/** What the base keeps to itself. */
interface Inside {
  readonly voiceId: string | null;
  emit(event: 'start' | 'end' | 'boundary', ...parameters: unknown[]): void;
}

const inside = (engine: object) => engine as unknown as Inside;

type WordBoundary = ReturnType<typeof boundaryOf>;
type Bytestream = {
  readonly audioStream: ReadableStream<Uint8Array>;
  readonly wordBoundaries: readonly WordBoundary[];
};
type EngineOptions = { readonly voice?: string; readonly rate?: string; readonly format?: string };

const speeds: Readonly<Record<string, number>> = {
  'x-slow': 0.5,
  slow: 0.75,
  medium: 1,
  fast: 1.25,
  'x-fast': 1.5,
};
const formats: Readonly<Record<string, string>> = { ogg: 'opus' };
/** js-tts-wrapper's types say milliseconds, and its code divides by 10000 to get seconds: this is what its code reads. */
const unitsPerSecond = 10_000;

/**
 * An engine for js-tts-wrapper: `new (createTtsWrapperEngine(AbstractTTSClient, client))()`. Text is heard while it is made,
 * without gaps, where the client has something to play with; otherwise as the wrapper plays its other engines.
 */
export function createTtsWrapperEngine<B extends WrapperClass>(
  Base: B,
  client: Client,
  by?: { player: Player } | { sink: Sink },
) {
  const Engine = Base as unknown as new (credentials: object) => WrapperBase;

  class RhapsodeTTSClient extends Engine {
    constructor() {
      super({});
    }

    async _getVoices() {
      return (await client.voices()).map(({ id, name, language }) => ({
        id,
        name,
        gender: 'Unknown' as const,
        provider: 'rhapsode',
        languageCodes: [{ bcp47: language, iso639_3: '', display: language }],
      }));
    }

    getRequiredCredentials(): string[] {
      return [];
    }

    synthToBytes(text: string, options: EngineOptions = {}): Promise<Uint8Array> {
      const { isSsml, ...spoken } = spokenAs(this, text, options);
      const { format = 'wav' } = options;
      const wanted: SynthOptions = { ...spoken, format: formats[format] ?? format };
      return client.synthToBytes(text, { ...wanted, ...(isSsml ? { input_type: 'ssml' as const } : {}) });
    }

    /** WAV while it is made. The boundaries are complete when the audio is. */
    async synthToBytestream(text: string, options: EngineOptions = {}): Promise<Bytestream> {
      const stream = client.createStream(streamed(this, text, options));
      const wordBoundaries: WordBoundary[] = [];
      stream.on('boundary', (word) => word.type === 'word' && wordBoundaries.push(boundaryOf(word)));
      const chunks = stream[Symbol.asyncIterator]();
      void stream.feed(text);
      stream.done();
      let hasHead = false;
      const audioStream = new ReadableStream<Uint8Array>({
        async pull(controller) {
          const { done, value } = await chunks.next();
          if (done) return controller.close();
          if (!hasHead) controller.enqueue(wavHeader(value.sampleRateHz));
          hasHead = true;
          controller.enqueue(new Uint8Array(value.pcm.slice().buffer));
        },
        cancel: () => stream.close(),
      });
      return { audioStream, wordBoundaries };
    }

    override speak(input: string | object, options: EngineOptions = {}): Promise<void> {
      return this.speakStreamed(input, options);
    }

    override async speakStreamed(input: string | object, options: EngineOptions = {}): Promise<void> {
      if (typeof input !== 'string' || !by) return super.speakStreamed(input as never, options as never);
      inside(this).emit('start');
      try {
        await client.speakStreamed(input, {
          ...streamed(this, input, options),
          ...by,
          onBoundary: (word) => inside(this).emit('boundary', boundaryOf(word)),
        });
      } finally {
        inside(this).emit('end');
      }
    }

    override pause(): void {
      client.pause();
      super.pause();
    }

    override resume(): void {
      client.resume();
      super.resume();
    }

    override stop(): void {
      client.stop();
      super.stop();
    }
  }
  return RhapsodeTTSClient;
}

function spokenAs(engine: WrapperBase, text: string, options: EngineOptions) {
  const { voice = inside(engine).voiceId ?? undefined, rate } = options;
  const speed = speeds[rate ?? String(engine.getProperty('rate'))] ?? 1;
  const isSsml = /^\s*<speak[\s>]/.test(text);
  return { ...(voice === undefined ? {} : { voice }), ...(speed === 1 ? {} : { speed }), isSsml };
}

function streamed(engine: WrapperBase, text: string, options: EngineOptions): VoiceOptions {
  const { isSsml, ...spoken } = spokenAs(engine, text, options);
  return { ...spoken, ...(isSsml ? { input: 'ssml' as const } : {}) };
}

const boundaryOf = ({ text, seconds, durationSeconds }: Boundary) => ({
  text,
  offset: Math.round(seconds * unitsPerSecond),
  duration: Math.round(durationSeconds * unitsPerSecond),
});

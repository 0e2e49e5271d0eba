import { type Boundary, type ClientOptions, createClient, createWebAudioPlayer } from '@rhapsode/client';

/** Runs in a browser: speaks with the SDK, and records what leaves the player for the loudspeaker. */

/** What the page needs of its browser; the repository has no browser's types. */
interface Context {
  readonly sampleRate: number;
  readonly currentTime: number;
  readonly outputLatency: number;
  readonly destination: object;
  readonly audioWorklet: { addModule(url: string): Promise<void> };
  resume(): Promise<void>;
  close(): Promise<void>;
}
interface Recorder {
  readonly port: { onmessage: (event: { data: { samples: Float32Array; frame: number } }) => void };
  connect(to: object): void;
}
const browser = globalThis as unknown as {
  AudioContext: new (options: { sampleRate: number }) => Context;
  AudioWorkletNode: new (context: Context, name: string) => Recorder;
  readonly location: { readonly search: string };
  listener: typeof listener;
};

export interface HeardWord {
  readonly text: string;
  readonly sample: number;
  /** When it was told, in the context's time, less the latency of its output. */
  readonly toldAtSeconds: number;
}

export interface Heard {
  /** Base64 of 16-bit samples, from the first that is not silence to what was silent behind the last. */
  readonly pcm: string;
  /** Of the first of them. */
  readonly startedAtSeconds: number;
  readonly words: readonly HeardWord[];
  readonly underruns: number;
  readonly seconds: number;
}

const recorderSource = `registerProcessor('recorder', class extends AudioWorkletProcessor {
  process([[input]], [[output]]) {
    const samples = input ?? new Float32Array(128);
    output.set(samples);
    this.port.postMessage({ samples: samples.slice(), frame: currentFrame });
    return true;
  }
})`;

async function record(context: Context) {
  const url = URL.createObjectURL(new Blob([recorderSource], { type: 'text/javascript' }));
  await context.audioWorklet.addModule(url);
  const node = new browser.AudioWorkletNode(context, 'recorder');
  const parts: Float32Array[] = [];
  let startFrame = -1;
  let silentBlocks = 0;
  node.port.onmessage = ({ data: { samples, frame } }) => {
    const first = samples.findIndex((sample) => sample !== 0);
    silentBlocks = first < 0 ? silentBlocks + 1 : 0;
    if (startFrame < 0) {
      if (first < 0) return;
      startFrame = frame + first;
      parts.push(samples.subarray(first));
    } else parts.push(samples);
  };
  node.connect(context.destination);
  return { node, parts, startFrame: () => startFrame, silentBlocks: () => silentBlocks };
}

function toBase64(parts: readonly Float32Array[]): string {
  const pcm = new Int16Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) for (const sample of part) pcm[at++] = sample * 32_768;
  const bytes = new Uint8Array(pcm.buffer);
  let text = '';
  for (let i = 0; i < bytes.length; i += 8_192) text += String.fromCharCode(...bytes.subarray(i, i + 8_192));
  return btoa(text);
}

const listener = {
  /** Speaks a text through a recorder, at the voice's rate. */
  async hear(
    options: ClientOptions,
    text: string,
    sampleRate: number,
    pauses?: 'pauses once',
  ): Promise<Heard> {
    const context = new browser.AudioContext({ sampleRate });
    const recorder = await record(context);
    const player = createWebAudioPlayer({ context, destination: recorder.node });
    const client = createClient({ ...options, player });
    const words: HeardWord[] = [];
    let mayPause = pauses !== undefined;
    const onBoundary = ({ text: word, sample }: Boundary) => {
      const toldAtSeconds = context.currentTime - context.outputLatency;
      words.push({ text: word, sample, toldAtSeconds });
      if (!mayPause) return;
      mayPause = false;
      client.pause();
      const timer = setInterval(() => {
        // Longer than any pause between sentences.
        if (recorder.silentBlocks() < 100) return;
        clearInterval(timer);
        client.resume();
      }, 20);
    };
    const { seconds, underruns } = await client.speakStreamed(text, { onBoundary });
    // What the recorder said last is on its way.
    await new Promise((resolve) => setTimeout(resolve, 200));
    await context.close();
    return {
      pcm: toBase64(recorder.parts),
      startedAtSeconds: recorder.startFrame() / sampleRate,
      words,
      underruns,
      seconds,
    };
  },
};

export type Listener = typeof listener;
browser.listener = listener;

/** Speaks by itself, as a page that nobody has touched: what a test's driver calls counts as a touch. */
async function speakUnasked(url: string): Promise<void> {
  const player = createWebAudioPlayer({ onBlocked: () => console.log('blocked') });
  const { samples } = await createClient({ url, player }).speak('Not before I am touched.');
  console.log(`heard ${samples}`);
}
const unasked = new URLSearchParams(browser.location.search).get('speak');
if (unasked !== null) void speakUnasked(unasked);

import { initializeLogger, tts, voice } from '@livekit/agents';
import { AudioFrame } from '@livekit/rtc-node';
import { parseWav } from '@rhapsode/audio';
import { createClient } from '@rhapsode/client';
import { createTtsWrapperEngine } from '@rhapsode/client/adapters/js-tts-wrapper';
import { createLiveKitTts } from '@rhapsode/client/adapters/livekit';
import { AbstractTTSClient } from 'js-tts-wrapper';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmbeddedServer, startEmbeddedServer } from '../support/embedded-server.ts';
import { speakEmbedded } from '../support/reference.ts';

const text = 'The wind is cold here. The river is wide.';
let server: EmbeddedServer;
let pcm: Int16Array;
const client = () => createClient({ url: server.url });

beforeAll(async () => {
  server = await startEmbeddedServer();
  ({ pcm } = await speakEmbedded(text));
  initializeLogger({ pretty: false, level: 'error' });
});
afterAll(() => server?.stop());

const samplesOf = (bytes: Uint8Array): Int16Array => {
  const { pcm: found } = parseWav(Buffer.from(bytes));
  return new Int16Array(
    found.buffer.slice(found.byteOffset, found.byteOffset + found.byteLength) as ArrayBuffer,
  );
};

describe('the engine for js-tts-wrapper', () => {
  it('speaks to bytes, lists voices and checks itself through the wrapper’s own methods', async () => {
    const engine = new (createTtsWrapperEngine(
      AbstractTTSClient,
      client(),
    ))() as unknown as AbstractTTSClient;
    expect(engine).toBeInstanceOf(AbstractTTSClient);
    const voices = await engine.getVoices();
    expect(voices.find(({ id }) => id === 'tone')).toMatchObject({ provider: 'rhapsode' });
    expect(await engine.checkCredentials()).toBe(true);
    engine.setVoice('tone');
    expect(samplesOf(await engine.synthToBytes(text))).toEqual(pcm);
    const mp3 = await engine.synthToBytesWithFormat(text, { format: 'mp3' });
    expect(mp3[0] === 0xff || String.fromCharCode(...mp3.subarray(0, 3)) === 'ID3').toBe(true);
    engine.setProperty('rate', 'x-fast');
    expect(samplesOf(await engine.synthToBytes(text)).length).toBeLessThan(pcm.length);
  });

  it('streams WAV while it is made, with boundaries in the unit that the wrapper’s code reads', async () => {
    const engine = new (createTtsWrapperEngine(
      AbstractTTSClient,
      client(),
    ))() as unknown as AbstractTTSClient;
    const { audioStream, wordBoundaries } = await engine.synthToBytestream(text);
    const parts: Uint8Array[] = [];
    for await (const part of audioStream as unknown as AsyncIterable<Uint8Array>) parts.push(part);
    expect(parts.length).toBeGreaterThan(2);
    expect(samplesOf(Buffer.concat(parts))).toEqual(pcm);
    expect(wordBoundaries.map((word) => word.text)).toEqual(text.split(' '));
    expect(wordBoundaries.at(-1)!.offset / 10_000).toBeLessThan(pcm.length / 16_000);
    expect(wordBoundaries.at(-1)!.offset / 10_000).toBeGreaterThan(1);
  });

  it('speaks through a player with the wrapper’s events', async () => {
    const heard: number[] = [];
    const sink = ({ pcm: samples }: { pcm: Int16Array }) => void heard.push(...samples);
    const engine = new (createTtsWrapperEngine(AbstractTTSClient, client(), {
      sink,
    }))() as unknown as AbstractTTSClient;
    const told: string[] = [];
    engine.on('start', () => told.push('start'));
    engine.on('boundary', (word: { text: string }) => told.push(word.text));
    engine.on('end', () => told.push('end'));
    await engine.speak(text);
    expect(Int16Array.from(heard)).toEqual(pcm);
    expect(told).toEqual(['start', ...text.split(' '), 'end']);
  });
});

describe('the TTS for LiveKit’s agents', () => {
  const make = () =>
    createLiveKitTts(
      {
        tts: tts as never,
        AudioFrame: AudioFrame as never,
        createTimedString: voice.createTimedString as never,
      },
      client(),
    ) as unknown as Promise<tts.TTS>;

  it('is one of theirs, at the voice’s rate', async () => {
    const made = await make();
    expect(made).toBeInstanceOf(tts.TTS);
    expect(made).toMatchObject({ sampleRate: 16_000, numChannels: 1, capabilities: { streaming: true } });
  });

  it('synthesizes a text whole, with one last frame', async () => {
    const frames: tts.SynthesizedAudio[] = [];
    for await (const packet of (await make()).synthesize(text)) frames.push(packet);
    expect(Int16Array.from(frames.flatMap(({ frame }) => [...frame.data]))).toEqual(pcm);
    expect(frames.map(({ final }) => final)).toEqual([...Array(frames.length - 1).fill(false), true]);
  });

  it('streams text word by word, a segment for each flush, and tells its metrics', async () => {
    const made = await make();
    const metrics: { charactersCount: number; audioDurationMs: number }[] = [];
    made.on('metrics_collected', (one) => metrics.push(one));
    const stream = made.stream();
    for (const word of text.split(/(?<= )/)) stream.pushText(word);
    stream.flush();
    stream.pushText('Another one.');
    stream.endInput();
    const segments: number[][] = [[]];
    const names = new Set<string>();
    const words: string[] = [];
    for await (const packet of stream) {
      if (packet === tts.SynthesizeStream.END_OF_STREAM) segments.push([]);
      else {
        const { frame, segmentId, timedTranscripts = [] } = packet as tts.SynthesizedAudio;
        segments.at(-1)!.push(...frame.data);
        names.add(segmentId);
        words.push(...timedTranscripts.map((word) => word.text.trim()));
      }
    }
    expect(Int16Array.from(segments[0]!)).toEqual(pcm);
    expect(Int16Array.from(segments[1]!)).toEqual((await speakEmbedded('Another one.')).pcm);
    expect(segments[2]).toEqual([]);
    expect(names.size).toBe(2);
    expect(words.slice(0, 5)).toEqual(['The', 'wind', 'is', 'cold', 'here.']);
    expect(metrics.length).toBeGreaterThan(0);
  });

  it('stops at once when it is closed', async () => {
    const stream = (await make()).stream();
    stream.pushText('A sentence that is long enough to be in the middle of. And one more behind it.');
    stream.flush();
    await stream.next();
    stream.close();
    for (let step = await stream.next(); !step.done; step = await stream.next());
  });
});

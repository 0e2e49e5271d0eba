import { Encoder } from '@evan/opus/wasm/index.js';

/** What Opus counts in, whatever it is fed with. */
export const opusClockHz = 48_000;
const frameSeconds = 0.02;
/** Requests to libopus, as its header numbers them. */
const setBitrate = 4002;
const getLookahead = 4027;

/** Bits a second that keep mono speech clean, by sample rate. */
const bitrates: Record<number, number> = {
  8000: 24_000,
  12000: 32_000,
  16000: 40_000,
  24000: 48_000,
  48000: 64_000,
};

/**
 * Mono PCM as Opus packets of 20 ms, for a container of any kind. It is libopus in WebAssembly, not the native build of the same
 * package: the bytes must be the same on every machine.
 */
export interface OpusPackets {
  /** Samples of 48 kHz that a decoder gives before the first one that was pushed. */
  readonly preSkip: number;
  /** Samples of 48 kHz in a packet. */
  readonly packetSamples: number;
  push(pcm: Int16Array): Uint8Array[];
  /** The packets in which the last samples come out; at least one. */
  finish(): Uint8Array[];
  close(): void;
}

export function createOpusPackets(sampleRateHz: number): OpusPackets {
  const encoder = new Encoder({ channels: 1, sample_rate: sampleRateHz, application: 'audio' });
  encoder.ctl(setBitrate, bitrates[sampleRateHz]!);
  const lookahead = encoder.ctl(getLookahead);
  const frame = new Int16Array(sampleRateHz * frameSeconds);
  let filled = 0;

  function push(pcm: Int16Array): Uint8Array[] {
    const packets: Uint8Array[] = [];
    for (let at = 0; at < pcm.length; ) {
      const part = pcm.subarray(at, at + frame.length - filled);
      frame.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < frame.length) continue;
      packets.push(encoder.encode(frame));
      filled = 0;
    }
    return packets;
  }

  return {
    preSkip: (lookahead * opusClockHz) / sampleRateHz,
    packetSamples: opusClockHz * frameSeconds,
    push,
    finish() {
      // One sample more, for the length in samples of 48 kHz may be rounded up.
      const packets = Math.ceil((filled + lookahead + 1) / frame.length);
      return push(new Int16Array(packets * frame.length - filled));
    },
    close: () => encoder.drop(),
  };
}

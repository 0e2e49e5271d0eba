import { createEncoder, pcmSamples } from '@rhapsode/audio';
import { feed } from './feed.ts';
import type { RenderFiles } from './port.ts';
import { packetSamples } from './timeline.ts';

/**
 * A chapter as AAC packets, for a file that holds many chapters one behind the other.
 *
 * Packet n of a stream covers samples (n-1) · 1024 to (n+1) · 1024, and what two packets say of a sample is added: so there is
 * one packet more than the samples fill, the first of them leads in, the last one leads out. Where a chapter ends with a packet
 * of silence, its last packet says nothing, and the first packet of the next chapter takes its place. Chapters that are encoded
 * apart then decode, one behind the other, to their own samples in their own places.
 */
export interface AacPackets {
  readonly packets: number;
  readonly bytes: number;
  readonly lastPacketBytes: number;
}

export interface AacPlaces {
  readonly payload: string;
  readonly sizes: string;
}

/** Encodes `samples` samples, which must be whole packets, into two files: the packets, and two bytes of size for each. */
export async function writeAacPackets(
  pcm: AsyncIterable<Uint8Array>,
  { sampleRateHz, samples }: { readonly sampleRateHz: number; readonly samples: number },
  places: AacPlaces,
  parts: RenderFiles,
  signal?: AbortSignal,
): Promise<AacPackets> {
  const facts = { packets: 0, bytes: 0, lastPacketBytes: 0 };
  async function* counted() {
    for await (const packet of splitAdts(adts(pcm, sampleRateHz))) {
      facts.packets += 1;
      facts.bytes += packet.length;
      facts.lastPacketBytes = packet.length;
      yield packet;
    }
  }
  const options = { contentType: 'application/octet-stream', ...(signal ? { signal } : {}) };
  await feed(counted(), [
    (packets) =>
      parts.put(
        places.payload,
        together(packets, (packet) => packet),
        options,
      ),
    (packets) =>
      parts.put(
        places.sizes,
        together(packets, ({ length }) => Uint8Array.of(length & 255, length >> 8)),
        options,
      ),
  ]);
  if (facts.packets !== samples / packetSamples + 1)
    throw new Error(`the AAC encoder made ${facts.packets} packets of ${samples} samples`);
  return facts;
}

async function* adts(pcm: AsyncIterable<Uint8Array>, sampleRateHz: number): AsyncIterable<Uint8Array> {
  const encoder = await createEncoder('aac', { sampleRateHz, wantedRateHz: sampleRateHz });
  try {
    yield encoder.header();
    for await (const bytes of pcm) yield await encoder.push(pcmSamples(bytes));
    yield await encoder.finish();
  } finally {
    await encoder.close();
  }
}

/** The packets of an ADTS stream without their headers. */
export async function* splitAdts(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let rest: Uint8Array = new Uint8Array(0);
  for await (const piece of bytes) {
    const all = rest.length > 0 ? Buffer.concat([rest, piece]) : piece;
    let at = 0;
    while (at + 7 <= all.length) {
      if (all[at] !== 0xff || (all[at + 1]! & 0xf6) !== 0xf0) throw new Error('not an ADTS frame');
      const headerBytes = (all[at + 1]! & 1) === 1 ? 7 : 9;
      const frameBytes = ((all[at + 3]! & 3) << 11) | (all[at + 4]! << 3) | (all[at + 5]! >> 5);
      if (at + frameBytes > all.length) break;
      yield all.slice(at + headerBytes, at + frameBytes);
      at += frameBytes;
    }
    rest = all.slice(at);
  }
  if (rest.length > 0) throw new Error('an ADTS stream ends within a frame');
}

const rates = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];

/** What a decoder is told of AAC-LC, mono: object type, rate, channels. */
export function audioSpecificConfig(sampleRateHz: number): Uint8Array {
  const rate = rates.indexOf(sampleRateHz);
  if (rate < 0) throw new Error(`AAC has no sample rate of ${sampleRateHz} Hz`);
  return Uint8Array.of((2 << 3) | (rate >> 1), ((rate & 1) << 7) | (1 << 3));
}

/** Packets are a few hundred bytes; files take larger pieces. */
async function* together(
  packets: AsyncIterable<Uint8Array>,
  bytesOf: (packet: Uint8Array) => Uint8Array,
): AsyncIterable<Uint8Array> {
  let held: Uint8Array[] = [];
  let size = 0;
  for await (const packet of packets) {
    const bytes = bytesOf(packet);
    held.push(bytes);
    size += bytes.length;
    if (size < 65_536) continue;
    yield Buffer.concat(held);
    held = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(held);
}

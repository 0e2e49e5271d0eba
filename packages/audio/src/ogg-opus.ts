import type { Codec } from './codec.ts';
import { createOggStream } from './ogg.ts';
import { createOpusPackets, opusClockHz } from './opus-packets.ts';
import { samplesAtRate } from './sample-rates.ts';

/**
 * Packets in a page, 100 ms: what a listener waits for at most, at 2 to 3 kbit/s of page headers. As many at the beginning have
 * a page each, for there somebody waits for the first sound.
 */
const packetsInPage = 5;
const vendor = 'rhapsode';

/** Opus in Ogg (RFC 7845). Where the sound begins and ends is exact: the pre-skip says the one, the last page's position the other. */
export function createOggOpusCodec(sampleRateHz: number): Codec {
  const opus = createOpusPackets(sampleRateHz);
  const page = createOggStream();
  let waiting: Uint8Array[] = [];
  let packets = 0;

  // The headers are pages 0 and 1, made now so that later ones have the numbers behind.
  const headers = Buffer.concat([
    page({ packets: [identification(sampleRateHz, opus.preSkip)], granule: 0 }),
    page({ packets: [comments()], granule: 0 }),
  ]);

  function take(fresh: Uint8Array[]): Uint8Array[] {
    const pages: Uint8Array[] = [];
    for (const packet of fresh) {
      waiting.push(packet);
      packets += 1;
      if (packets > packetsInPage && waiting.length < packetsInPage) continue;
      pages.push(page({ packets: waiting, granule: packets * opus.packetSamples }));
      waiting = [];
    }
    return pages;
  }

  return {
    header: () => headers,
    push: (pcm) => Buffer.concat(take(opus.push(pcm))),
    finish(original) {
      const last = opus.finish();
      // The last page must be the one in which the sound ends, so at least one packet is kept for it.
      const before = take(last.slice(0, -1));
      const end = opus.preSkip + samplesAtRate(original.samples, original.sampleRateHz, opusClockHz);
      return Buffer.concat([
        ...before,
        page({ packets: [...waiting, last.at(-1)!], granule: end, isLast: true }),
      ]);
    },
    close: () => opus.close(),
  };
}

function identification(sampleRateHz: number, preSkip: number): Uint8Array {
  const head = Buffer.alloc(19);
  head.write('OpusHead', 'latin1');
  head[8] = 1; // version
  head[9] = 1; // mono
  head.writeUInt16LE(preSkip, 10);
  head.writeUInt32LE(sampleRateHz, 12);
  return head; // no gain, one stream
}

function comments(): Uint8Array {
  const tags = Buffer.alloc(8 + 4 + vendor.length + 4);
  tags.write('OpusTags', 'latin1');
  tags.writeUInt32LE(vendor.length, 8);
  tags.write(vendor, 12, 'latin1');
  return tags;
}

import { createClient } from '@rhapsode/client';
import { expect, test } from 'vitest';
import { slowly } from '../faults/scene.ts';
import { startFleet } from '../support/fleet.ts';
import { speakEmbedded } from '../support/reference.ts';
import { firstDifference } from '../support/same-audio.ts';
import { plainText } from '../support/texts.ts';
import { gate } from '../support/wait.ts';

const samplesOf = (bytes: Uint8Array): Int16Array =>
  new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer);

/** Opens its doors when so many samples have come. */
function doors(total: number) {
  const waiting: { at: number; open: () => void }[] = [];
  let samples = 0;
  const settle = () => {
    for (const { at, open } of waiting) if (samples >= at) open();
  };
  return {
    came(more: number) {
      samples += more;
      settle();
    },
    share(share: number) {
      const { opened, open } = gate();
      waiting.push({ at: share * total, open });
      settle();
      return opened;
    },
  };
}

test('the client hears every sample while a worker, a gateway and a collector are killed under it', {
  timeout: 240_000,
}, async (context) => {
  const fleet = await startFleet({ workers: 2, collectors: 2 });
  context.onTestFinished(() => fleet.stop());
  const other = await fleet.addGateway({});
  const sockets: string[] = [];
  class CountedSocket extends WebSocket {
    constructor(url: string) {
      super(url);
      sockets.push(new URL(url).port);
    }
  }
  const client = createClient({
    url: [fleet.gateway.url, other.url],
    WebSocket: CountedSocket as unknown as typeof WebSocket,
  });
  const input = slowly(plainText(6, 60));
  const seed = 11;
  const reference = await speakEmbedded(input, { seed, slots: 6 });
  const { came, share } = doors(reference.pcm.length);

  async function hearStream(): Promise<Int16Array> {
    const stream = client.createStream({ voice: 'tone', seed });
    const half = input.length >> 1;
    const feeding = (async () => {
      for (let at = 0; at < input.length; at += 7) {
        // The second half is written after the gateway that has the first one is gone.
        if (at >= half && at < half + 7) await share(0.25);
        await stream.feed(input.slice(at, at + 7));
      }
      stream.done();
    })();
    const parts: number[] = [];
    for await (const { pcm } of stream) {
      parts.push(...pcm);
      came(pcm.length);
    }
    await feeding;
    return Int16Array.from(parts);
  }

  async function disturb(): Promise<void> {
    await share(0.05);
    await fleet.workers[0]!.kill();
    await share(0.2);
    await fleet.gateway.kill();
    await share(0.6);
    await fleet.collectors[0]!.kill();
  }

  const [streamed, bytes] = await Promise.all([
    hearStream(),
    client.synthToBytes(input, { voice: 'tone', seed, format: 'pcm' }),
    disturb(),
  ]).catch((error: Error) => {
    throw new Error(`${error.message}\n${fleet.output()}`, { cause: error });
  });
  expect(firstDifference(streamed, reference), 'stream').toBeUndefined();
  expect(new Set(sockets)).toEqual(new Set([fleet.gateway, other].map(({ url }) => new URL(url).port)));
  expect(firstDifference(samplesOf(bytes), reference), 'bytes').toBeUndefined();
});

import { fileURLToPath } from 'node:url';
import Lmnt from 'lmnt-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { framesOf, lunaClient, samplesOf } from '../support/luna-client.ts';
import { freePort } from '../support/ports.ts';
import { type RunningProcess, startProcess, untilReady } from '../support/process.ts';
import { speakEmbedded } from '../support/reference.ts';
import { firstDifference } from '../support/same-audio.ts';
import { plainText } from '../support/texts.ts';
import { connectWyoming, pcmOf } from '../support/wyoming-client.ts';

/** The same protocols of the server that is one process, with nothing beside it. */
describe('rhapsode serve', () => {
  const main = fileURLToPath(new URL('../../services/cli/src/main.ts', import.meta.url));
  const text = plainText(2);
  let ports: { http: number; grpc: number; wyoming: number };
  let server: RunningProcess;
  beforeAll(async () => {
    const [http, grpc, wyoming] = (await Promise.all([freePort(), freePort(), freePort()])) as [
      number,
      number,
      number,
    ];
    ports = { http, grpc, wyoming };
    server = startProcess(process.execPath, [main, 'serve'], {
      env: {
        RHAPSODE_PORT: String(http),
        RHAPSODE_GRPC_PORT: String(grpc),
        RHAPSODE_WYOMING_PORT: String(wyoming),
        RHAPSODE_TEST_VOICES: 'true',
        RHAPSODE_DEFAULT_VOICE: 'tone',
        RHAPSODE_SLOTS: '1',
        RHAPSODE_LOG_LEVEL: 'warn',
      },
    });
    const ready = async () => (await fetch(`http://127.0.0.1:${http}/readyz`)).status === 200;
    await untilReady(server, 'rhapsode serve', ready, 50_000);
  });
  afterAll(() => server?.stop());

  it('speaks Wyoming', async () => {
    const client = await connectWyoming(ports.wyoming);
    client.send('synthesize', { text });
    const events = await client.until('audio-stop');
    client.close();
    expect(firstDifference(pcmOf(events), await speakEmbedded(text))).toBeUndefined();
  });

  it('speaks Luna’s gRPC', async () => {
    const luna = lunaClient(ports.grpc);
    const frames = await framesOf(luna.stream({ text, config: { nSamples: 4_000 } }));
    luna.close();
    expect(firstDifference(samplesOf(Buffer.concat(frames)), await speakEmbedded(text))).toBeUndefined();
  });

  it('speaks with LMNT’s client', async () => {
    const client = new Lmnt({ apiKey: 'any', baseURL: `http://127.0.0.1:${ports.http}`, maxRetries: 0 });
    const session = client.speech.sessions.create({
      voice: 'default',
      format: 'pcm_s16le',
      sample_rate: 16_000,
    });
    session.sendText(text);
    session.sendFinish();
    const parts: Buffer[] = [];
    for await (const message of session) if (message.type === 'audio') parts.push(message.audio as Buffer);
    expect(firstDifference(samplesOf(Buffer.concat(parts)), await speakEmbedded(text))).toBeUndefined();
  });
});

import { type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fleet, startFleet } from '../support/fleet.ts';
import { healthOf, servicesOf } from '../support/grpc-client.ts';
import { framesOf, lunaClient, samplesOf } from '../support/luna-client.ts';
import { freePort } from '../support/ports.ts';
import { speakEmbedded } from '../support/reference.ts';
import { firstDifference } from '../support/same-audio.ts';
import { plainText } from '../support/texts.ts';
import { until } from '../support/wait.ts';

describe('Luna’s gRPC on Redis and NATS', () => {
  let fleet: Fleet;
  let port: number;
  let luna: ReturnType<typeof lunaClient>;
  beforeAll(async () => {
    port = await freePort();
    fleet = await startFleet({ env: { RHAPSODE_GRPC_PORT: String(port) } });
    luna = lunaClient(port);
  });
  afterAll(async () => {
    luna?.close();
    await fleet?.stop();
  });
  const config = { voiceId: 'tone' };

  it('is there to be found: voices, health, reflection', async () => {
    expect((await luna.listVoices({})).voices.map(({ id }) => id)).toContain('tone');
    await until(async () => (await healthOf(port)) === 'SERVING', { what: 'it to serve' });
    expect(await servicesOf(port)).toContain('cobaltspeech.luna.Luna');
  });

  it('gives in one answer what the stream gives in messages', async () => {
    const text = plainText(3);
    const whole = await luna.synthesize({ config, text });
    const frames = await framesOf(luna.stream({ config: { ...config, nSamples: 5_000 }, text }));
    expect(frames.slice(0, -1).every((frame) => frame.length === 10_000)).toBe(true);
    expect(Buffer.concat(frames).equals(whole.audio)).toBe(true);
    expect(firstDifference(samplesOf(whole.audio), await speakEmbedded(text))).toBeUndefined();
  });

  it('gives every sample of a stream while all workers are killed', { timeout: 90_000 }, async () => {
    const text = plainText(4).replaceAll('.', ' {{tone:slow=0.2}}.');
    const stream = luna.stream({ config: { ...config, nSamples: 1_600 }, text });
    const first = Promise.withResolvers<void>();
    const got: Buffer[] = [];
    const heard = (async () => {
      for await (const { audio } of stream as AsyncIterable<{ audio: Buffer }>) {
        got.push(audio);
        first.resolve();
      }
    })();
    await first.promise;
    await Promise.all(fleet.workers.map((worker) => worker.kill()));
    await Promise.all(fleet.workers.map((worker) => worker.restart()));
    await heard;
    const reference = await speakEmbedded(text.replaceAll('=0.2', '=0'));
    expect(firstDifference(samplesOf(Buffer.concat(got)), reference)).toBeUndefined();
  });

  it('stops the work of a cancelled call', async () => {
    const text = plainText(30).replaceAll('.', ' {{tone:slow=1}}.');
    const stream = luna.stream({ config, text });
    stream.once('data', () => stream.cancel());
    const error = (await framesOf(stream).catch((thrown: unknown) => thrown)) as ServiceError;
    expect(error.code).toBe(status.CANCELLED);
    await until(
      async () =>
        (await fleet.gateway.metric('rhapsode_backlog_audio_seconds')) === 0 &&
        (await fleet.gateway.metric('rhapsode_streams_open')) === 0,
      { what: 'nothing to be made or sent any more' },
    );
  });

  it('answers what is wrong with Luna’s kind of error', async () => {
    const refused = luna.synthesize({ config: { voiceId: 'nobody' }, text: 'Hello.' });
    await expect(refused).rejects.toMatchObject({
      code: status.NOT_FOUND,
      details: expect.stringContaining("no voice 'nobody'"),
    });
  });
});

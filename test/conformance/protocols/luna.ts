import { type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { healthOf, servicesOf } from '../../support/grpc-client.ts';
import { framesOf, lunaClient, samplesOf } from '../../support/luna-client.ts';
import { speakEmbedded } from '../../support/reference.ts';
import { firstDifference } from '../../support/same-audio.ts';
import { plainText } from '../../support/texts.ts';
import { until } from '../../support/wait.ts';
import { nothingLeft, type Scene, slowly, type TheScene } from './scene.ts';

const config = { voiceId: 'tone' };

export function lunaSuite(scene: TheScene): void {
  let luna: ReturnType<typeof lunaClient>;
  beforeAll(() => {
    luna = lunaClient(scene().grpcPort);
  });
  afterAll(() => luna?.close());

  it('is there to be found: voices, health, reflection', async () => {
    expect((await luna.listVoices({})).voices.map(({ id }) => id)).toContain('tone');
    await until(async () => (await healthOf(scene().grpcPort)) === 'SERVING', { what: 'it to serve' });
    expect(await servicesOf(scene().grpcPort)).toContain('cobaltspeech.luna.Luna');
  });

  it('gives in one answer what the stream gives in messages', async () => {
    const text = plainText(3);
    const whole = await luna.synthesize({ config, text });
    const frames = await framesOf(luna.stream({ config: { ...config, nSamples: 5_000 }, text }));
    expect(frames.slice(0, -1).every((frame) => frame.length === 10_000)).toBe(true);
    expect(Buffer.concat(frames).equals(whole.audio)).toBe(true);
    expect(firstDifference(samplesOf(whole.audio), await speakEmbedded(text))).toBeUndefined();
  });

  it('stops the work of a cancelled call', async () => {
    const text = slowly(plainText(30), 1);
    const stream = luna.stream({ config, text });
    stream.once('data', () => stream.cancel());
    const error = (await framesOf(stream).catch((thrown: unknown) => thrown)) as ServiceError;
    expect(error.code).toBe(status.CANCELLED);
    await nothingLeft(scene());
  });

  it('answers what is wrong with Luna’s kind of error', async () => {
    const refused = luna.synthesize({ config: { voiceId: 'nobody' }, text: 'Hello.' });
    await expect(refused).rejects.toMatchObject({
      code: status.NOT_FOUND,
      details: expect.stringContaining("no voice 'nobody'"),
    });
  });
}

/** The audio of a stream, `begun` when some has come. */
export async function streamLuna({ grpcPort }: Scene, text: string, begun: () => void): Promise<Int16Array> {
  const luna = lunaClient(grpcPort);
  const stream = luna.stream({ config: { ...config, nSamples: 1_600 }, text });
  stream.once('data', begun);
  const frames = await framesOf(stream).finally(() => luna.close());
  return samplesOf(Buffer.concat(frames));
}

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fleet, startFleet } from '../support/fleet.ts';
import { freePort } from '../support/ports.ts';
import { speakEmbedded } from '../support/reference.ts';
import { firstDifference } from '../support/same-audio.ts';
import { plainText } from '../support/texts.ts';
import { until } from '../support/wait.ts';
import { connectWyoming, pcmOf, typesOf } from '../support/wyoming-client.ts';

describe('Wyoming on Redis and NATS', () => {
  let fleet: Fleet;
  let port: number;
  beforeAll(async () => {
    port = await freePort();
    fleet = await startFleet({ env: { RHAPSODE_WYOMING_PORT: String(port) } });
  });
  afterAll(() => fleet.stop());

  it('is found by Home Assistant, which reads the voices and then asks for a whole text', async () => {
    const asking = await connectWyoming(port);
    asking.send('describe');
    const info = await asking.next();
    asking.close();
    const [program] = info!.data.tts as [{ voices: { name: string }[] }];
    expect(program.voices.map(({ name }) => name)).toContain('tone');

    const text = plainText(3);
    const client = await connectWyoming(port);
    client.send('synthesize', { text, voice: { name: 'tone' } });
    const events = await client.until('audio-stop');
    client.close();
    expect(firstDifference(pcmOf(events), await speakEmbedded(text))).toBeUndefined();
  });

  it('gives every sample of a streamed text while all workers are killed', { timeout: 90_000 }, async () => {
    const text = plainText(4).replaceAll('.', ' {{tone:slow=0.2}}.');
    const { send, next, until: read, close } = await connectWyoming(port);
    send('synthesize-start', { voice: { name: 'tone' } });
    for (const word of text.split(/(?<= )/)) send('synthesize-chunk', { text: word });
    const first = [(await next())!, (await next())!];
    expect(typesOf(first)).toEqual(['audio-start', 'audio-chunk']);
    await Promise.all(fleet.workers.map((worker) => worker.kill()));
    send('synthesize', { text, voice: { name: 'tone' } });
    send('synthesize-stop');
    await Promise.all(fleet.workers.map((worker) => worker.restart()));
    const events = [...first, ...(await read('synthesize-stopped'))];
    close();
    expect(typesOf(events)).toEqual(['audio-start', 'audio-chunk', 'audio-stop', 'synthesize-stopped']);
    expect(
      firstDifference(pcmOf(events), await speakEmbedded(text.replaceAll('=0.2', '=0'))),
    ).toBeUndefined();
  });

  it('stops the work when Home Assistant hangs up', async () => {
    const { send, next, close } = await connectWyoming(port);
    send('synthesize', { text: plainText(30).replaceAll('.', ' {{tone:slow=1}}.'), voice: { name: 'tone' } });
    expect((await next())?.type).toBe('audio-start');
    close();
    await until(
      async () =>
        (await fleet.gateway.metric('rhapsode_backlog_audio_seconds')) === 0 &&
        (await fleet.gateway.metric('rhapsode_streams_open')) === 0,
      { what: 'nothing to be made or sent any more' },
    );
  });
});

import { expect, it } from 'vitest';
import { speakEmbedded } from '../../support/reference.ts';
import { firstDifference } from '../../support/same-audio.ts';
import { plainText } from '../../support/texts.ts';
import { connectWyoming, type Heard, pcmOf, typesOf } from '../../support/wyoming-client.ts';
import { nothingLeft, type Scene, slowly, type TheScene } from './scene.ts';

export function wyomingSuite(scene: TheScene): void {
  it('is found by Home Assistant, which reads the voices and then asks for a whole text', async () => {
    const asking = await connectWyoming(scene().wyomingPort);
    asking.send('describe');
    const info = await asking.next();
    asking.close();
    const [program] = info!.data.tts as [{ voices: { name: string }[] }];
    expect(program.voices.map(({ name }) => name)).toContain('tone');

    const text = plainText(3);
    const client = await connectWyoming(scene().wyomingPort);
    client.send('synthesize', { text, voice: { name: 'tone' } });
    const events = await client.until('audio-stop');
    client.close();
    expect(firstDifference(pcmOf(events), await speakEmbedded(text))).toBeUndefined();
  });

  it('stops the work when Home Assistant hangs up', async () => {
    const { send, next, close } = await connectWyoming(scene().wyomingPort);
    send('synthesize', { text: slowly(plainText(30), 1), voice: { name: 'tone' } });
    expect((await next())?.type).toBe('audio-start');
    close();
    await nothingLeft(scene());
  });
}

/** Home Assistant's stream: its audio from the beginning, `begun` when some has come. */
export async function streamWyoming(
  { wyomingPort }: Scene,
  text: string,
  begun: () => void,
): Promise<Int16Array> {
  const { send, next, close } = await connectWyoming(wyomingPort);
  send('synthesize-start', { voice: { name: 'tone' } });
  for (const word of text.split(/(?<= )/)) send('synthesize-chunk', { text: word });
  send('synthesize', { text, voice: { name: 'tone' } });
  send('synthesize-stop');
  const events: Heard[] = [];
  for (let event = await next(60_000); event; event = await next(60_000)) {
    events.push(event);
    if (event.type === 'audio-chunk') begun();
    if (event.type === 'synthesize-stopped') break;
  }
  close();
  expect(typesOf(events)).toEqual(['audio-start', 'audio-chunk', 'audio-stop', 'synthesize-stopped']);
  return pcmOf(events);
}

import { pcmSamples } from '@rhapsode/audio';
import { toneLength, toneSamples } from '@rhapsode/voices';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../../../test/support/wait.ts';
import { type LivePiece, type LiveSpeech, openLive } from '../src/live-speech.ts';
import { type Served, type ServeOptions, serve } from './serve.ts';

const open: Served[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

async function start(options?: ServeOptions) {
  const served = await serve(options);
  open.push(served);
  const leaving = new AbortController();
  const speak = () => openLive<string>({ voice: 'tone', class: 'interactive' }, served.deps, leaving.signal);
  return { ...served, leaving, speak };
}

async function hear(speech: LiveSpeech<string>, seen: (piece: LivePiece<string>) => void = () => {}) {
  const told: string[] = [];
  const parts: Uint8Array[] = [];
  for await (const piece of speech.pieces) {
    if (piece.type === 'flushed') told.push(`flushed ${piece.token}`);
    else if (piece.type === 'segment') told.push(`segment ${piece.segment}`);
    else parts.push(piece.pcm);
    seen(piece);
  }
  return { told, pcm: pcmSamples(Buffer.concat(parts)) };
}

const sentence = 'The river turns around the stone.';
const spoken = (segment: number) => toneSamples(0, segment, 0, toneLength(sentence));

describe('a text that arrives in pieces', () => {
  it('gives its audio exactly, and tells of each flush behind the audio that it asked for', async () => {
    const { speak } = await start();
    const speech = await speak();
    const heard = hear(speech);
    await speech.flush('nothing yet');
    await speech.write('The river turns ');
    await speech.write('around the stone.');
    await speech.flush('first');
    await speech.flush('again');
    await speech.write(sentence);
    await speech.finish();
    const { told, pcm } = await heard;
    expect(told).toEqual(['flushed nothing yet', 'segment 0', 'flushed first', 'flushed again', 'segment 1']);
    const first = spoken(0);
    expect(pcm.subarray(0, first.length)).toEqual(first);
    expect(pcm.subarray(pcm.length - spoken(1).length)).toEqual(spoken(1));
  });

  it('has the limit of a text that is sent whole, in characters and not in code units', async () => {
    const { speak } = await start({ limits: { maxSpeechCharacters: 40 } });
    const within = await speak();
    await within.write(`So it is. ${'😀'.repeat(30)}`);
    await within.cancel();
    const beyond = await speak();
    await beyond.write('a '.repeat(20));
    await expect(beyond.write('b')).rejects.toMatchObject({ code: 'text_too_long', param: 'text' });
    await expect(beyond.pieces.next()).rejects.toMatchObject({ code: 'text_too_long' });
  });

  it('tells of a flush whose audio was given long ago while it waits for text', async () => {
    const { speak } = await start();
    const speech = await speak();
    const flushed: string[] = [];
    const heard = hear(speech, (piece) => {
      if (piece.type === 'flushed') flushed.push(piece.token);
    });
    await speech.write(sentence);
    await speech.flush('one');
    await until(() => flushed.length === 1, { what: 'the first flush' });
    await speech.flush('two');
    await until(() => flushed.length === 2, { what: 'the second flush' });
    await speech.finish();
    expect((await heard).told).toEqual(['segment 0', 'flushed one', 'flushed two']);
  });

  it('speaks a character that was cut in two', async () => {
    const { speak } = await start();
    const speech = await speak();
    const heard = hear(speech);
    const text = 'A smile 😀 is here.';
    await speech.write(text.slice(0, 9));
    await speech.write(text.slice(9));
    await speech.finish();
    expect((await heard).told).toEqual(['segment 0']);
  });

  it.each([
    ['half a character', 'x\ud83d', 'invalid_encoding'],
    ['a control character', 'bell \u0007', 'invalid_request'],
    ['too long a text', 'word '.repeat(800), 'text_too_long'],
  ])('ends with the error of a write that failed: %s', async (_, text, code) => {
    const { speak, backlogSeconds } = await start();
    const speech = await speak();
    const heard = hear(speech);
    const failed = speech.write(text).then(() => speech.finish());
    await expect(failed).rejects.toMatchObject({ code });
    await expect(heard).rejects.toMatchObject({ code });
    await until(async () => (await backlogSeconds()) === 0, { what: 'the utterance to be forgotten' });
  });

  it('gives no sentence beyond the window to a client that takes nothing', async () => {
    const { speak, embedded } = await start();
    const speech = await speak();
    await speech.write(`${sentence} `.repeat(25));
    await speech.finish();
    const { id } = speech.utterance;
    await until(async () => (await embedded.store.get(id))?.finished === 6, { what: 'six sentences' });
    expect((await embedded.store.get(id))?.released).toBe(6);
    const { told } = await hear(speech);
    expect(told).toHaveLength(25);
  });

  it.each(['cancel', 'disconnect'] as const)('makes nothing more after a %s', async (how) => {
    const { speak, leaving, embedded, backlogSeconds } = await start({ realTimeFactor: 1 });
    const speech = await speak();
    const heard = hear(speech, (piece) => {
      if (piece.type !== 'audio') return;
      if (how === 'cancel') void speech.cancel();
      else leaving.abort(new Error('gone'));
    });
    await speech.write(`${sentence} `.repeat(5));
    if (how === 'cancel') await heard;
    else await expect(heard).rejects.toThrow('gone');
    const { id } = speech.utterance;
    await until(async () => (await embedded.store.get(id))?.cancelled, { what: 'it to be cancelled' });
    expect(await backlogSeconds()).toBe(0);
    await expect(speech.write('more')).rejects.toThrow();
  });
});

import Lmnt from 'lmnt-node';
import Speech from 'lmnt-node-1';
import Lmnt2 from 'lmnt-node-2';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { becomeLmnt } from '../../support/lmnt-host.ts';
import { speakEmbedded } from '../../support/reference.ts';
import { firstDifference } from '../../support/same-audio.ts';
import { plainText } from '../../support/texts.ts';
import { nothingLeft, type Scene, slowly, type TheScene } from './scene.ts';

const apiKey = 'any';
const wordsIn = (text: string) => text.split(/(?<= )/);
const pcmOf = (parts: readonly (ArrayBuffer | Buffer)[]) => {
  const bytes = Buffer.concat(parts.map((part) => new Uint8Array(part as ArrayBuffer)));
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
};
const raw = { voice: 'tone', format: 'pcm_s16le', sample_rate: 16_000 } as const;

interface Message {
  readonly type: string;
  readonly audio?: ArrayBuffer | Buffer;
  readonly nonce?: number;
}
const told = (messages: readonly Message[]) =>
  messages
    .map(({ type, nonce }) => (nonce === undefined ? type : `${type} ${nonce}`))
    .filter((type, at, all) => type !== 'audio' || all[at - 1] !== 'audio');
const heardIn = (messages: readonly Message[]) =>
  pcmOf(messages.flatMap(({ audio }) => (audio === undefined ? [] : [audio])));

/** The clients as they are: the newest, and one of each earlier way of speaking to the socket. */
export function lmntSuite(scene: TheScene): void {
  let network: Awaited<ReturnType<typeof becomeLmnt>>;
  beforeAll(async () => {
    // The clients warn of every socket that was not closed with 1000.
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    network = await becomeLmnt(Number(new URL(scene().fleet.gateway.url).port));
  });
  afterAll(() => network?.close());

  describe('lmnt-node 2.12 (API 1.1)', () => {
    const client = () => new Lmnt({ apiKey, baseURL: scene().fleet.gateway.url, maxRetries: 0 });

    async function read(session: AsyncIterable<unknown>, seen: (message: Message) => void = () => {}) {
      const messages: Message[] = [];
      for await (const message of session as AsyncIterable<Message>) {
        messages.push(message);
        seen(message);
      }
      return messages;
    }

    it('speaks words as they come, and tells of the flush behind its audio', async () => {
      const text = plainText(4);
      const [first, rest] = [text.slice(0, 150), text.slice(150)];
      const session = client().speech.sessions.create({ ...raw, return_timestamps: true });
      const reading = read(session);
      for (const word of wordsIn(first)) session.sendText(word);
      expect(session.sendFlush()).toBe(1);
      for (const word of wordsIn(rest)) session.sendText(word);
      session.sendFinish();
      const messages = await reading;
      const types = told(messages);
      expect(types[0]).toBe('ready');
      expect(types.indexOf('flush_complete 1')).toBeGreaterThan(types.indexOf('audio'));
      expect(types.lastIndexOf('audio')).toBeGreaterThan(types.indexOf('flush_complete 1'));
      expect(session.request_id).toMatch(/\w/);

      const words = messages.flatMap((message) =>
        message.type === 'timestamps'
          ? (message as { timestamps?: { text: string; start: number }[] }).timestamps!
          : [],
      );
      expect(words.length).toBeGreaterThan(20);
      expect(words.map(({ start }) => start)).toEqual(words.map(({ start }) => start).sort((a, b) => a - b));
    });

    it('drops at a reset what was not sent, and goes on', async () => {
      const text = plainText(2, 60, 7);
      const session = client().speech.sessions.create(raw);
      let reset = 0;
      session.sendText(slowly(plainText(9), 0.5));
      session.sendFlush();
      const messages = await read(session, ({ type }) => {
        if (type !== 'audio' || reset > 0) return;
        reset = session.sendReset();
        session.sendText(text);
        session.sendFinish();
      });
      expect(told(messages)).toEqual(['ready', 'audio', 'reset_complete 2', 'audio']);
      const after = messages.slice(messages.findIndex(({ type }) => type === 'reset_complete'));
      expect(firstDifference(heardIn(after), await speakEmbedded(text))).toBeUndefined();
      await nothingLeft(scene());
    });

    it('ends the work when it is closed', async () => {
      const session = client().speech.sessions.create(raw);
      session.sendText(slowly(plainText(30), 1));
      for await (const message of session)
        if (message.type === 'audio') {
          session.close();
          break;
        }
      await nothingLeft(scene());
    });

    it.each([
      ['a voice that is not there', { ...raw, voice: 'lily' }, 'not_found_error'],
      ['a format that is not there', { ...raw, format: 'webm' as const }, 'invalid_request_error'],
    ])('is told of %s, and the session ends', async (_, options, type) => {
      const session = client().speech.sessions.create(options);
      session.sendText('Hello.');
      const [message] = await read(session);
      expect(message).toMatchObject({ type: 'error', error: { type, message: expect.any(String) } });
    });

    it('speaks a whole text over HTTP, streamed and as JSON', async () => {
      const text = plainText(3);
      const reference = await speakEmbedded(text);
      const { speech } = client();
      const response = await speech.generate({ ...raw, text });
      expect(firstDifference(pcmOf([await response.arrayBuffer()]), reference)).toBeUndefined();
      const { audio, timestamps } = await speech.generateDetailed({ ...raw, text, return_timestamps: true });
      expect(firstDifference(pcmOf([Buffer.from(audio, 'base64')]), reference)).toBeUndefined();
      expect(timestamps!.length).toBe(text.split(' ').length);
    });

    it('lists voices, and has LMNT’s classes of errors', async () => {
      const { voices, speech } = client();
      expect((await voices.list()).map(({ id }) => id)).toContain('tone');
      expect(await voices.list({ owner: 'me' })).toEqual([]);
      expect(await voices.retrieve('tone')).toMatchObject({ id: 'tone', owner: 'system', state: 'ready' });
      const missing = await voices.retrieve('lily').catch((error: unknown) => error);
      expect(missing).toBeInstanceOf(Lmnt.NotFoundError);
      expect(missing).toMatchObject({ type: 'not_found_error', request_id: expect.any(String) });
      const wrong = await speech.generate({ ...raw, text: '' }).catch((error: unknown) => error);
      expect(wrong).toBeInstanceOf(Lmnt.BadRequestError);
      expect(wrong).toMatchObject({ type: 'invalid_request_error' });
    });
  });

  describe('lmnt-node 2.11 (protocol 2)', () => {
    const client = () => new Lmnt2({ apiKey, baseURL: scene().fleet.gateway.url, maxRetries: 0 });

    it('speaks, flushes and finishes, with times before the audio', async () => {
      const text = plainText(2);
      const session = client().speech.sessions.create({ ...raw, return_extras: true });
      const messages: Message[] = [];
      for (const word of wordsIn(text)) session.appendText(word);
      expect(session.flush()).toBe(1);
      for await (const message of session as AsyncIterable<Message & { complete?: string }>) {
        messages.push(message);
        if (message.type === 'complete') {
          expect(message).toMatchObject({ complete: 'flush', nonce: 1 });
          session.finish();
        }
      }
      expect(messages.every(({ type }) => type !== 'error')).toBe(true);
      expect(messages[0]!.type).toBe('extras');
      const words = messages.flatMap(
        (message) => (message as { durations?: { text: string }[] }).durations ?? [],
      );
      expect(words.map(({ text }) => text).join(' ')).toContain('The');
      const { pcm } = await speakEmbedded(text);
      expect(heardIn(messages).subarray(0, pcm.length)).toEqual(pcm);
    });

    it('resets, and is told of errors', async () => {
      const session = client().speech.sessions.create(raw);
      session.appendText('This is never heard');
      expect(session.reset()).toBe(1);
      session.finish();
      const messages: Message[] = [];
      for await (const message of session as AsyncIterable<Message>) messages.push(message);
      expect(messages).toEqual([{ type: 'complete', complete: 'reset', nonce: 1 }]);

      const refused = client().speech.sessions.create({ ...raw, voice: 'lily' });
      for await (const message of refused)
        expect(message).toMatchObject({ type: 'error', error: expect.stringContaining("no voice 'lily'") });
    });
  });

  describe('lmnt-node 1.2', () => {
    const client = () => new Speech(apiKey, scene().fleet.gateway.url);

    it('speaks, flushes and finishes', async () => {
      const text = plainText(2);
      const connection = client().synthesizeStreaming('tone', { format: 'raw', sample_rate: 16_000 });
      for (const word of wordsIn(text)) connection.appendText(word);
      connection.finish();
      const parts: Buffer[] = [];
      for await (const { audio } of connection) parts.push(audio);
      expect(firstDifference(pcmOf(parts), await speakEmbedded(text))).toBeUndefined();
    });

    it('is told when the buffer is empty behind a flush', async () => {
      const options = { format: 'raw', sample_rate: 16_000, return_extras: true };
      const connection = client().synthesizeStreaming('tone', options);
      connection.appendText('The river turns around');
      connection.flush();
      const durations: string[] = [];
      let empty = 0;
      for await (const heard of connection) {
        durations.push(...heard.durations!.map(({ text }) => text));
        if (!heard.buffer_empty) continue;
        empty += 1;
        if (empty === 1) connection.finish();
      }
      expect(durations.join(' ')).toContain('river');
      expect(empty).toBe(2);
    });

    it('throws what is wrong, with extras and without', async () => {
      for (const options of [{}, { return_extras: true }]) {
        const connection = client().synthesizeStreaming('lily', options);
        connection.appendText('Hello.');
        const reading = (async () => {
          for await (const _ of connection);
        })();
        await expect(reading).rejects.toThrow("no voice 'lily'");
      }
    });

    it('speaks a whole text, with seed and durations, and lists voices', async () => {
      const text = plainText(2);
      const speech = client();
      const spoken = await speech.synthesize(text, 'tone', {
        format: 'raw',
        sample_rate: 16_000,
        seed: 7,
        return_seed: true,
        return_durations: true,
      });
      expect(firstDifference(pcmOf([spoken.audio]), await speakEmbedded(text, { seed: 7 }))).toBeUndefined();
      expect(spoken.seed).toBe(7);
      expect(spoken.durations).toHaveLength(text.split(' ').length);
      expect((await speech.fetchVoices()).map(({ id }) => id)).toContain('tone');
      expect(await speech.fetchVoice('tone')).toMatchObject({ id: 'tone' });
      await expect(speech.synthesize(text, 'lily')).rejects.toThrow("no voice 'lily'");
    });
  });
}

/** The audio of a session of the newest client, fed word by word; `begun` when some has come. */
export async function streamLmnt({ fleet }: Scene, text: string, begun: () => void): Promise<Int16Array> {
  const client = new Lmnt({ apiKey, baseURL: fleet.gateway.url });
  const session = client.speech.sessions.create(raw);
  for (const word of wordsIn(text)) session.sendText(word);
  session.sendFinish();
  const messages: Message[] = [];
  for await (const message of session) {
    messages.push(message as Message);
    if (message.type === 'audio') begun();
  }
  return heardIn(messages);
}

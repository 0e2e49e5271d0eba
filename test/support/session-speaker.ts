import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerMessage } from '@rhapsode/contracts/session';
import { openSession, positionOf, type SessionClient } from './session-client.ts';
import { within } from './wait.ts';

export interface SessionSpeakerOptions {
  /** Base URLs of gateways: one after the other is asked when a socket breaks. */
  readonly gateways: readonly string[];
  readonly id: string;
  readonly seed?: number;
  readonly tokens: readonly string[];
  /** Between two tokens, as of a chat model. */
  readonly tokenMs?: number;
  /** Asked after every frame with the number of samples heard: true drops the socket. */
  readonly dropAt?: (samples: number) => boolean;
  readonly onSamples?: (samples: number) => void;
  readonly patience?: number;
}

export interface SpokenThroughSessions {
  readonly pcm: Int16Array;
  readonly sockets: number;
  /** Tokens that were sent when the first audio came. */
  readonly tokensAtFirstAudio: number;
  readonly end: Extract<ServerMessage, { type: 'end' }>;
}

/**
 * Speaks a text through a session as a careful client does: sends it token by token, and when the socket breaks goes on at the
 * next gateway, with the text that was not confirmed and at the sample behind the last one that came.
 */
export async function speakThroughSessions(options: SessionSpeakerOptions): Promise<SpokenThroughSessions> {
  const {
    gateways,
    id,
    seed = 0,
    tokens,
    tokenMs = 2,
    dropAt = () => false,
    onSamples,
    patience = 100,
  } = options;
  const text = tokens.join('');
  const parts: Uint8Array[] = [];
  let samples = 0;
  let position = '0:0';
  let given = 0;
  let fed = 0;
  let sockets = 0;
  let tokensAtFirstAudio = -1;
  let known = false;

  // The model goes on whatever becomes of the sockets.
  const model = (async () => {
    for (const token of tokens) {
      await sleep(tokenMs);
      fed += token.length;
      given += 1;
    }
  })();

  async function attempt(url: string): Promise<SpokenThroughSessions['end'] | undefined> {
    let broken = false;
    const client: SessionClient = await openSession(url, {
      onFrame(frame) {
        if (broken) return;
        if (frame.utteranceSample !== samples)
          throw new Error(`a frame begins at ${frame.utteranceSample}, not at ${samples}`);
        if (tokensAtFirstAudio < 0) tokensAtFirstAudio = given;
        parts.push(Uint8Array.from(frame.pcm));
        samples += frame.samples;
        position = positionOf([frame]);
        onSamples?.(samples);
        if (!dropAt(samples)) return;
        broken = true;
        client.drop();
      },
    });
    sockets += 1;
    const isClosed = client.closed.then(() => undefined);
    let closed = false;
    void isClosed.then(() => {
      closed = true;
    });
    try {
      client.say(
        known
          ? { type: 'resume', utterance: id, position }
          : { type: 'open', id, voice: 'tone', seed, chunk_seconds: 0.1 },
      );
      const first = await Promise.race([
        isClosed,
        new Promise<ServerMessage>((resolve) =>
          client.ws.on('message', (data, isBinary) => {
            if (isBinary) return;
            const message = JSON.parse(String(data)) as ServerMessage;
            if (message.type === 'opened' || message.type === 'resumed' || message.type === 'error')
              resolve(message);
          }),
        ),
      ]);
      if (!first) return undefined;
      if (first.type === 'error') {
        const { code } = first.error;
        if (code === 'utterance_exists') known = true;
        else if (code === 'utterance_not_found') known = false;
        else if (code !== 'store_unavailable' && code !== 'log_unavailable' && code !== 'no_workers')
          throw new FinalError(JSON.stringify(first));
        return undefined;
      }
      known = true;
      let sent = first.type === 'resumed' ? first.offset : 0;
      let finished = first.type === 'resumed' && first.text_complete;
      while (!closed) {
        const [end] = client.all('end');
        if (end) return end;
        const [error] = client.all('error');
        if (error) throw new FinalError(JSON.stringify(error));
        if (sent < fed) {
          client.say({ type: 'text', text: text.slice(sent, fed), offset: sent });
          sent = fed;
        } else if (sent === text.length && !finished) {
          client.say({ type: 'finish' });
          finished = true;
        }
        await sleep(tokenMs);
      }
      return undefined;
    } finally {
      broken = true;
      client.drop();
    }
  }

  for (let n = 0; n < patience; n++) {
    try {
      const end = await within(attempt(gateways[n % gateways.length]!), {
        what: `the end of ${id}`,
        timeoutMs: 60_000,
      });
      if (end) {
        await model;
        const bytes = Buffer.concat(parts);
        const pcm = new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
        return { pcm, sockets, tokensAtFirstAudio, end };
      }
    } catch (error) {
      if (error instanceof FinalError) throw error;
    }
    await sleep(100);
  }
  throw new Error(`no end of ${id} after ${patience} sockets; ${samples} samples were heard`);
}

class FinalError extends Error {
  override readonly name = 'FinalError';
}

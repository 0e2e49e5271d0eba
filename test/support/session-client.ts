import {
  type AudioFrame,
  type ClientMessage,
  decodeAudioFrame,
  type ServerMessage,
  type ServerMessageOf,
  serverMessage,
  sessionPath,
} from '@rhapsode/contracts/session';
import WebSocket from 'ws';
import { until, within } from './wait.ts';

/** A session's socket as a careful client has it: every message checked against the protocol, every frame against the one before. */
export interface SessionClient {
  readonly ws: WebSocket;
  readonly messages: readonly ServerMessage[];
  readonly frames: readonly AudioFrame[];
  /** Of a context: what was heard, in order. */
  pcm(contextNumber?: number): Buffer;
  say(message: ClientMessage): void;
  /** The first message of the type (of a context, if given), there already or to come. */
  get<T extends ServerMessage['type']>(type: T, context?: string): Promise<ServerMessageOf<T>>;
  all<T extends ServerMessage['type']>(type: T): ServerMessageOf<T>[];
  /** Resolves when this many samples were heard. */
  heard(samples: number): Promise<void>;
  /** The close code. */
  readonly closed: Promise<number>;
  /** Without a farewell. */
  drop(): void;
  close(): Promise<number>;
}

export interface SessionClientOptions {
  readonly onMessage?: (message: ServerMessage) => void;
  readonly onFrame?: (frame: AudioFrame) => void;
}

export async function openSession(url: string, options: SessionClientOptions = {}): Promise<SessionClient> {
  const ws = new WebSocket(url.replace(/^http/, 'ws') + sessionPath, 'rhapsode.v1');
  const messages: ServerMessage[] = [];
  const frames: AudioFrame[] = [];
  const problems: Error[] = [];
  let samples = 0;
  ws.on('message', (data, isBinary) => {
    if (isBinary) {
      const bytes = data as Buffer;
      const frame = decodeAudioFrame(bytes);
      samples += frame.samples;
      frames.push({ ...frame, pcm: Uint8Array.from(frame.pcm) });
      options.onFrame?.(frame);
      return;
    }
    const parsed = serverMessage.safeParse(JSON.parse(String(data)));
    if (!parsed.success) problems.push(new Error(`not of the protocol: ${data}`));
    else {
      messages.push(parsed.data);
      options.onMessage?.(parsed.data);
    }
  });
  const closed = new Promise<number>((resolve) => ws.once('close', resolve));
  const opened = Promise.withResolvers<void>();
  ws.once('open', () => opened.resolve());
  ws.on('error', (error) => opened.reject(error));
  await within(opened.promise, { what: 'the socket to open' });

  return {
    ws,
    messages,
    frames,
    pcm: (contextNumber) =>
      Buffer.concat(
        frames
          .filter((frame) => contextNumber === undefined || frame.contextNumber === contextNumber)
          .map((frame) => frame.pcm),
      ),
    say: (message) => ws.send(JSON.stringify(message)),
    get: (type, context) =>
      until(
        () => {
          if (problems[0]) throw problems[0];
          return messages.find(
            (message) =>
              message.type === type &&
              (context === undefined || ('context' in message && message.context === context)),
          );
        },
        { what: `'${type}' after ${JSON.stringify(messages.slice(-3))}`, timeoutMs: 50_000, everyMs: 5 },
      ) as never,
    all: <T extends ServerMessage['type']>(type: T) =>
      messages.filter((message) => message.type === type) as ServerMessageOf<T>[],
    async heard(count) {
      await until(() => samples >= count, { what: `${count} samples`, timeoutMs: 30_000, everyMs: 5 });
    },
    closed,
    drop: () => ws.terminate(),
    close() {
      ws.close();
      return closed;
    },
  };
}

/** Where the client is: behind the last frame of the context. */
export function positionOf(frames: readonly AudioFrame[]): string {
  const last = frames.at(-1);
  return last ? `${last.segment}:${last.firstSample + last.samples}` : '0:0';
}

import type { Socket } from 'node:net';
import websocket, { type WebSocket } from '@fastify/websocket';
import { sessionSubprotocol } from '@rhapsode/contracts/session';
import type { SocketDrain } from '@rhapsode/service';
import type { Log } from '@rhapsode/telemetry';
import type { FastifyInstance } from 'fastify';

export const longestMessageBytes = 1024 * 1024;
/** What is read and not done yet: beyond it the socket is not read. */
const mostWaiting = { messages: 256, bytes: 512 * 1024 };
const pingEveryMs = 15_000;
/** Five minutes for a client that has something to read. */
const mostUnanswered = { quiet: 1, behind: 20 };
const littleBytes = 16 * 1024;
const closeGraceMs = 1_000;

/** Lets routes take WebSockets: `wsHandler` of a route that is registered behind this. */
export function acceptWebSockets(app: FastifyInstance, { log }: { readonly log: Log }): void {
  void app.register(websocket, {
    options: {
      maxPayload: longestMessageBytes,
      perMessageDeflate: false,
      // Answered here, as far as the client listens.
      autoPong: false,
      handleProtocols: (offered) => offered.has(sessionSubprotocol) && sessionSubprotocol,
    },
    // The library has told the client why, and closes the socket.
    errorHandler: (error) => log.debug({ error }, 'a WebSocket broke the protocol'),
    preClose(done) {
      const server = this.websocketServer;
      for (const client of server.clients) client.close(1001, 'the gateway goes down');
      const timer = setTimeout(() => {
        for (const client of server.clients) client.terminate();
      }, closeGraceMs);
      server.close(() => {
        clearTimeout(timer);
        done();
      });
    },
  });
}

/** Hands messages on, and reads no more while too many are not done. */
export function readMessages(
  ws: WebSocket,
  take: (data: Uint8Array, isBinary: boolean) => Promise<void>,
): void {
  const waiting = { messages: 0, bytes: 0 };
  ws.on('message', (data, isBinary) => {
    const bytes = data as Buffer;
    waiting.messages += 1;
    waiting.bytes += bytes.byteLength;
    if (waiting.messages >= mostWaiting.messages || waiting.bytes >= mostWaiting.bytes) ws.pause();
    void take(bytes, isBinary).finally(() => {
      waiting.messages -= 1;
      waiting.bytes -= bytes.byteLength;
      if (ws.isPaused && waiting.messages < mostWaiting.messages / 2 && waiting.bytes < mostWaiting.bytes / 2)
        ws.resume();
    });
  });
}

/** Aborted when the socket is closed, by whichever side and in whichever way. */
export function closedSignal(ws: WebSocket, socket: Socket): AbortSignal {
  const gone = new AbortController();
  const close = () => gone.abort(new Error('the socket is closed'));
  socket.once('close', close);
  ws.once('close', close);
  return gone.signal;
}

/** Resolves when the client is near enough to the frame for another one to follow; at once when the socket is closed. */
export async function sendFrame(
  ws: WebSocket,
  socket: Socket,
  frame: Uint8Array | string,
  { drain, closed }: { drain: SocketDrain; closed: AbortSignal },
): Promise<void> {
  if (ws.readyState !== ws.OPEN) return;
  await new Promise<void>((resolve) => ws.send(frame, () => resolve()));
  await drain.settle(socket, closed);
}

/**
 * A client that has gone without a word is noticed. One that is not read just now can't answer, and one that reads as slowly as
 * it plays comes to a ping only when it has read what was sent before: it has minutes.
 */
export function keepAlive(ws: WebSocket, socket: Socket): void {
  let unanswered = 0;
  let heardAtBytes = socket.bytesWritten;
  const hear = () => {
    unanswered = 0;
    heardAtBytes = socket.bytesWritten;
  };
  ws.on('message', hear);
  ws.on('pong', hear);
  ws.on('ping', (data) => {
    hear();
    if (ws.readyState === ws.OPEN && ws.bufferedAmount < littleBytes) ws.pong(data);
  });
  const timer = setInterval(() => {
    if (ws.isPaused) return;
    const isBehind = socket.bytesWritten - heardAtBytes > littleBytes;
    if (unanswered >= (isBehind ? mostUnanswered.behind : mostUnanswered.quiet)) return ws.terminate();
    unanswered += 1;
    if (ws.readyState === ws.OPEN && ws.bufferedAmount < littleBytes) ws.ping();
  }, pingEveryMs).unref();
  ws.once('close', () => clearInterval(timer));
}

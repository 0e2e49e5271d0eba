import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { WebSocket } from '@fastify/websocket';
import type { ServerMessage } from '@rhapsode/contracts/session';
import type { SocketDrain } from '@rhapsode/service';
import { closedSignal } from '../web-sockets.ts';

/** What goes out on a session's socket, in the order of the calls. Once the socket is closed, calls have no effect. */
export interface Link {
  send(message: ServerMessage): void;
  /** Resolves when the client is near enough to the frame for another one to follow. */
  sendAudio(frame: Uint8Array): Promise<void>;
  /** Resolves when little waits to be sent: a client that asks and does not listen is asked to wait. */
  settled(): Promise<void>;
  /** Aborted when the socket is closed. */
  readonly closed: AbortSignal;
}

const mostUnsentBytes = 64 * 1024;

export function createLink(ws: WebSocket, socket: Socket, drain: SocketDrain): Link {
  const closed = closedSignal(ws, socket);
  let settling: Promise<void> | undefined;
  /** All contexts of the socket wait for it together. */
  const settle = () => {
    settling ??= drain.settle(socket, closed).finally(() => {
      settling = undefined;
    });
    return settling;
  };

  return {
    closed,
    send(message) {
      if (ws.readyState === ws.OPEN) ws.send(JSON.stringify(message));
    },
    async sendAudio(frame) {
      if (ws.readyState !== ws.OPEN) return;
      await new Promise<void>((resolve) => ws.send(frame, () => resolve()));
      await settle();
    },
    async settled() {
      while (!closed.aborted && ws.bufferedAmount > mostUnsentBytes)
        await once(socket, 'drain', { signal: closed }).catch(() => {});
    },
  };
}

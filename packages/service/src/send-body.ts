import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log } from '@rhapsode/telemetry';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { SocketDrain } from './socket-drain.ts';

/** An answer whose first bytes are there already: what fails before is still an error with its proper status. */
export interface StreamedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Asked for more only when what it gave was taken. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** A client that does not read learns of it from the cut alone. */
const flushMs = 1_000;

export interface SendDeps {
  readonly drain: SocketDrain;
  readonly log: Log;
  /** The listener could have taken more, and waited this long for it. */
  readonly onGap?: (seconds: number) => void;
  readonly onFirstByte?: () => void;
}

/**
 * Aborted when the connection is gone before the answer is complete, also if that was before the call. An answer that waits
 * behind another one of the same connection has no socket yet and is told nothing, so the request's socket is asked.
 */
export function disconnectSignal({ raw: { socket } }: FastifyRequest, { raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  const end = () => {
    socket.removeListener('close', end);
    raw.removeListener('close', end);
    if (!raw.writableFinished) gone.abort(new Error('the client has gone'));
  };
  if (raw.destroyed || socket.destroyed) {
    end();
  } else {
    socket.once('close', end);
    raw.once('close', end);
  }
  return gone.signal;
}

/**
 * Sends a body as fast as the client takes it. After the first byte a failure can only be told by cutting the connection:
 * an answer that ends in good order is complete.
 */
export async function sendBody(
  request: FastifyRequest,
  reply: FastifyReply,
  { status, headers, body }: StreamedAnswer,
  signal: AbortSignal,
  { drain, log, onGap, onFirstByte }: SendDeps,
): Promise<void> {
  const { raw } = reply;
  const kept = reply.getHeaders();
  reply.hijack();
  raw.writeHead(status, { ...(kept as Record<string, string>), ...withoutVainOffers(status, headers) });
  try {
    let askedAt: number | undefined;
    for await (const bytes of body) {
      if (askedAt === undefined) onFirstByte?.();
      else onGap?.((performance.now() - askedAt) / 1000);
      await write(raw, bytes, signal);
      await drain.settle(request.raw.socket, signal);
      if (signal.aborted) break;
      askedAt = performance.now();
    }
    if (!signal.aborted) raw.end();
  } catch (error) {
    if (!signal.aborted) {
      log.warn({ requestId: request.id, error }, 'stream was cut');
      await flushed(raw, signal);
    }
    cut(request.raw, raw);
  }
}

/** Players seek in what offers ranges: ffmpeg goes to the end of a WAV that tells none, which takes as long as it is made. */
function withoutVainOffers(
  status: number,
  { 'accept-ranges': offer, ...headers }: StreamedAnswer['headers'],
): StreamedAnswer['headers'] {
  const isOffered = offer !== undefined && (status === 206 || headers['content-length'] !== undefined);
  return isOffered ? { ...headers, 'accept-ranges': offer } : headers;
}

/** In HTTP/1.0 an answer ends where its connection does: only a reset tells the reader that something is missing. */
function cut({ httpVersion, socket }: IncomingMessage, raw: ServerResponse): void {
  if (httpVersion === '1.0') socket.resetAndDestroy();
  else raw.destroy();
}

/** What was written last may say why the stream is cut: a client that reads gets it. */
async function flushed({ socket }: ServerResponse, signal: AbortSignal): Promise<void> {
  if (!socket || socket.destroyed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, flushMs);
  signal.addEventListener('abort', () => resolve(), { once: true });
  // A response collects what is written within a turn.
  setImmediate(() => socket.write('', () => resolve()));
  await promise;
  clearTimeout(timer);
}

async function write(raw: ServerResponse, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  if (signal.aborted || raw.write(bytes)) return;
  await once(raw, 'drain', { signal });
}

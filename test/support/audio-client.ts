import { get, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ByteClientOptions {
  /** Base URLs of collectors and gateways: one after the other is asked when a connection breaks. */
  readonly collectors: readonly string[];
  /** What the audio is asked for as, for example `format=mp3&sample_rate=24000`. */
  readonly query: string;
  /** Stops reading for a moment whenever it is ahead of this pace. */
  readonly bytesPerSecond?: number;
  /** Called with the number of bytes that the client has. */
  readonly onBytes?: (total: number) => void;
  readonly signal?: AbortSignal;
  /** Broken or refused connections in a row, without a byte between them, before it gives up. */
  readonly patience?: number;
}

export type AudioClientOptions = Omit<ByteClientOptions, 'query'>;

export interface HeardBytes {
  readonly bytes: Buffer;
  /** How often the connection broke and was taken up again. */
  readonly breaks: number;
  readonly firstByteMs: number;
}

export interface HeardAudio extends Omit<HeardBytes, 'bytes'> {
  readonly pcm: Int16Array;
}

/** Reads an utterance's samples. */
export async function readAudio(id: string, options: AudioClientOptions): Promise<HeardAudio> {
  const { bytes, ...rest } = await readBytes(id, { ...options, query: 'format=pcm' });
  return { ...rest, pcm: samplesOf(bytes) };
}

/**
 * Reads an utterance's audio as a careful client does: takes what comes, and after a broken connection asks the next collector
 * for the bytes from the very place where it broke. An answer that is an error is thrown, as is one that has other bytes
 * than were asked for.
 */
export async function readBytes(id: string, options: ByteClientOptions): Promise<HeardBytes> {
  const { collectors, query, bytesPerSecond, onBytes, signal, patience = 100 } = options;
  const parts: Buffer[] = [];
  const startedMs = performance.now();
  let total = 0;
  let breaks = 0;
  let inVain = 0;
  let firstByteMs = Number.NaN;
  for (let at = 0; ; at = (at + 1) % collectors.length) {
    const before = total;
    try {
      const url = `${collectors[at]}/v1/utterances/${id}/audio?${query}`;
      const response = await request(url, total, signal);
      if (isBehindTheEnd(response, total)) {
        response.resume();
        return { bytes: Buffer.concat(parts), breaks, firstByteMs };
      }
      if (response.statusCode !== (total === 0 ? 200 : 206)) throw await answerOf(response, total);
      checkRange(response, total);
      for await (const part of response) {
        const bytes = part as Buffer;
        if (total === 0) firstByteMs = performance.now() - startedMs;
        parts.push(bytes);
        total += bytes.length;
        onBytes?.(total);
        if (bytesPerSecond === undefined) continue;
        const aheadMs = (total / bytesPerSecond) * 1000 - (performance.now() - startedMs);
        if (aheadMs > 0) await sleep(aheadMs, undefined, signal ? { signal } : {});
      }
      return { bytes: Buffer.concat(parts), breaks, firstByteMs };
    } catch (error) {
      if (signal?.aborted || error instanceof RefusedError) throw error;
      inVain = total > before ? 0 : inVain + 1;
      if (inVain > patience) throw new Error(`no audio after ${inVain} attempts in a row`, { cause: error });
      if (total > 0) breaks += 1;
      await sleep(100);
    }
  }
}

/** The service answered, and what it said is final. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly status: number;
  readonly code: string | undefined;

  constructor(status: number, body: string) {
    super(`HTTP ${status}: ${body.slice(0, 500)}`);
    this.status = status;
    try {
      this.code = (JSON.parse(body) as { error?: { code?: string } }).error?.code;
    } catch {
      this.code = undefined;
    }
  }
}

function request(url: string, from: number, signal?: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(
      url,
      {
        headers: from > 0 ? { range: `bytes=${from}-` } : {},
        agent: false,
        ...(signal ? { signal } : {}),
      },
      resolve,
    ).once('error', reject);
  });
}

/**
 * The connection broke behind the last byte and before the end was told: there is nothing more to ask for. The length is told
 * where it is known before all is encoded.
 */
const isBehindTheEnd = ({ statusCode, headers }: IncomingMessage, total: number): boolean =>
  statusCode === 416 && total > 0 && [undefined, `bytes */${total}`].includes(headers['content-range']);

function checkRange(response: IncomingMessage, from: number): void {
  if (from === 0) return;
  const range = response.headers['content-range'];
  if (!range?.startsWith(`bytes ${from}-`))
    throw new RefusedError(response.statusCode ?? 0, `asked for bytes from ${from}, got ${range}`);
}

/** Answers that a repeat may change are ordinary errors; others are refusals. */
async function answerOf(response: IncomingMessage, from: number): Promise<Error> {
  const chunks: Buffer[] = [];
  for await (const part of response) chunks.push(part as Buffer);
  const body = Buffer.concat(chunks).toString();
  const status = response.statusCode ?? 0;
  if (status === 503 || status === 429) return new Error(`HTTP ${status} from byte ${from}: ${body}`);
  return new RefusedError(status, body);
}

const samplesOf = (bytes: Buffer): Int16Array =>
  new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));

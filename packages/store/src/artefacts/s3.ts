import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { RhapsodeError } from '@rhapsode/contracts';
import { measured } from './body.ts';
import { checkKey, checkPrefix } from './key.ts';
import type { ArtefactStore } from './port.ts';

export interface S3ArtefactsOptions {
  /** `https://key:secret@host:port/bucket/prefix?region=…`; without key and secret those that AWS's clients find. */
  readonly url: string;
}

/** Longer bodies are sent in parts of this size, a few at once; a store takes 10,000 of them, so no piece is longer than 78 GB. */
const partBytes = 8 * 1024 * 1024;
const partsAtOnce = 3;

/** Artefacts as objects of an S3 bucket: of AWS, or of any server that speaks its language. */
export function createS3Artefacts({ url }: S3ArtefactsOptions): ArtefactStore {
  const at = new URL(url);
  const [bucket = '', ...folders] = at.pathname
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);
  const prefix = folders.map((folder) => `${folder}/`).join('');
  const credentials =
    at.username === ''
      ? {}
      : {
          credentials: {
            accessKeyId: decodeURIComponent(at.username),
            secretAccessKey: decodeURIComponent(at.password),
          },
        };
  const client = new S3Client({
    endpoint: at.origin,
    region: at.searchParams.get('region') ?? 'us-east-1',
    forcePathStyle: true,
    // Other servers than AWS's do not know the checksums that its clients send of their own accord.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...credentials,
  });
  const nameOf = (key: string) => prefix + checkKey(key);
  const infoOf = (key: string, bytes: number | undefined, modified: Date | undefined) => ({
    key,
    bytes: bytes ?? 0,
    modifiedAtMs: modified?.getTime() ?? 0,
  });

  async function deleteSome(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    const objects = keys.map((key) => ({ Key: nameOf(key) }));
    const { Errors = [] } = await client.send(
      new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: objects, Quiet: true } }),
    );
    if (Errors.length > 0) throw new RhapsodeError('artefacts_unavailable', { cause: Errors[0] });
  }

  async function* list(under: string, signal: AbortSignal | undefined) {
    // The last key, and not a token, tells where to go on: every server understands that.
    let last: string | undefined;
    do {
      const found = await mapped(signal, () =>
        client.send(
          new ListObjectsV2Command({
            Bucket: bucket,
            Prefix: prefix + under,
            ...(last === undefined ? {} : { StartAfter: last }),
          }),
          ...abort(signal),
        ),
      );
      for (const { Key, Size, LastModified } of found.Contents ?? []) {
        if (Key !== undefined) yield infoOf(Key.slice(prefix.length), Size, LastModified);
      }
      last = found.IsTruncated ? found.Contents?.at(-1)?.Key : undefined;
    } while (last !== undefined);
  }

  return {
    put: (key, body, { contentType, signal } = {}) =>
      mapped(signal, async () => {
        const target = {
          Bucket: bucket,
          Key: nameOf(key),
          ...(contentType ? { ContentType: contentType } : {}),
        };
        if (body instanceof Uint8Array && body.length <= partBytes) {
          signal?.throwIfAborted();
          await client.send(new PutObjectCommand({ ...target, Body: body }), ...abort(signal));
          return { bytes: body.length, sha256: createHash('sha256').update(body).digest('hex') };
        }
        const given = measured(body, signal);
        let broken: { error: unknown } | undefined;
        async function* pieces() {
          try {
            yield* given.pieces;
          } catch (error) {
            broken = { error };
            throw error;
          }
        }
        const source = Readable.from(pieces(), { objectMode: false, highWaterMark: partBytes });
        const upload = new Upload({
          client,
          params: { ...target, Body: source },
          partSize: partBytes,
          queueSize: partsAtOnce,
          leavePartsOnError: false,
        });
        const stop = () => void upload.abort();
        signal?.addEventListener('abort', stop, { once: true });
        try {
          await upload.done();
        } catch (error) {
          // What went wrong first counts, and not that the parts that were sent could not be taken back.
          throw broken ? broken.error : error;
        } finally {
          signal?.removeEventListener('abort', stop);
          source.destroy();
        }
        return given.result();
      }),

    get: (key, { range, signal } = {}) =>
      mapped(signal, async () => {
        const named = { Bucket: bucket, Key: nameOf(key) };
        if (range) {
          // A range behind the end is an error in S3, as any is of an empty piece.
          const whole = await orAbsent(client.send(new HeadObjectCommand(named), ...abort(signal)));
          if (!whole) return undefined;
          const bytes = whole.ContentLength ?? 0;
          if (range.first >= bytes || (range.last ?? bytes) < range.first)
            return { ...infoOf(key, bytes, whole.LastModified), body: nothing() };
        }
        const Range = range && `bytes=${range.first}-${range.last ?? ''}`;
        const found = await orAbsent(
          client.send(new GetObjectCommand({ ...named, ...(Range ? { Range } : {}) }), ...abort(signal)),
        );
        if (!found) return undefined;
        const total = Number(/\/(\d+)$/.exec(found.ContentRange ?? '')?.[1] ?? found.ContentLength);
        const body = readerOf(found.Body as Readable, found.ContentLength ?? 0, signal);
        return { ...infoOf(key, total, found.LastModified), body };
      }),

    head: (key) =>
      mapped(undefined, async () => {
        const found = await orAbsent(
          client.send(new HeadObjectCommand({ Bucket: bucket, Key: nameOf(key) })),
        );
        return found && infoOf(key, found.ContentLength, found.LastModified);
      }),
    list: (under, { signal } = {}) => list(under, signal),
    delete: (key) =>
      mapped(undefined, async () => {
        await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: nameOf(key) }));
      }),
    deleteAll: (under) =>
      mapped(undefined, async () => {
        checkPrefix(under);
        let some: string[] = [];
        for await (const { key } of list(under, undefined)) {
          some.push(key);
          if (some.length < 500) continue;
          await deleteSome(some);
          some = [];
        }
        await deleteSome(some);
      }),
    ping: () =>
      mapped(undefined, async () => {
        await client.send(new HeadBucketCommand({ Bucket: bucket }));
      }),
    async close() {
      client.destroy();
    },
  };
}

const abort = (signal: AbortSignal | undefined): [] | [{ abortSignal: AbortSignal }] =>
  signal ? [{ abortSignal: signal }] : [];

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {}

/** The bytes of an answer; all of them, or an error. Closing it also ends what was not read. */
function readerOf(
  body: Readable,
  length: number,
  signal: AbortSignal | undefined,
): AsyncIterable<Uint8Array> {
  async function* pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    let read = 0;
    try {
      for await (const piece of body) {
        signal?.throwIfAborted();
        read += (piece as Buffer).length;
        yield piece as Buffer;
      }
    } catch (cause) {
      signal?.throwIfAborted();
      throw new RhapsodeError('artefacts_unavailable', { cause });
    }
    if (read !== length) throw new RhapsodeError('artefacts_unavailable', { cause: new Error('cut short') });
  }
  // Whatever happens before somebody reads is told to the one who does.
  body.on('error', () => {});
  const reading = pieces();
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => reading.next(),
      async return() {
        body.destroy();
        await reading.return();
        return { done: true, value: undefined };
      },
    }),
  };
}

const isAbsent = (error: unknown) =>
  error instanceof Error &&
  (['NoSuchKey', 'NotFound'].includes(error.name) ||
    (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode === 404);

async function orAbsent<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** What S3 and the network say is for the log only; what the source of a body throws is the caller's own. */
async function mapped<T>(signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    signal?.throwIfAborted();
    const { $metadata, code } = error as { $metadata?: unknown; code?: unknown };
    if (error instanceof RhapsodeError || ($metadata === undefined && typeof code !== 'string')) throw error;
    throw new RhapsodeError('artefacts_unavailable', { cause: error });
  }
}

import { createHash } from 'node:crypto';
import type { z } from 'zod';
import type { RenderFiles } from './port.ts';

/** Raised when the same book would be rendered to other bytes by this version of the program. */
export const rendererVersion = 1;

/** What a piece was made from, in 64 letters. */
export const fingerprintOf = (...from: readonly unknown[]): string =>
  createHash('sha256')
    .update(JSON.stringify([rendererVersion, ...from]))
    .digest('hex');

/** A small note about something that was made. One that is damaged or from another version is as good as none. */
export async function readRecord<T>(
  files: RenderFiles,
  name: string,
  schema: z.ZodType<T>,
  signal?: AbortSignal,
): Promise<T | undefined> {
  const bytes = await files.get(name, signal);
  if (!bytes) return undefined;
  const pieces: Uint8Array[] = [];
  for await (const piece of bytes) pieces.push(piece);
  try {
    const parsed = schema.safeParse(JSON.parse(Buffer.concat(pieces).toString()));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

export async function writeRecord(
  files: RenderFiles,
  name: string,
  record: unknown,
  signal?: AbortSignal,
): Promise<void> {
  await files.put(name, once(Buffer.from(JSON.stringify(record))), {
    contentType: 'application/json',
    ...(signal ? { signal } : {}),
  });
}

export async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

import { createHash } from 'node:crypto';
import type { Artefact, ArtefactBody, ArtefactStore, GetOptions, PutResult } from './port.ts';

/** The pieces of a body, and what they were when all have passed. */
export function measured(body: ArtefactBody, signal?: AbortSignal) {
  const hash = createHash('sha256');
  let bytes = 0;
  async function* pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const piece of body instanceof Uint8Array ? [body] : body) {
      signal?.throwIfAborted();
      if (piece.length === 0) continue;
      hash.update(piece);
      bytes += piece.length;
      yield piece;
    }
    signal?.throwIfAborted();
  }
  return { pieces: pieces(), result: (): PutResult => ({ bytes, sha256: hash.copy().digest('hex') }) };
}

export async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  const [only] = pieces;
  // What is short comes in one piece: there is no need of a copy.
  return only && pieces.length === 1
    ? Buffer.from(only.buffer, only.byteOffset, only.byteLength)
    : Buffer.concat(pieces);
}

/** A whole piece, for those that are small. */
export async function readWhole(
  store: Pick<ArtefactStore, 'get'>,
  key: string,
  options?: GetOptions,
): Promise<Buffer | undefined> {
  const found: Artefact | undefined = await store.get(key, options);
  return found && collect(found.body);
}

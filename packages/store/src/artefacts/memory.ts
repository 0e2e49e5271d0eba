import { collect, measured } from './body.ts';
import { checkKey, checkPrefix } from './key.ts';
import type { ArtefactStore } from './port.ts';

const sliceLength = 65_536;

/** The artefacts of a process that keeps nothing. */
export function createMemoryArtefacts({ now = Date.now }: { now?: () => number } = {}): ArtefactStore {
  const pieces = new Map<string, { bytes: Buffer; modifiedAtMs: number }>();
  const infoOf = (key: string) => {
    const piece = pieces.get(key);
    return piece && { key, bytes: piece.bytes.length, modifiedAtMs: piece.modifiedAtMs };
  };

  return {
    async put(key, body, { signal } = {}) {
      checkKey(key);
      const given = measured(body, signal);
      // Whoever gave or gets them may write into theirs.
      const bytes = Buffer.from(await collect(given.pieces));
      pieces.set(key, { bytes, modifiedAtMs: now() });
      return given.result();
    },
    async get(key, { range, signal } = {}) {
      const piece = pieces.get(checkKey(key));
      if (!piece) return undefined;
      const part = piece.bytes.subarray(
        range?.first ?? 0,
        range?.last === undefined ? undefined : range.last + 1,
      );
      async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
        for (let at = 0; at < part.length; at += sliceLength) {
          signal?.throwIfAborted();
          yield Buffer.from(part.subarray(at, at + sliceLength));
        }
      }
      return { ...infoOf(key)!, body: body() };
    },
    async head(key) {
      return infoOf(checkKey(key));
    },
    async *list(prefix, { signal } = {}) {
      const keys = [...pieces.keys()].filter((key) => key.startsWith(prefix));
      for (const key of keys) {
        signal?.throwIfAborted();
        const info = infoOf(key);
        if (info) yield info;
      }
    },
    async delete(key) {
      pieces.delete(checkKey(key));
    },
    async deleteAll(prefix) {
      checkPrefix(prefix);
      for (const key of pieces.keys()) if (key.startsWith(prefix)) pieces.delete(key);
    },
    async ping() {},
    async close() {
      pieces.clear();
    },
  };
}

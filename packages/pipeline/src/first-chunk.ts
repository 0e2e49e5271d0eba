import type { ChunkTiming } from '@rhapsode/contracts';
import type { AudioPiece } from './assemble.ts';
import type { Listening } from './listen.ts';

/** The same listening, which remembers how long the first chunk took that passed through. */
export function watchFirstChunk(listening: Listening): Listening & { firstChunk(): ChunkTiming | undefined } {
  let timing: ChunkTiming | undefined;
  async function* watched(): AsyncGenerator<AudioPiece, void, undefined> {
    for await (const piece of listening.pieces) {
      if (piece.type === 'audio') timing ??= piece.chunk?.timing;
      yield piece;
    }
  }
  return { ...listening, pieces: watched(), firstChunk: () => timing };
}

/** As a `Server-Timing` header: milliseconds that its sentence waited, and that its worker took for it. */
export const serverTiming = (timing: ChunkTiming | undefined): Record<string, string> =>
  timing === undefined
    ? {}
    : {
        'server-timing': `queue;dur=${timing.queueMs.toFixed(1)}, synthesis;dur=${timing.firstChunkMs.toFixed(1)}`,
      };

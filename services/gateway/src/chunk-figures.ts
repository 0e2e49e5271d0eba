import type { ServerMessageOf } from '@rhapsode/contracts/session';
import type { ChunkFacts } from '@rhapsode/pipeline';

type Figures = Pick<
  ServerMessageOf<'chunk'>,
  'elapsed_ms' | 'first_chunk_ms' | 'rtf' | 'queue_ms' | 'attempt'
>;

/** What the worker told of a chunk, as every protocol of ours names it. */
export function chunkFiguresOf(chunk: ChunkFacts | undefined): Figures {
  if (chunk === undefined) return {};
  const { attempt, timing } = chunk;
  if (timing === undefined) return { attempt };
  return {
    elapsed_ms: timing.elapsedMs,
    first_chunk_ms: timing.firstChunkMs,
    rtf: timing.realTimeFactor,
    queue_ms: timing.queueMs,
    attempt,
  };
}

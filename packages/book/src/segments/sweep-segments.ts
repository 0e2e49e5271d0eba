import type { ArtefactStore } from '@rhapsode/store';
import { allSegments } from '../layout.ts';

export interface SegmentLimits {
  /** Sentences older than this are forgotten. */
  readonly maxAgeMs?: number | undefined;
  /** Most that all sentences of a tenant may take; the oldest go first. */
  readonly maxBytes?: number | undefined;
}

const bucketMs = 3_600_000;

/**
 * Forgets spoken sentences by age and by size. Memory does not grow with their number: what is to go is decided by the hour
 * in which it was made. A book that is made of one meanwhile has it spoken again.
 */
export async function sweepSegments(
  artefacts: ArtefactStore,
  { maxAgeMs, maxBytes }: SegmentLimits,
  { nowMs = Date.now(), signal }: { nowMs?: number; signal?: AbortSignal } = {},
): Promise<{ deleted: number }> {
  let deleted = 0;
  const hours = new Map<string, Map<number, number>>();
  const list = () => artefacts.list(allSegments, signal ? { signal } : {});
  const tenantOf = (key: string) => key.slice(allSegments.length).split('/', 1)[0]!;

  for await (const { key, bytes, modifiedAtMs } of list()) {
    if (maxAgeMs !== undefined && modifiedAtMs < nowMs - maxAgeMs) {
      await artefacts.delete(key);
      deleted++;
      continue;
    }
    const tenant = tenantOf(key);
    const counted = hours.get(tenant) ?? new Map<number, number>();
    hours.set(tenant, counted);
    const hour = Math.floor(modifiedAtMs / bucketMs);
    counted.set(hour, (counted.get(hour) ?? 0) + bytes);
  }
  if (maxBytes === undefined) return { deleted };

  const excess = new Map<string, { hour: number; bytes: number }>();
  for (const [tenant, counted] of hours) {
    let over = [...counted.values()].reduce((sum, bytes) => sum + bytes, 0) - maxBytes;
    for (const [hour, bytes] of [...counted].sort(([a], [b]) => a - b)) {
      if (over <= 0) break;
      // Of the last hour that is touched only as much as is needed.
      excess.set(tenant, { hour, bytes: Math.min(over, bytes) });
      over -= bytes;
    }
  }
  for await (const { key, bytes, modifiedAtMs } of list()) {
    const limit = excess.get(tenantOf(key));
    const hour = Math.floor(modifiedAtMs / bucketMs);
    if (!limit || hour > limit.hour || (hour === limit.hour && limit.bytes <= 0)) continue;
    await artefacts.delete(key);
    deleted++;
    if (hour === limit.hour) limit.bytes -= bytes;
  }
  return { deleted };
}

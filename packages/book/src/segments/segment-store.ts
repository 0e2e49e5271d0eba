import { type ArtefactStore, collect, readWhole } from '@rhapsode/store';
import { segmentKey } from '../layout.ts';
import { decodeFacts, decodePcm, encodeSegment, factsEnd, type SegmentFacts } from './segment-file.ts';

export type { SegmentFacts };

/**
 * Every sentence that was ever spoken, by what its audio depends on. One that is damaged is not there: it is removed when it
 * is met, and made again.
 */
export interface SegmentStore {
  facts(tenant: string, key: string): Promise<SegmentFacts | undefined>;
  /** Mono, signed 16-bit little-endian; its digest was checked. */
  audio(tenant: string, key: string): Promise<{ facts: SegmentFacts; pcm: Uint8Array } | undefined>;
  put(
    tenant: string,
    facts: Omit<SegmentFacts, 'samples' | 'peak' | 'pcmSha256'>,
    pcm: Uint8Array,
    signal?: AbortSignal,
  ): Promise<SegmentFacts>;
}

/** Facts are longer only where a sentence has very many words. */
const firstReadBytes = 16_384;

export function createSegmentStore(artefacts: ArtefactStore): SegmentStore {
  async function lose(tenant: string, key: string): Promise<undefined> {
    await artefacts.delete(segmentKey(tenant, key));
    return undefined;
  }

  return {
    async facts(tenant, key) {
      const name = segmentKey(tenant, key);
      const found = await artefacts.get(name, { range: { first: 0, last: firstReadBytes - 1 } });
      if (!found) return undefined;
      let bytes = await collect(found.body);
      const end = factsEnd(bytes);
      if (end !== undefined && end > bytes.length)
        bytes = (await readWhole(artefacts, name, { range: { first: 0, last: end - 1 } })) ?? bytes;
      return decodeFacts(bytes, key, found.bytes) ?? lose(tenant, key);
    },
    async audio(tenant, key) {
      const bytes = await readWhole(artefacts, segmentKey(tenant, key));
      if (!bytes) return undefined;
      const facts = decodeFacts(bytes, key, bytes.length);
      const pcm = facts && decodePcm(bytes, facts);
      return pcm ? { facts, pcm } : lose(tenant, key);
    },
    async put(tenant, given, pcm, signal) {
      const { facts, bytes } = encodeSegment(given, pcm);
      // A power failure may damage it; then it is made again.
      const options = { durable: false, contentType: 'application/octet-stream' };
      await artefacts.put(segmentKey(tenant, given.key), bytes, {
        ...options,
        ...(signal ? { signal } : {}),
      });
      return facts;
    },
  };
}

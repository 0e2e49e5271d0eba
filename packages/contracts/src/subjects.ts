/** Names on the wire. No other file spells them. */

/** FNV-1a (32 bits): spreads utterances over the log's shards, the same on every process. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return h;
}

export const shardOf = (utterance: string, shards: number): number => hash(utterance) % shards;

export const audioSubject = (utterance: string, shards: number): string =>
  `rhapsode.audio.${shardOf(utterance, shards)}.${utterance}`;
export const liveSubject = (utterance: string, shards: number): string =>
  `rhapsode.live.${shardOf(utterance, shards)}.${utterance}`;
export const audioStream = (shard: number): string => `RHAPSODE_AUDIO_${shard}`;
export const audioStreamSubjects = (shard: number): string => `rhapsode.audio.${shard}.>`;
export const liveStreamSubjects = (shard: number): string => `rhapsode.live.${shard}.>`;
export const cancelSubject = (utterance: string): string => `rhapsode.cancel.${utterance}`;
export const cancelSubjects = 'rhapsode.cancel.*';

/** BullMQ's queue of a pool; the braces keep its keys in one Redis Cluster slot. */
export const queueName = (pool: string): string => `{rhapsode}-${pool}`;

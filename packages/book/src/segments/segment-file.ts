import { createHash } from 'node:crypto';
import { mark } from '@rhapsode/contracts';
import { z } from 'zod';

/**
 * A spoken sentence as bytes: a word that says what it is, the length of the facts (32 bits, little-endian), the facts as
 * JSON, their SHA-256, the PCM, whose SHA-256 is among the facts. So the facts can be read alone, and neither a cut nor a
 * flipped bit goes unseen.
 */
const magic = Buffer.from('rhapseg1');
const beforeFacts = magic.length + 4;
const digestLength = 32;
const mostFactsBytes = 64 * 1024 * 1024;

const facts = z.object({
  key: z.string(),
  sampleRateHz: z.int().min(1),
  samples: z.int().min(0),
  peak: z.int().min(0).max(32_768),
  marksFrom: z.enum(['model', 'estimated', 'none']),
  marks: z.array(mark),
  attempt: z.int().min(0),
  worker: z.string(),
  pcmSha256: z.string(),
});
export type SegmentFacts = z.infer<typeof facts>;

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();

export function encodeSegment(given: Omit<SegmentFacts, 'samples' | 'peak' | 'pcmSha256'>, pcm: Uint8Array) {
  const all: SegmentFacts = {
    ...given,
    samples: pcm.length / 2,
    peak: peakOf(pcm),
    pcmSha256: sha256(pcm).toString('hex'),
  };
  const json = Buffer.from(JSON.stringify(all));
  const head = Buffer.alloc(4);
  head.writeUInt32LE(json.length);
  return { facts: all, bytes: Buffer.concat([magic, head, json, sha256(json), pcm]) };
}

/** How many bytes have to be read to have the facts; undefined if this is no sentence. */
export function factsEnd(bytes: Buffer): number | undefined {
  if (bytes.length < beforeFacts || !bytes.subarray(0, magic.length).equals(magic)) return undefined;
  const length = bytes.readUInt32LE(magic.length);
  return length > mostFactsBytes ? undefined : beforeFacts + length + digestLength;
}

/** Undefined if anything is wrong with them. `wholeBytes`: what the whole file has. */
export function decodeFacts(bytes: Buffer, key: string, wholeBytes: number): SegmentFacts | undefined {
  const end = factsEnd(bytes);
  if (end === undefined || bytes.length < end) return undefined;
  const json = bytes.subarray(beforeFacts, end - digestLength);
  if (!sha256(json).equals(bytes.subarray(end - digestLength, end))) return undefined;
  const parsed = facts.safeParse(JSON.parse(json.toString()));
  if (!parsed.success || parsed.data.key !== key) return undefined;
  return end + parsed.data.samples * 2 === wholeBytes ? parsed.data : undefined;
}

/** The samples, checked against the facts. */
export function decodePcm(bytes: Buffer, known: SegmentFacts): Buffer | undefined {
  const pcm = bytes.subarray(bytes.length - known.samples * 2);
  return sha256(pcm).toString('hex') === known.pcmSha256 ? pcm : undefined;
}

function peakOf(pcm: Uint8Array): number {
  const view = new DataView(pcm.buffer, pcm.byteOffset, pcm.byteLength);
  let peak = 0;
  for (let at = 0; at + 1 < pcm.length; at += 2) peak = Math.max(peak, Math.abs(view.getInt16(at, true)));
  return peak;
}

import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { OutputFile, RenderDeps } from './port.ts';
import { fingerprintOf, readRecord, writeRecord } from './records.ts';

const made = z.object({
  fingerprint: z.string(),
  file: z.object({
    name: z.string(),
    kind: z.enum(['audio', 'captions', 'timings', 'metadata', 'cover']),
    format: z.string(),
    contentType: z.string(),
    bytes: z.number(),
    sha256: z.string(),
    samples: z.number().optional(),
    sampleRateHz: z.number().optional(),
    chapter: z.number().optional(),
  }),
});

export interface Wanted {
  readonly name: string;
  readonly fingerprint: string;
  readonly about: Pick<OutputFile, 'kind' | 'format' | 'contentType' | 'chapter'>;
}

/** What was made is not made again, as long as it would come out the same. */
export function createMadeFiles({ outputs, parts, signal }: RenderDeps) {
  const recordOf = (name: string) => `made/${fingerprintOf(name)}.json`;

  /** Somebody may have changed it since: reading a file is little beside making it. */
  async function digestOf(name: string): Promise<string> {
    const hash = createHash('sha256');
    for await (const piece of (await outputs.get(name, signal)) ?? []) hash.update(piece);
    return hash.digest('hex');
  }

  return {
    async known({ name, fingerprint }: Wanted): Promise<OutputFile | undefined> {
      const record = await readRecord(parts, recordOf(name), made, signal);
      if (record?.fingerprint !== fingerprint) return undefined;
      const { bytes, sha256 } = record.file;
      const whole = (await outputs.size(name)) === bytes && (await digestOf(name)) === sha256;
      return whole ? (record.file as OutputFile) : undefined;
    },
    /** `more` is asked when the file is written. */
    async make(
      { name, fingerprint, about }: Wanted,
      bytes: AsyncIterable<Uint8Array>,
      more: () => Pick<OutputFile, 'samples' | 'sampleRateHz'> = () => ({}),
    ): Promise<OutputFile> {
      // Whoever dies in between leaves a file that nothing is said of, never a note that is wrong.
      await parts.delete(recordOf(name));
      const put = await outputs.put(name, bytes, {
        contentType: about.contentType,
        ...(signal ? { signal } : {}),
      });
      const file: OutputFile = { name, ...about, bytes: put.bytes, sha256: put.sha256, ...more() };
      await writeRecord(parts, recordOf(name), { fingerprint, file }, signal);
      return file;
    },
    async remove(name: string): Promise<void> {
      await parts.delete(recordOf(name));
      await outputs.delete(name);
    },
  };
}
export type MadeFiles = ReturnType<typeof createMadeFiles>;

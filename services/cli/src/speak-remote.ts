import type { AudioFormat } from '@rhapsode/audio';
import { createClient } from '@rhapsode/client';
import type { SpeechSettings } from '@rhapsode/contracts';
import { createWholeFile } from './whole-file.ts';

export interface RemoteOptions {
  readonly url: string;
  readonly voice: string;
  readonly speaker?: string | undefined;
  readonly speed?: number | undefined;
  readonly seed?: number | undefined;
  readonly settings?: SpeechSettings | undefined;
  readonly format: AudioFormat;
  readonly sampleRateHz?: number | undefined;
  readonly path: string;
  readonly signal: AbortSignal;
  readonly onProgress: (bytes: number) => void;
}

/** Speaks a text on a server and writes the bytes that it answers, across broken connections. */
export async function speakRemote(text: string, options: RemoteOptions) {
  const { url, voice, speaker, speed, seed, settings, format, sampleRateHz, path, signal, onProgress } =
    options;
  const client = createClient({ url });
  const startedAt = performance.now();
  const file = await createWholeFile(path);
  let created: string | undefined;
  let bytes = 0;
  let ttfaMs: number | undefined;
  try {
    const utterance = await client.create(
      {
        input: text,
        voice,
        ...(speaker === undefined ? {} : { speaker }),
        ...(speed === undefined ? {} : { speed }),
        ...(seed === undefined ? {} : { seed }),
        ...(settings === undefined ? {} : { settings: { ...settings } as Record<string, number> }),
      },
      signal,
    );
    created = utterance.id;
    for await (const part of client.audio(utterance, { format, sampleRateHz, signal })) {
      ttfaMs ??= performance.now() - startedAt;
      await file.write(part);
      bytes += part.length;
      onProgress(bytes);
    }
    await file.finish();
  } catch (error) {
    await file.discard();
    if (created !== undefined) await client.cancel(created).catch(() => {});
    throw error;
  }
  return {
    id: created,
    bytes,
    ttfaMs: ttfaMs ?? 0,
    elapsedSeconds: (performance.now() - startedAt) / 1000,
  };
}

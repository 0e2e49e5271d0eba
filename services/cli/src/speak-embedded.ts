import { createHash } from 'node:crypto';
import type { SpeechSettings, VoiceInfo } from '@rhapsode/contracts';
import { isAudio, listen, submit } from '@rhapsode/pipeline';
import type { Speaker } from './speaker.ts';

export interface SpeakOptions {
  readonly voice: VoiceInfo;
  readonly speaker?: string | undefined;
  readonly speed?: number | undefined;
  readonly seed?: number | undefined;
  readonly settings?: SpeechSettings | undefined;
  readonly signal: AbortSignal;
  /** Takes the PCM, in order. */
  readonly write: (pcm: Uint8Array) => Promise<void>;
  /** What was written since the last call is a sentence. */
  readonly endSentence: () => Promise<void>;
  readonly onProgress: (progress: {
    segments: number;
    total: number | undefined;
    audioSeconds: number;
  }) => void;
}

export interface SpokenSegment {
  /** Span in the text, in UTF-16 code units. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** Place of its first sample in the whole. */
  readonly position: number;
  readonly samples: number;
  readonly pauseSamples: number;
}

export interface Spoken {
  readonly segments: SpokenSegment[];
  readonly samples: number;
  readonly sampleRateHz: number;
  readonly audioSeconds: number;
  /** From handing in the text to the first audio. */
  readonly ttfaMs: number;
  readonly elapsedSeconds: number;
  /** Seconds of synthesis for a second of audio, over all sentences. */
  readonly rtf: number;
  /** Of the PCM: mono, signed 16-bit, little-endian. */
  readonly sha256: string;
}

/** Speaks a text with the pipeline in this process. Throws the error of the sentence that can't be spoken. */
export async function speakEmbedded(text: string, speaker: Speaker, options: SpeakOptions): Promise<Spoken> {
  const { voice, signal, write, endSentence, onProgress } = options;
  const { embedded } = speaker;
  const startedAt = performance.now();
  const { utterance, stored } = await submit(
    text,
    {
      tenant: 'local',
      class: 'interactive',
      pool: embedded.pool,
      voice,
      speaker: options.speaker,
      window: Math.max(6, 4 * speaker.slots),
      ...(options.speed === undefined ? {} : { speed: options.speed }),
      ...(options.seed === undefined ? {} : { seed: options.seed }),
      ...(options.settings === undefined ? {} : { settings: options.settings }),
    },
    embedded,
  );
  let total: number | undefined;
  stored.then(
    (segments) => {
      total = segments;
    },
    () => {},
  );

  const listening = await listen(utterance.id, { signal }, embedded);
  const digest = createHash('sha256');
  const facts: { samples: number; pauseSamples: number }[] = [];
  let samples = 0;
  let synthesisMs = 0;
  let ttfaMs: number | undefined;
  try {
    for await (const piece of listening.pieces) {
      if (isAudio(piece)) {
        ttfaMs ??= performance.now() - startedAt;
        digest.update(piece.pcm);
        samples += piece.pcm.length / 2;
        await write(piece.pcm);
      } else {
        await endSentence();
        facts.push(piece);
        synthesisMs += piece.synthesisMs;
        listening.consumed(piece.segment + 1);
        onProgress({ segments: facts.length, total, audioSeconds: samples / utterance.sampleRateHz });
      }
    }
    await stored;
  } finally {
    await listening.close();
  }

  const planned = await embedded.store.segments(utterance.id, 0, facts.length);
  let position = 0;
  const segments = facts.map(({ samples, pauseSamples }, i) => {
    const { start, end, text } = planned[i]!;
    const segment = { start, end, text, position, samples, pauseSamples };
    position += samples + pauseSamples;
    return segment;
  });
  const audioSeconds = samples / utterance.sampleRateHz;
  return {
    segments,
    samples,
    sampleRateHz: utterance.sampleRateHz,
    audioSeconds,
    ttfaMs: ttfaMs ?? 0,
    elapsedSeconds: (performance.now() - startedAt) / 1000,
    rtf: audioSeconds > 0 ? synthesisMs / 1000 / audioSeconds : 0,
    sha256: digest.digest('hex'),
  };
}

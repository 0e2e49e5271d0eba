import { RhapsodeError } from '@rhapsode/contracts';
import { bytesPerSample } from './pcm.ts';
import { wavHeaderBytes } from './wav.ts';

/** Byte `headerBytes + bytesPerSample * n` is the first of sample n. */
export interface FixedRate {
  readonly headerBytes: number;
  readonly bytesPerSample: number;
}

interface FormatFacts {
  readonly contentType: string;
  readonly extension: string;
  /** Absent where only encoding from the start tells which byte belongs to which sample. */
  readonly fixedRate?: FixedRate;
}

export const audioFormats = {
  mp3: { contentType: 'audio/mpeg', extension: 'mp3' },
  opus: { contentType: 'audio/ogg; codecs=opus', extension: 'opus' },
  aac: { contentType: 'audio/aac', extension: 'aac' },
  flac: { contentType: 'audio/flac', extension: 'flac' },
  wav: {
    contentType: 'audio/wav',
    extension: 'wav',
    fixedRate: { headerBytes: wavHeaderBytes, bytesPerSample },
  },
  pcm: { contentType: 'audio/pcm', extension: 'pcm', fixedRate: { headerBytes: 0, bytesPerSample } },
} as const satisfies Record<string, FormatFacts>;

export type AudioFormat = keyof typeof audioFormats;
export const audioFormatNames = Object.keys(audioFormats) as AudioFormat[];

export const formatFacts = (format: AudioFormat): FormatFacts => audioFormats[format];

/** Refuses what this server can't make, with a message that lists what it can. */
export function parseAudioFormat(name: string, param: string): AudioFormat {
  if (Object.hasOwn(audioFormats, name)) return name as AudioFormat;
  throw new RhapsodeError('unsupported_format', {
    message: `The audio format '${name.slice(0, 40)}' is not supported; use one of ${audioFormatNames.join(', ')}.`,
    param,
  });
}

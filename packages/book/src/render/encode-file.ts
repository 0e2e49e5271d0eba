import { type AudioFormat, createEncoder, pcmSamples, samplesAtRate } from '@rhapsode/audio';
import { type Id3Facts, id3 } from './id3.ts';
import { taggedHeader } from './tagged-header.ts';

const opusClockHz = 48_000;

export interface EncodedFacts {
  readonly sampleRateHz: number;
  readonly samples: number;
}

/** An audio file from its first byte to its last, with its tags. `onEnd` says what it decodes to. */
export async function* encodeFile(
  format: AudioFormat,
  pcm: AsyncIterable<Uint8Array>,
  { samples, tags, onEnd }: { samples: number; tags: Id3Facts; onEnd: (facts: EncodedFacts) => void },
): AsyncIterable<Uint8Array> {
  const encoder = await createEncoder(format, { sampleRateHz: tags.sampleRateHz });
  try {
    if (format === 'mp3') yield id3(tags);
    yield taggedHeader(format, encoder.header(samples), tags);
    for await (const bytes of pcm) {
      const encoded = await encoder.push(pcmSamples(bytes));
      if (encoded.length > 0) yield encoded;
    }
    const end = await encoder.finish();
    if (end.length > 0) yield end;
    const encoded = samplesAtRate(samples, tags.sampleRateHz, encoder.sampleRateHz);
    // What Opus is decoded to does not depend on what was encoded.
    const sampleRateHz = format === 'opus' ? opusClockHz : encoder.sampleRateHz;
    onEnd({ sampleRateHz, samples: samplesAtRate(encoded, encoder.sampleRateHz, sampleRateHz) });
  } finally {
    await encoder.close();
  }
}

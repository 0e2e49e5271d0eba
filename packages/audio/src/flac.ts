import Flac from 'libflacjs/dist/libflac.min.js';
import { type Codec, nothing } from './codec.ts';

/** Samples in a frame, 43 ms at 24 kHz: what a listener waits for at most. */
const frameSamples = 1024;
const compressionLevel = 5;

const ready = Flac.isReady()
  ? Promise.resolve()
  : new Promise<void>((resolve) => Flac.on('ready', () => resolve()));

/**
 * Native FLAC by libFLAC, compiled to JavaScript: one instance for all streams, 0.3 MB for each. The number of samples stands in
 * the header where it is known; the checksum of them all is left open, which the format allows.
 */
export async function createFlacCodec(sampleRateHz: number): Promise<Codec> {
  await ready;
  let written: Uint8Array[] = [];
  const encoder = Flac.create_libflac_encoder(sampleRateHz, 1, 16, compressionLevel, 0, false, frameSamples);
  if (encoder === 0) throw new Error('libFLAC has no memory for another encoder');
  const status = Flac.init_encoder_stream(encoder, (bytes) => {
    written.push(Uint8Array.from(bytes));
  });
  if (status !== 0) {
    Flac.FLAC__stream_encoder_delete(encoder);
    throw new Error(`libFLAC refuses to encode ${sampleRateHz} Hz: status ${status}`);
  }
  const header = Buffer.concat(written);
  written = [];

  const take = () => {
    const bytes = written.length === 1 ? written[0]! : Buffer.concat(written);
    written = [];
    return bytes;
  };

  return {
    header(samples) {
      const told = Buffer.from(header);
      if (samples !== undefined && samples < 2 ** 36) {
        // 36 bits, the lowest of the 18 bytes that begin behind the frame sizes.
        told[21] = (told[21]! & 0xf0) | Math.floor(samples / 2 ** 32);
        told.writeUInt32BE(samples % 2 ** 32, 22);
      }
      return told;
    },
    push(pcm) {
      if (pcm.length === 0) return nothing;
      if (!Flac.FLAC__stream_encoder_process_interleaved(encoder, Int32Array.from(pcm), pcm.length))
        throw new Error(`libFLAC failed: state ${Flac.FLAC__stream_encoder_get_state(encoder)}`);
      return take();
    },
    finish() {
      if (!Flac.FLAC__stream_encoder_finish(encoder))
        throw new Error(`libFLAC failed at the end: state ${Flac.FLAC__stream_encoder_get_state(encoder)}`);
      return take();
    },
    close() {
      Flac.FLAC__stream_encoder_delete(encoder);
    },
  };
}

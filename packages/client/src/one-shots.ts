import type { Api, AudioOptions, CreateRequest } from './api.ts';
import { wavSizes } from './wav.ts';

/** `format` is wav if not given; every format of the server. */
export interface SynthOptions extends Omit<CreateRequest, 'input'>, AudioOptions {}

/** A whole text to a whole file's bytes. Broken connections are taken up at the byte where they broke. */
export interface OneShots {
  synthToBytes(text: string, options?: SynthOptions): Promise<Uint8Array<ArrayBuffer>>;
  /** Made as it is read; whoever cancels it cancels the work. */
  synthToStream(text: string, options?: SynthOptions): ReadableStream<Uint8Array>;
  /** Writes to whatever takes bytes; `@rhapsode/client/node` has a file. Returns how many it wrote. */
  synthTo(
    text: string,
    write: (bytes: Uint8Array) => void | Promise<void>,
    options?: SynthOptions,
  ): Promise<number>;
}

export function createOneShots(api: Api): OneShots {
  async function* bytesOf(text: string, options: SynthOptions = {}): AsyncGenerator<Uint8Array> {
    const { format, sampleRateHz, stream, signal, ...request } = options;
    const utterance = await api.create({ input: text, ...request }, signal);
    try {
      yield* api.audio(utterance, {
        ...(format === undefined ? {} : { format }),
        ...(sampleRateHz === undefined ? {} : { sampleRateHz }),
        ...(stream === undefined ? {} : { stream }),
        ...(signal ? { signal } : {}),
      });
    } finally {
      // Nobody else knows of it, unless its name was chosen.
      if (request.id === undefined) await api.cancel(utterance.id).catch(() => {});
    }
  }

  return {
    async synthToBytes(text, options) {
      const parts: Uint8Array[] = [];
      for await (const part of bytesOf(text, options)) parts.push(part);
      const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const part of parts) {
        whole.set(part, at);
        at += part.length;
      }
      for (const { offset, bytes } of wavSizes(whole, whole.length)) whole.set(bytes, offset);
      return whole;
    },
    synthToStream(text, options = {}) {
      const stop = new AbortController();
      const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
      const bytes = bytesOf(text, { ...options, signal });
      return new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            const { done, value } = await bytes.next();
            if (done) controller.close();
            else controller.enqueue(value);
          },
          cancel(reason) {
            stop.abort(reason);
            // What it was doing fails by that, which is no failure of its reader's.
            return bytes.return(undefined).then(
              () => {},
              () => {},
            );
          },
        },
        { highWaterMark: 0 },
      );
    },
    async synthTo(text, write, options) {
      let written = 0;
      for await (const bytes of bytesOf(text, options)) {
        await write(bytes);
        written += bytes.length;
      }
      return written;
    },
  };
}

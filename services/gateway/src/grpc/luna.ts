import type { handleServerStreamingCall, handleUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { asRhapsodeError, RhapsodeError } from '@rhapsode/contracts';
import type { GatewayDeps } from '../deps.ts';
import { speakWhole } from '../live-speech.ts';
import { version } from '../version.ts';
import type { CheckedText } from './checked-text.ts';
import { createFramer, type Framer, parseEncoding } from './encoding.ts';
import { statusOf } from './status.ts';

/** As proto-loader gives it: every field is there. */
interface SynthesizeRequest extends CheckedText {
  readonly config: {
    readonly voice_id: string;
    readonly encoding: number;
    readonly n_samples: string;
  } | null;
}
interface SynthesizeResponse {
  readonly audio: Uint8Array;
}

/** Audio of one answer of `Synthesize`; what is longer is for the stream. */
const mostWholeBytes = 64 << 20;

/** The four methods of `cobaltspeech.luna.Luna`. `speaking` holds a promise for each call that is being answered. */
export function lunaService(deps: GatewayDeps, speaking: Set<Promise<void>>) {
  const { voices, metrics, log } = deps;

  function track(work: Promise<void>): void {
    speaking.add(work);
    void work.finally(() => speaking.delete(work));
  }

  function refused(thrown: unknown) {
    const error = asRhapsodeError(thrown);
    metrics.rejectedTotal.add(1, { reason: error.code });
    const severe = error.status >= 500 && error.status !== 503;
    log[severe ? 'error' : 'debug']({ error: thrown, code: error.code }, 'gRPC call failed');
    return statusOf(thrown);
  }

  async function* synthesize(
    { config, text, isUtf8 }: SynthesizeRequest,
    framerOf: (encoding: number, samples: bigint) => Framer,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    if (!isUtf8)
      throw new RhapsodeError('invalid_encoding', { message: "'text' is not valid UTF-8.", param: 'text' });
    const framer = framerOf(config?.encoding ?? 0, BigInt(config?.n_samples ?? 0));
    const voice = config?.voice_id || 'default';
    const { pieces } = await speakWhole({ input: text, voice, class: 'interactive' }, deps, signal);
    for await (const piece of pieces)
      if (piece.type === 'audio' || piece.type === 'pause') yield* framer.push(piece.pcm);
    yield* framer.finish();
  }

  const answer = async (
    call: ServerWritableStream<SynthesizeRequest, SynthesizeResponse>,
    signal: AbortSignal,
  ) => {
    metrics.streamsOpen.add(1);
    try {
      const framerOf = (encoding: number, samples: bigint) => createFramer(parseEncoding(encoding), samples);
      for await (const audio of synthesize(call.request, framerOf, signal))
        await write(call, { audio }, signal);
      call.end();
    } catch (error) {
      if (!signal.aborted) call.emit('error', refused(error));
    } finally {
      metrics.streamsOpen.add(-1);
    }
  };

  const Version: handleUnaryCall<object, { version: string }> = (_, callback) => callback(null, { version });

  const ListVoices: handleUnaryCall<object, { voices: object[] }> = (_, callback) => {
    voices.list().then(
      (listed) =>
        callback(null, {
          voices: listed.map(({ voice: { id, name, sampleRateHz, language } }) => ({
            id,
            name,
            sample_rate: sampleRateHz,
            language,
          })),
        }),
      (error: unknown) => callback(refused(error)),
    );
  };

  const Synthesize: handleUnaryCall<SynthesizeRequest, SynthesizeResponse> = (call, callback) => {
    const signal = goneSignal(call);
    const whole = async () => {
      const parts: Uint8Array[] = [];
      let bytes = 0;
      // Batch synthesis has no frames, whatever `n_samples` says.
      const framerOf = (encoding: number) => createFramer(parseEncoding(encoding), 0n);
      for await (const part of synthesize(call.request, framerOf, signal)) {
        bytes += part.length;
        if (bytes > mostWholeBytes)
          throw new RhapsodeError('text_too_long', {
            message: `the audio is longer than ${mostWholeBytes} bytes; use SynthesizeStream`,
            param: 'text',
          });
        parts.push(part);
      }
      return Buffer.concat(parts);
    };
    track(
      whole().then(
        (audio) => callback(null, { audio }),
        (error: unknown) => {
          if (!signal.aborted) callback(refused(error));
        },
      ),
    );
  };

  const SynthesizeStream: handleServerStreamingCall<SynthesizeRequest, SynthesizeResponse> = (call) =>
    track(answer(call, goneSignal(call)));

  return { Version, ListVoices, Synthesize, SynthesizeStream };
}

/** Aborted when the client cancels, goes away, or its deadline is over. */
function goneSignal(call: {
  cancelled: boolean;
  once(event: 'cancelled', then: () => void): unknown;
}): AbortSignal {
  const gone = new AbortController();
  const leave = () => gone.abort(new Error('the client has gone'));
  call.once('cancelled', leave);
  if (call.cancelled) leave();
  return gone.signal;
}

/** Resolves when the client's flow control has taken the message. */
async function write<T>(
  call: ServerWritableStream<unknown, T>,
  message: T,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const leave = () => reject(signal.reason);
  signal.addEventListener('abort', leave, { once: true });
  call.write(message, (error?: Error | null) => (error ? reject(error) : resolve()));
  await promise.finally(() => signal.removeEventListener('abort', leave));
}

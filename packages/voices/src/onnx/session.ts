import { createRequire } from 'node:module';
import { RhapsodeError } from '@rhapsode/contracts';
import type { InferenceSession } from 'onnxruntime-node';

export interface TensorData {
  readonly type: 'float32' | 'int64' | 'int32';
  readonly data: Float32Array | BigInt64Array | Int32Array;
  readonly dims: readonly number[];
}

/**
 * Gives back what a tensor holds, which is lost: whoever has it has no numbers any more. Tensors lie outside of the heap, so that
 * V8 sees little reason to collect them, and collecting all there is for their sake costs more than some of the arithmetic.
 */
export function discard({ data: { buffer } }: TensorData): void {
  if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}

export interface Session {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Element type of an input, e.g. `float32`. */
  typeOf(input: string): string | undefined;
  /** Computes on this thread: nothing else runs meanwhile. Inputs that the graph does not have are left out. */
  run(feeds: Readonly<Record<string, TensorData>>): Promise<Record<string, TensorData>>;
  close(): Promise<void>;
}

export interface SessionSettings {
  /** 1 is best for throughput: processes scale better than threads. */
  readonly threads?: number | undefined;
  /** The model is one that `saveOptimised` wrote: loading it takes about two thirds of the time. */
  readonly optimised?: boolean | undefined;
  /** Execution provider; `cpu` if none is given. Nothing falls back by itself: see choose-provider.ts. */
  readonly providers?: readonly string[] | undefined;
  /** Environment of the processes in which models are tried: what a provider's libraries want to know. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Windows of different sentences that are computed in one run, at most; 1 if it is not given, which is off. */
  readonly batchWindows?: number | undefined;
  /** How long a run that is not full waits for another sentence's window. */
  readonly batchWaitMs?: number | undefined;
}

/** Keeps what the runtime makes of a model, for this version of it and this kind of machine. */
export async function saveOptimised(
  model: Uint8Array,
  path: string,
  settings: SessionSettings = {},
): Promise<void> {
  const session = await open(model, settings, { optimizedModelFilePath: path });
  await session.release();
}

export async function createSession(
  model: Uint8Array | string,
  settings: SessionSettings = {},
): Promise<Session> {
  const { Tensor } = await import('onnxruntime-node');
  const session = await open(
    model,
    settings,
    settings.optimised ? { graphOptimizationLevel: 'disabled' } : {},
  );
  return {
    inputs: session.inputNames,
    outputs: session.outputNames,
    typeOf(input) {
      const known = session.inputMetadata.find((one) => one.name === input);
      return known?.isTensor ? known.type : undefined;
    },
    async run(feeds) {
      const tensors: Record<string, object> = {};
      for (const name of session.inputNames) {
        const feed = feeds[name];
        if (feed === undefined)
          throw new RhapsodeError('model_invalid', { message: `the model wants an input "${name}"` });
        tensors[name] = new Tensor(feed.type, feed.data as never, feed.dims);
      }
      const results = await session.run(tensors as InferenceSession.FeedsType);
      return results as unknown as Record<string, TensorData>;
    },
    close: () => session.release(),
  };
}

async function open(
  model: Uint8Array | string,
  settings: SessionSettings,
  more: InferenceSession.SessionOptions,
): Promise<InferenceSession> {
  // Loaded at the first use: who only lists voices does without.
  const { InferenceSession } = await import('onnxruntime-node');
  const providers = settings.providers ?? ['cpu'];
  const options: InferenceSession.SessionOptions = {
    executionProviders: [...providers],
    intraOpNumThreads: settings.threads ?? 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    // Lengths vary from run to run: a pattern kept per shape would grow without end.
    enableMemPattern: false,
    logSeverityLevel: 3,
    // Waiting threads that spin take the processor from the other engine processes.
    ...more,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  };
  try {
    return typeof model === 'string'
      ? await InferenceSession.create(model, options)
      : await InferenceSession.create(model, options);
  } catch (cause) {
    throw translated(cause, providers);
  }
}

/** The runtime whose arithmetic decides the last bit of every sample. */
export function runtimeVersion(): string {
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
  return `onnxruntime ${version}`;
}

/** The library's messages name files and internals; what a caller reads is ours. */
function translated(cause: unknown, providers: readonly string[]): RhapsodeError {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (/shared library|backend not found|provider|not available|no available backend/i.test(message))
    return new RhapsodeError('config_invalid', {
      message: `the execution provider ${providers.join(', ')} is not available on this machine`,
      cause,
    });
  return new RhapsodeError('model_invalid', { message: 'the model is not a graph that can be run', cause });
}

export const float32 = (data: Float32Array, dims: readonly number[]): TensorData => ({
  type: 'float32',
  data,
  dims,
});
export const int64 = (values: readonly number[], dims: readonly number[]): TensorData => ({
  type: 'int64',
  data: BigInt64Array.from(values, BigInt),
  dims,
});

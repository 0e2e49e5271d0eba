import { parentPort } from 'node:worker_threads';
import type { AdtsEncoder } from './adts-encoder.ts';
import type { AacAnswer, AacQuestion } from './thread-protocol.ts';
import { WorkerHere } from './worker-here.ts';

// Before the encoder is loaded, which looks for it.
Object.assign(globalThis, { Worker: WorkerHere });
const loaded = import('./adts-encoder.ts');

/** A thread that encodes AAC, for any number of streams. */
const streams = new Map<number, Promise<AdtsEncoder>>();

async function answer({ stream, ask }: AacQuestion): Promise<Uint8Array | undefined> {
  if (ask.type === 'start') {
    const encoder = loaded.then(({ createAdtsEncoder }) => createAdtsEncoder(ask.sampleRateHz));
    streams.set(stream, encoder);
    await encoder;
    return undefined;
  }
  const encoder = await streams.get(stream);
  if (ask.type === 'push') return encoder?.push(ask.pcm);
  if (ask.type === 'finish') return encoder?.finish();
  streams.delete(stream);
  await encoder?.cancel();
  return undefined;
}

const port = parentPort!;
port.on('message', async (question: AacQuestion) => {
  const { id } = question;
  try {
    const bytes = (await answer(question)) as Uint8Array<ArrayBuffer> | undefined;
    if (bytes) port.postMessage({ id, bytes } satisfies AacAnswer, [bytes.buffer]);
    else port.postMessage({ id } satisfies AacAnswer);
  } catch (error) {
    port.postMessage({ id, error } satisfies AacAnswer);
  }
});

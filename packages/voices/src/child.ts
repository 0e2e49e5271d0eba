import { type Catalogue, openCatalogue } from './catalogue.ts';
import { createLocalEngine, type LocalEngine } from './local-engine.ts';
import { type FromChild, type ToChild, toWire, type WireError, type Without } from './protocol.ts';

/**
 * An engine process: started by the host, speaks with it by IPC only, and never outlives it.
 * It ends by SIGKILL alone: an orderly exit with an inference in flight aborts the process in worse ways.
 */

interface Sentence {
  readonly controller: AbortController;
  credit: number;
  /** Wakes the sentence when it waits for credit. */
  wake: () => void;
}

const sentences = new Map<number, Sentence>();
let catalogue: Catalogue | undefined;
let engine: LocalEngine | undefined;

const send = (message: Without<FromChild, 'rssBytes'>): void => {
  const whole = { ...message, rssBytes: process.memoryUsage.rss() } as FromChild;
  // The callback takes the error of a host that has just died; `disconnect` follows.
  process.send?.(whole, undefined, undefined, () => {});
};

async function open(message: ToChild & { type: 'open' }): Promise<void> {
  let warmFailure: WireError | undefined;
  try {
    catalogue = await openCatalogue(message.catalogue);
    engine = createLocalEngine(catalogue, message.engine);
    for (const voice of message.warm) await engine.load(voice);
  } catch (error) {
    warmFailure = toWire(error);
  }
  send({ type: 'ready', ...(warmFailure === undefined ? {} : { warmFailure }) });
}

async function speak({ id, request, credit }: ToChild & { type: 'speak' }): Promise<void> {
  const sentence: Sentence = { controller: new AbortController(), credit, wake: () => {} };
  const { signal } = sentence.controller;
  sentences.set(id, sentence);
  try {
    if (catalogue === undefined || engine === undefined)
      throw new Error('the engine process could not open its catalogue');
    const { id: voice } = catalogue.get(request.voice);
    if (!engine.loaded.includes(voice)) {
      send({ type: 'loading', id });
      await engine.load(voice);
      send({ type: 'loaded', id });
    }
    for await (const piece of engine.speak(request, signal)) {
      if (piece.type === 'end') {
        send({ type: 'end', id, facts: piece.facts });
        return;
      }
      while (sentence.credit === 0 && !signal.aborted) {
        const woken = Promise.withResolvers<void>();
        sentence.wake = woken.resolve;
        await woken.promise;
      }
      signal.throwIfAborted();
      sentence.credit--;
      send({ type: 'piece', id, pcm: piece.pcm });
      // Lets an abort that has arrived meanwhile be read, however fast the engine is.
      await new Promise(setImmediate);
    }
    throw new Error('the engine ended a sentence without facts');
  } catch (error) {
    send({ type: 'failed', id, error: toWire(error) });
  } finally {
    sentences.delete(id);
    release();
  }
}

/**
 * Large tensors are discarded when they have been used. The others, and those of a sentence that was left, lie outside of the
 * heap too, so that their owner sees no reason to collect them: without this a child grows by the garbage of many sentences.
 */
const mostGarbageBytes = 24 * 2 ** 20;
function release(): void {
  if (process.memoryUsage().external > mostGarbageBytes) globalThis.gc?.();
}

process.on('message', (message: ToChild) => {
  switch (message.type) {
    case 'open':
      void open(message);
      return;
    case 'speak':
      void speak(message);
      return;
    case 'credit': {
      const sentence = sentences.get(message.id);
      if (sentence === undefined) return;
      sentence.credit += message.credit;
      sentence.wake();
      return;
    }
    case 'abort': {
      const sentence = sentences.get(message.id);
      sentence?.controller.abort(new Error('aborted'));
      sentence?.wake();
      return;
    }
    case 'ping':
      send({ type: 'pong' });
  }
});

process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// A terminal's Ctrl-C goes to every process in front of it; when to stop is the host's to say.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});

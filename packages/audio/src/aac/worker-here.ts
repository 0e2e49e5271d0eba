import { resolveObjectURL } from 'node:buffer';
import { createRequire } from 'node:module';
import { compileFunction } from 'node:vm';

type Listener = (event: { readonly data: unknown }) => void;

/**
 * A `Worker`, as browsers have it, that is no thread: its program runs in the one that it is made in. FFmpeg's encoder starts a
 * worker for each stream and exchanges two messages with it for every 1024 samples, which costs nearly as much as the encoding.
 * The threads of `thread.ts` are there for nothing else, so the encoder needs none of its own.
 */
export class WorkerHere {
  readonly #listeners: Listener[] = [];
  readonly #program: Promise<Listener>;
  #isTerminated = false;

  constructor(url: string) {
    // The address is taken back as soon as this returns.
    const source = resolveObjectURL(url)?.text();
    if (!source) throw new Error('the encoder’s program is not where it was said to be');
    this.#program = source.then((text) => this.#start(text));
    this.#program.catch(() => {});
  }

  #start(text: string): Listener {
    let onMessage: Listener | undefined;
    const self = {
      addEventListener(_type: 'message', listener: Listener) {
        onMessage = listener;
      },
      postMessage: (data: unknown) => {
        if (this.#isTerminated) return;
        for (const listener of this.#listeners) listener({ data });
      },
    };
    // Its timer only keeps a thread alive.
    const names = ['self', 'require', 'setInterval'];
    compileFunction(text, names)(self, createRequire(import.meta.url), () => {});
    if (!onMessage) throw new Error('the encoder’s program listens to nothing');
    return onMessage;
  }

  addEventListener(type: string, listener: Listener): void {
    if (type === 'message') this.#listeners.push(listener);
  }

  postMessage(data: unknown): void {
    this.#program.then(
      (onMessage) => onMessage({ data }),
      (error: unknown) => {
        const { id } = data as { readonly id: unknown };
        for (const listener of this.#listeners) listener({ data: { id, success: false, error } });
      },
    );
  }

  terminate(): void {
    this.#isTerminated = true;
  }
}

/** Items from callbacks to one reader, in order. How many there may be is the writer's business. */
export interface WorkQueue<T> {
  /** The reader waits for an item. */
  readonly isAwaited: boolean;
  push(item: T): void;
  /** What is in it is still read. */
  end(): void;
  /** The reader gets the error next: what is in it is dropped. */
  fail(error: unknown): void;
  read(): AsyncGenerator<T, void, undefined>;
}

export function createWorkQueue<T>(): WorkQueue<T> {
  let items: T[] = [];
  let ended = false;
  let failed: { readonly error: unknown } | undefined;
  let wake = () => {};
  let isAwaited = false;
  return {
    get isAwaited() {
      return isAwaited;
    },
    push(item) {
      if (ended || failed) return;
      items.push(item);
      wake();
    },
    end() {
      ended = true;
      wake();
    },
    fail(error) {
      if (failed) return;
      failed = { error };
      items = [];
      wake();
    },
    async *read() {
      for (;;) {
        if (failed) throw failed.error;
        if (items.length > 0) yield items.shift()!;
        else if (ended) return;
        else {
          isAwaited = true;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          isAwaited = false;
        }
      }
    },
  };
}

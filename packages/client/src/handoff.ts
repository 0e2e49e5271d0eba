import { type Deferred, deferred } from './deferred.ts';
/** Passes one thing at a time from a writer to a reader; the writer goes on when it was taken. */
export interface Handoff<T> {
  put(item: T): Promise<void>;
  take(): Promise<IteratorResult<T, undefined>>;
  end(): void;
  fail(error: unknown): void;
}

export function createHandoff<T>(): Handoff<T> {
  let offered: { readonly item: T; readonly taken: () => void } | undefined;
  const takers: Deferred<IteratorResult<T, undefined>>[] = [];
  let over: { readonly failed: boolean; readonly error?: unknown } | undefined;

  function settle(): void {
    while (takers.length > 0) {
      if (offered) {
        const { item, taken } = offered;
        offered = undefined;
        takers.shift()!.resolve({ done: false, value: item });
        taken();
      } else if (over?.failed) takers.shift()!.reject(over.error);
      else if (over) takers.shift()!.resolve({ done: true, value: undefined });
      else return;
    }
  }

  function close(how: { failed: boolean; error?: unknown }): void {
    if (over) return;
    over = how;
    if (how.failed) {
      offered?.taken();
      offered = undefined;
    }
    settle();
  }

  return {
    put(item) {
      if (over) return Promise.resolve();
      return new Promise<void>((taken) => {
        offered = { item, taken };
        settle();
      });
    },
    take() {
      const taker = deferred<IteratorResult<T, undefined>>();
      takers.push(taker);
      settle();
      return taker.promise;
    },
    end: () => close({ failed: false }),
    fail: (error) => close({ failed: true, error }),
  };
}

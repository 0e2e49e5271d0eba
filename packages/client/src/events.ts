export type Listener<T> = (event: T) => void;

/** Listeners by event. One that throws harms neither the others nor what it listens to: its error is reported as uncaught. */
export interface Events<M> {
  on<K extends keyof M>(event: K, listener: Listener<M[K]>): void;
  off<K extends keyof M>(event: K, listener: Listener<M[K]>): void;
  once<K extends keyof M>(event: K, listener: Listener<M[K]>): void;
  emit<K extends keyof M>(event: K, value: M[K]): void;
  has(event: keyof M): boolean;
}

interface Entry {
  readonly listener: Listener<never>;
  readonly once: boolean;
}

export function createEvents<M>(onListener: (event: keyof M) => void = () => {}): Events<M> {
  const entries = new Map<keyof M, readonly Entry[]>();
  const of = (event: keyof M) => entries.get(event) ?? [];

  function add(event: keyof M, entry: Entry): void {
    entries.set(event, [...of(event), entry]);
    onListener(event);
  }

  function remove(event: keyof M, listener: Listener<never>): void {
    const at = of(event).findIndex((entry) => entry.listener === listener);
    if (at >= 0) entries.set(event, of(event).toSpliced(at, 1));
  }

  return {
    on: (event, listener) => add(event, { listener, once: false }),
    once: (event, listener) => add(event, { listener, once: true }),
    off: remove,
    emit(event, value) {
      for (const entry of of(event)) {
        if (entry.once) remove(event, entry.listener);
        try {
          (entry.listener as Listener<typeof value>)(value);
        } catch (error) {
          queueMicrotask(() => {
            throw error;
          });
        }
      }
    },
    has: (event) => of(event).length > 0,
  };
}

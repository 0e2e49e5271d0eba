import { RhapsodeError } from '@rhapsode/contracts';
import type { RequestStore } from '../port.ts';

/** What goes wrong, for tests. Read at every call; `loseAnswer` and `refuse` remove themselves when they have struck. */
export interface StoreFaults {
  /** The next call of this name has its effect, and rejects. */
  loseAnswer?: keyof RequestStore;
  /** The next call of this name rejects and has no effect. */
  refuse?: keyof RequestStore;
  /** All calls reject. */
  down?: boolean;
}

/** The same store, which fails as a server over a network does. */
export function withFaults(store: RequestStore, faults: StoreFaults): RequestStore {
  let closed = false;

  function strike(kind: 'loseAnswer' | 'refuse', name: string): void {
    if (faults[kind] !== name) return;
    delete faults[kind];
    throw new RhapsodeError('store_unavailable');
  }

  const wrap = (name: string, call: (...args: unknown[]) => Promise<unknown>) => {
    return async (...args: unknown[]) => {
      if (closed || faults.down) throw new RhapsodeError('store_unavailable');
      strike('refuse', name);
      const answer = await call(...args);
      strike('loseAnswer', name);
      return answer;
    };
  };
  const calls = Object.entries(store).map(([name, call]) => [name, wrap(name, call)]);
  return {
    ...(Object.fromEntries(calls) as RequestStore),
    async close() {
      closed = true;
      await store.close();
    },
  };
}

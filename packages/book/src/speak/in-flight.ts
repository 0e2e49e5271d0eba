import type { SpeechFailure } from './speak-sentences.ts';

/** What became of a sentence: `undefined`, it is in the store, or nobody makes it any more. */
export type Made = SpeechFailure | undefined;

/** Sentences that this process has spoken just now, so that a sentence that stands twice in a book is spoken once. */
export function createInFlight() {
  const making = new Map<string, Promise<Made>>();
  return {
    /** Says that the caller makes it; the answer says that it is made, or not going to be. Undefined: another one makes it. */
    take(tenant: string, key: string): ((made: Made) => void) | undefined {
      const name = `${tenant}/${key}`;
      if (making.has(name)) return undefined;
      const { promise, resolve } = Promise.withResolvers<Made>();
      making.set(name, promise);
      return (made) => {
        if (making.get(name) === promise) making.delete(name);
        resolve(made);
      };
    },
    wait: async (tenant: string, key: string): Promise<Made> => making.get(`${tenant}/${key}`),
  };
}
export type InFlight = ReturnType<typeof createInFlight>;

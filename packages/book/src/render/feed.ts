/** A thing handed from one side to the other: `send` resolves when it was used, so nothing gathers in between. */
function createHandover<T>() {
  let offered: { readonly value: T } | undefined;
  let used: (() => void) | undefined;
  let ended: { readonly error?: unknown } | undefined;
  let wake: (() => void) | undefined;

  function end(how: { readonly error?: unknown }): void {
    ended ??= how;
    wake?.();
  }
  /** The receiver wants no more: nobody waits for it from now on. */
  function leave(): void {
    end({});
    used?.();
  }

  async function* values(): AsyncGenerator<T, void, undefined> {
    try {
      for (;;) {
        if (offered) {
          const { value } = offered;
          offered = undefined;
          yield value;
          // The receiver has come back for more, so it needs this one no longer.
          used?.();
        } else if (ended) {
          if ('error' in ended) throw ended.error;
          return;
        } else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    } finally {
      leave();
    }
  }

  return {
    values: values(),
    send(value: T): Promise<void> {
      if (ended) return Promise.resolve();
      return new Promise<void>((resolve) => {
        used = resolve;
        offered = { value };
        wake?.();
      });
    },
    end,
    leave,
  };
}

/**
 * Gives one stream to several receivers at the speed of the slowest. Resolves with what they answer. When one fails or the
 * stream does, all of them fail, and are waited for.
 */
export async function feed<T, R>(
  source: AsyncIterable<T>,
  receivers: readonly ((values: AsyncIterable<T>) => Promise<R>)[],
): Promise<R[]> {
  const handovers = receivers.map(() => createHandover<T>());
  let failure: { readonly error: unknown } | undefined;
  const settled = Promise.all(
    receivers.map(async (receive, index) => {
      const { values, leave } = handovers[index]!;
      try {
        return await receive(values);
      } catch (error) {
        failure ??= { error };
        return undefined as never;
      } finally {
        leave();
      }
    }),
  );
  try {
    for await (const value of source) {
      await Promise.all(handovers.map(({ send }) => send(value)));
      if (failure) break;
    }
  } catch (error) {
    failure ??= { error };
  }
  for (const { end } of handovers) end(failure ?? {});
  const results = await settled;
  if (failure) throw failure.error;
  return results;
}

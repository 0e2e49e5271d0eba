/** Calls for each item, at most `atOnce` at the same time; the first failure is thrown when all that run have ended. */
export async function forEachOf<T>(
  items: Iterable<T>,
  atOnce: number,
  call: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  let failure: { error: unknown } | undefined;
  async function work(): Promise<void> {
    for (let next = iterator.next(); !next.done && !failure; next = iterator.next())
      try {
        await call(next.value);
      } catch (error) {
        failure ??= { error };
      }
  }
  await Promise.all(Array.from({ length: atOnce }, work));
  if (failure) throw failure.error;
}

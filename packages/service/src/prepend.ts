/**
 * A body from its first bytes on, which were asked for already so that what fails before them has a status of its own. `rest` is
 * closed with it, however it ends.
 */
export async function* prepend(
  first: IteratorResult<Uint8Array, void>,
  rest: AsyncGenerator<Uint8Array, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    if (first.done) return;
    yield first.value;
    yield* rest;
  } finally {
    await rest.return();
  }
}

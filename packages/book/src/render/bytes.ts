/** The same bytes in pieces of whole units; throws where there are more or fewer than `size`. */
export async function* readExactly(
  bytes: AsyncIterable<Uint8Array>,
  size: number,
  unit: number,
): AsyncIterable<Uint8Array> {
  let rest: Uint8Array = new Uint8Array(0);
  let given = 0;
  for await (const piece of bytes) {
    const all = rest.length > 0 ? Buffer.concat([rest, piece]) : piece;
    const whole = all.length - (all.length % unit);
    rest = all.subarray(whole).slice();
    given += whole;
    if (whole > 0) yield all.subarray(0, whole);
  }
  if (given !== size || rest.length > 0)
    throw new Error(`a part of a book has ${given + rest.length} bytes where ${size} were written`);
}

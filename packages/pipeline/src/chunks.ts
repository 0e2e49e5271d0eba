/**
 * Cuts what an engine gives into pieces for the log: at least `minSamples`, so that headers stay a small part, at most
 * `maxSamples`, so that a chunk fits a message and a listener's memory. Only the last one may be shorter.
 */
export function createChunker({ minSamples, maxSamples }: { minSamples: number; maxSamples: number }) {
  let held: Int16Array[] = [];
  let heldSamples = 0;

  function join(): Int16Array {
    if (held.length === 1) return held[0]!;
    const whole = new Int16Array(heldSamples);
    let at = 0;
    for (const part of held) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  function* cut(atLeast: number): Generator<Int16Array> {
    if (heldSamples === 0 || heldSamples < atLeast) return;
    let rest = join();
    while (rest.length >= atLeast && rest.length > 0) {
      yield rest.subarray(0, maxSamples);
      rest = rest.subarray(maxSamples);
    }
    held = rest.length > 0 ? [rest] : [];
    heldSamples = rest.length;
  }

  return {
    push(pcm: Int16Array): Iterable<Int16Array> {
      if (pcm.length > 0) held.push(pcm);
      heldSamples += pcm.length;
      return cut(minSamples);
    },
    finish: (): Iterable<Int16Array> => cut(1),
  };
}

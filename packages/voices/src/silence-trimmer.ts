/**
 * Drops the silence at the end of a sentence while it streams: pauses are the planner's, in exact samples. Silence is held
 * back until something audible follows it.
 */
export function createSilenceTrimmer(threshold = 1): { push(pcm: Int16Array): Int16Array } {
  let held = new Int16Array(0);
  return {
    push(pcm) {
      let end = pcm.length;
      while (end > 0 && Math.abs(pcm[end - 1]!) <= threshold) end--;
      if (end === 0) {
        held = join(held, pcm);
        return new Int16Array(0);
      }
      const out = join(held, pcm.subarray(0, end));
      held = pcm.slice(end);
      return out;
    },
  };
}

function join(a: Int16Array, b: Int16Array): Int16Array<ArrayBuffer> {
  const joined = new Int16Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

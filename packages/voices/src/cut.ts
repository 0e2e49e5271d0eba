/** PCM in parts of at most so many samples. */
export function* cut(pcm: Int16Array, most: number): Generator<Int16Array> {
  for (let at = 0; at < pcm.length; at += most) yield pcm.subarray(at, at + most);
}

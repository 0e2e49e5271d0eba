import type { Reference } from './reference.ts';

/** Undefined if equal; otherwise where the first difference is, in words. */
export function firstDifference(heard: Int16Array, { pcm, segments }: Reference): string | undefined {
  const shared = Math.min(heard.length, pcm.length);
  let at = 0;
  while (at < shared && heard[at] === pcm[at]) at++;
  if (at === heard.length && at === pcm.length) return undefined;
  let start = 0;
  let segment = 0;
  for (const { samples, pauseSamples } of segments) {
    if (at < start + samples + pauseSamples) break;
    start += samples + pauseSamples;
    segment++;
  }
  const found = at < heard.length ? heard[at] : 'the end';
  const expected = at < pcm.length ? pcm[at] : 'the end';
  return (
    `at sample ${at} (segment ${segment}, sample ${at - start}) ${found} instead of ${expected}; ` +
    `${heard.length} samples instead of ${pcm.length}`
  );
}

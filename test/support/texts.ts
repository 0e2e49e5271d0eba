import { seeded } from './seeded.ts';

const words =
  'wind river stone morning harbour window garden letter silver candle meadow winter copper feather lantern hollow ' +
  'marble thunder willow velvet timber orchard pebble saddle ribbon anchor barley cellar dapple ember fallow glimmer';

/** Plain sentences of about `length` characters: no numbers, names or abbreviations, so that a sentence is a segment. */
export function plainText(sentences: number, length = 60, seed = 1): string {
  const random = seeded(seed);
  const pool = words.split(' ');
  const made: string[] = [];
  for (let i = 0; i < sentences; i++) {
    let sentence = 'The';
    while (sentence.length < length - 8) sentence += ` ${pool[Math.floor(random() * pool.length)]}`;
    made.push(`${sentence}.`);
  }
  return made.join(' ');
}

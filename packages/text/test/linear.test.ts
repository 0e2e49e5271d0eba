import { describe, expect, it } from 'vitest';
import { createPlanner, planText } from '../src/index.ts';

/** One pattern, about `length` code units of it. */
const patterns: Readonly<Record<string, (length: number) => string>> = {
  'ones and commas': (n) => '1,'.repeat(n / 2),
  'open brackets': (n) => '('.repeat(n),
  'letters and stops': (n) => 'a.'.repeat(n / 2),
  'combining marks': (n) => `e${'\u0301'.repeat(n - 1)}`,
  'zero-width spaces': (n) => '\u200b'.repeat(n),
  'joined emoji': (n) => '👨\u200d'.repeat(n / 3),
  'right-to-left marks': (n) => '\u202eשלום '.repeat(n / 6),
  'lone surrogates': (n) => '\ud800'.repeat(n),
  'one word': (n) => 'x'.repeat(n),
  'one shouted word': (n) => 'X'.repeat(n),
  digits: (n) => '1'.repeat(n),
  stops: (n) => '.'.repeat(n),
  spaces: (n) => ' '.repeat(n),
  'line breaks': (n) => '\n'.repeat(n),
  'short questions': (n) => '?a '.repeat(n / 3),
  quotes: (n) => '"'.repeat(n),
  'open links': (n) => '[a]('.repeat(n / 4),
  'hyphened ones': (n) => '1-'.repeat(n / 2),
  slashes: (n) => '1/'.repeat(n / 2),
  'at signs': (n) => 'a@'.repeat(n / 2),
  paths: (n) => '/a'.repeat(n / 2),
  titles: (n) => 'Mr. '.repeat(n / 4),
  'Roman ones': (n) => 'I '.repeat(n / 2),
  'half pauses': (n) => '[pause:'.repeat(n / 7),
  'words that lines part': (n) => 'ab-\n'.repeat(n / 4),
  'links by name': (n) => '[a]['.repeat(n / 4),
  'colons and numbers': (n) => '1:'.repeat(n / 2),
  ordinals: (n) => '1. und '.repeat(n / 7),
  escapes: (n) => '\\'.repeat(n),
  'Chinese without a stop': (n) => '好'.repeat(n),
};

const length = 65_536;

/** The best of a few runs: what else the machine does can only make one slower. */
function best(text: string, runs: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let n = 0; n < runs; n++) {
    const start = process.cpuUsage();
    planText(text, { inline: true });
    const { user, system } = process.cpuUsage(start);
    least = Math.min(least, user + system);
  }
  return least;
}

describe('twice the text takes at most two and a half times the work:', () => {
  for (const [name, make] of Object.entries(patterns))
    it(name, () => {
      const [half, whole] = [make(length / 2), make(length)];
      best(half, 1);
      // A quadratic rule takes four times; an unlucky measurement is repeated before it counts.
      let ratio = Number.POSITIVE_INFINITY;
      for (let n = 0; n < 5 && ratio > 2.5; n++) ratio = best(whole, 2) / Math.max(1000, best(half, 2));
      expect(ratio).toBeLessThanOrEqual(2.5);
    }, 120_000);
});

describe('memory', () => {
  it('does not grow with the text', () => {
    const planner = createPlanner({ inline: true });
    const sentence = 'It was 5 p.m. on Jan. 5th, and nobody — not even Dr. Smith — paid $5.50 for it. ';
    const piece = sentence.repeat(200);
    let start = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let n = 0; n < 120; n++) {
      for (const segment of planner.feed(piece)) {
        expect(segment.start).toBe(start);
        start = segment.end;
      }
      if (n === 20) least = process.memoryUsage().heapUsed;
    }
    // Nothing but the last sentence is held, whatever the collector has not yet taken away.
    expect(120 * piece.length - start).toBeLessThan(2 * sentence.length);
    expect(process.memoryUsage().heapUsed - least).toBeLessThan(150_000_000);
  });
});

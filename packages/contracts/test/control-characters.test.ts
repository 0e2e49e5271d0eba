import { describe, expect, it } from 'vitest';
import { controlCharacterAt, lexiconRule } from '../src/index.ts';

describe('control characters', () => {
  it('may be tab and line ends in a text, those of every system', () => {
    expect(controlCharacterAt('a\tb\nc\r\nd\u0085e\u2028')).toBe(-1);
    expect(lexiconRule.safeParse({ grapheme: 'a', alias: 'b\u0085c' }).success).toBe(true);
  });

  it.each(['\0', '\x07', '\x0b', '\x0c', '\x1b', '\x7f', '\u0084', '\u009f'])(
    'may be no other: %j is found where it stands',
    (control) => {
      expect(controlCharacterAt(`😀a${control}b`)).toBe(3);
      expect(lexiconRule.safeParse({ grapheme: 'a', alias: `b${control}` }).success).toBe(false);
    },
  );

  it('may be none at all in one line', () => {
    for (const end of ['\t', '\n', '\u0085'])
      expect(controlCharacterAt(`a${end}`, { oneLine: true })).toBe(1);
  });
});

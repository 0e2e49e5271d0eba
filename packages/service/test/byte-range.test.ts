import { describe, expect, it } from 'vitest';
import { parseByteRange, rangeUnlessChanged } from '../src/index.ts';

describe('parseByteRange', () => {
  const beyond = '9'.repeat(25);

  it('takes a number that is larger than any file for what it is', () => {
    expect(parseByteRange(`bytes=3-${beyond}`, 10)).toEqual({ first: 3, last: 9 });
    expect(parseByteRange(`bytes=3-${2 ** 64}`, undefined)).toEqual({
      first: 3,
      last: Number.MAX_SAFE_INTEGER,
    });
    expect(parseByteRange(`bytes=-${beyond}`, 10)).toEqual({ first: 0, last: 9 });
    expect(() => parseByteRange(`bytes=${beyond}-`, 10)).toThrow('10 bytes');
  });

  it('asks for the whole where it can’t be read, or where there are several', () => {
    for (const header of [
      'bytes=5-2',
      'bytes=a-b',
      'bytes=-',
      'bytes=0-1,5-6',
      'items=0-5',
      'bytes=--5',
      undefined,
    ])
      expect(parseByteRange(header, 10)).toBeUndefined();
  });
});

describe('parseByteRange of a length that is not known', () => {
  it('takes all from the first byte on for the whole, which needs no range', () => {
    expect(parseByteRange('bytes=0-', undefined)).toBeUndefined();
    expect(parseByteRange('bytes=0-', 10)).toEqual({ first: 0, last: 9 });
    expect(parseByteRange('bytes=0-4', undefined)).toEqual({ first: 0, last: 4 });
    expect(parseByteRange('bytes=1-', undefined)).toEqual({ first: 1 });
  });
});

describe('rangeUnlessChanged', () => {
  it('asks for the whole where the client has a part of something else', () => {
    expect(rangeUnlessChanged({ range: 'bytes=3-' }, '"new"')).toBe('bytes=3-');
    expect(rangeUnlessChanged({ range: 'bytes=3-', 'if-range': '"new"' }, '"new"')).toBe('bytes=3-');
    expect(rangeUnlessChanged({ range: 'bytes=3-', 'if-range': '"old"' }, '"new"')).toBeUndefined();
    expect(
      rangeUnlessChanged({ range: 'bytes=3-', 'if-range': 'Sat, 21 Nov 2026 00:00:00 GMT' }, '"new"'),
    ).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import { planText } from '../src/index.ts';

describe('what no voice can say', () => {
  it('stays in the source and is left out of what is said', () => {
    const text = 'Hel\u00adlo\u0000 \ud800wor\u200bld\u202e, \ufeffyes.';
    for (const normalise of ['auto', 'off'] as const) {
      const segments = planText(text, { normalise });
      expect(segments.map(({ source }) => source).join('')).toBe(text);
      expect(segments.map(({ spoken }) => spoken).join(' ')).toBe('Hello world, yes.');
    }
  });

  it('keeps joiners that decide how a script is read', () => {
    expect(planText('می\u200cخواهم 👩\u200d💻', { locale: 'fa' })[0]!.spoken).toBe(
      'می\u200cخواهم 👩\u200d💻',
    );
  });

  it('is a segment with nothing to say where it is all there is', () => {
    expect(planText(' \n\u0000\ud800 ').map(({ spoken, source }) => [spoken, source])).toEqual([
      ['', ' \n\u0000\ud800 '],
    ]);
    expect(planText('')).toEqual([]);
  });
});

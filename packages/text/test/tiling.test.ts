import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createLexicon,
  createPlanner,
  type PlannedSegment,
  type PlanOptions,
  planText,
} from '../src/index.ts';

const scraps = fc.constantFrom(
  ...[
    '. ',
    '! ',
    '? ',
    '... ',
    '. . . ',
    '…',
    '\n',
    '\r\n',
    '\n\n',
    '\r',
    ' ',
    '\t',
    '\u00a0',
    '"',
    '”',
    '(',
    ')',
    ', ',
    '; ',
  ],
  ...[
    'Dr. ',
    'e.g. ',
    'U.S. ',
    'Mr. ',
    '3.5',
    '1. ',
    '2) ',
    '• ',
    '- ',
    '# ',
    'Hello',
    'world',
    'I',
    'a',
    'Der',
    '12/03/2024',
  ],
  ...[
    '。',
    '？',
    '你好',
    'สวัสดีครับ',
    'مرحبا؟ ',
    'है। ',
    '😀',
    '👨‍👩‍👧',
    'e\u0301',
    '\u200b',
    '\ufeff',
    '\0',
    '\ud800',
    '\udc00',
    '\u2028',
  ],
  ...[
    'https://a.example/x?y=1. ',
    'a@b.example',
    '$5.00',
    '10kg',
    'Chapter 4',
    'IV',
    '* * *',
    '"Run!" Tom shouted. ',
    'said ',
    'left.The ',
    'no. I ',
    '(Ret.), ',
    '。」って',
    '5 km. ',
    'Main St. ',
    '„Komm!“ ',
    'ab-\nc',
    'am 1. und 2. ',
  ],
  ...[
    'x'.repeat(500),
    ' '.repeat(300),
    'word '.repeat(60),
    ',',
    '-',
    '—',
    '\u0085',
    '\f',
    '\u2029',
    '[1]',
    '[pause:1s]',
    '&amp;',
    '<b>',
  ],
);
const prose = fc.array(scraps, { maxLength: 60 }).map((parts) => parts.join(''));
const anyText = fc.oneof(
  { weight: 3, arbitrary: prose },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 300 }) },
  {
    weight: 1,
    arbitrary: fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 200 })
      .map((units) => String.fromCharCode(...units)),
  },
);
const options: fc.Arbitrary<PlanOptions> = fc.record({
  locale: fc.constantFrom('en', 'en-GB', 'de', 'fr-FR', 'es', 'th', 'ja', 'xx-nonsense'),
  firstSegment: fc.constantFrom('short', 'full'),
  maxLength: fc.constantFrom(1, 20, 100, 400),
  normalise: fc.constantFrom('auto', 'on', 'off'),
  inline: fc.boolean(),
});

function expectTiled(text: string, segments: readonly PlannedSegment[]): void {
  let at = 0;
  for (const { start, end, source, spoken, map } of segments) {
    expect(start).toBe(at);
    expect(end).toBeGreaterThan(start);
    expect(source).toBe(text.slice(start, end));
    let said = 0;
    let heard = 0;
    for (const piece of map) {
      expect(piece.spokenStart).toBeGreaterThanOrEqual(said);
      expect(piece.sourceStart).toBeGreaterThanOrEqual(heard);
      expect(piece.spokenEnd).toBeGreaterThan(piece.spokenStart);
      said = piece.spokenEnd;
      heard = piece.sourceEnd;
    }
    expect(said).toBeLessThanOrEqual(spoken.length);
    expect(heard).toBeLessThanOrEqual(source.length);
    at = end;
  }
  expect(at).toBe(text.length);
}

describe('spans', () => {
  it('tile 10,000 generated texts', () => {
    fc.assert(
      fc.property(anyText, options, (text, how) => expectTiled(text, planText(text, how))),
      { numRuns: 10_000 },
    );
  }, 300_000);

  it('are the same however the text is cut, over 10,000 cuts', () => {
    fc.assert(
      fc.property(anyText, options, fc.array(fc.nat(), { maxLength: 12 }), (text, how, numbers) => {
        const cuts = [...new Set(numbers.map((n) => n % (text.length + 1)))].sort((a, b) => a - b);
        const planner = createPlanner(how);
        const pieces: PlannedSegment[] = [];
        let at = 0;
        for (const cut of [...cuts, text.length]) {
          pieces.push(...planner.feed(text.slice(at, cut)));
          at = cut;
        }
        pieces.push(...planner.finish());
        expect(pieces).toEqual(planText(text, how));
      }),
      // The first clause is said before it is known that a pause is written further on.
      {
        numRuns: 10_000,
        examples: [
          [
            `This is a clause that is long enough, ${'word '.repeat(60)}[pause:1s] and more.`,
            { firstSegment: 'short', inline: true },
            [250],
          ],
          // What stands in brackets, or behind `I`, or was written without a space, decides whether a sentence ends.
          ['y=1. [1] e.g. . ', { locale: 'en' }, [8]],
          ['I said no. I left. He left.The end.', { locale: 'en' }, [12, 26]],
          ['「はい。」って言った。', { locale: 'ja' }, [6]],
        ],
      },
    );
  }, 300_000);

  it('tile a text whose held part was flushed at any points', () => {
    fc.assert(
      fc.property(anyText, options, fc.nat(), (text, how, n) => {
        const planner = createPlanner(how);
        const cut = n % (text.length + 1);
        expectTiled(text, [
          ...planner.feed(text.slice(0, cut)),
          ...planner.flush(),
          ...planner.feed(text.slice(cut)),
          ...planner.finish(),
        ]);
      }),
      { numRuns: 2000 },
    );
  }, 120_000);

  it('says the same whether a sentence is passed by as ordinary or every rule is asked', () => {
    const never = createLexicon([{ grapheme: '\u{10ffff}', alias: 'never' }]);
    fc.assert(
      fc.property(anyText, fc.constantFrom('en', 'de', 'fr', 'es', 'ja'), (text, locale) => {
        const asked = planText(text, { locale, lexicons: [never] });
        expect(planText(text, { locale }).map(({ spoken }) => spoken)).toEqual(
          asked.map(({ spoken }) => spoken),
        );
      }),
      // A mark of a sign's looks, behind a letter; pictures that Unicode counts as punctuation.
      {
        numRuns: 3000,
        examples: [
          ['\u05d0\ufe0e', 'en'],
          ['\u303d', 'en'],
          ['‰', 'en'],
          ['So \u3030 it is', 'de'],
        ],
      },
    );
  }, 120_000);
});

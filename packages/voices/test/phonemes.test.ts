import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { piperConfig as fixtureConfig } from '../../../models/fixtures/make.ts';
import { tiny } from '../../../models/fixtures/vits.ts';
import { clausesOf } from '../src/clauses.ts';
import { createEspeakPhonemizer } from '../src/espeak.ts';
import { phonemeIds } from '../src/phoneme-ids.ts';
import { piperConfig } from '../src/piper-config.ts';
import { spokenClauses } from '../src/spoken-clauses.ts';

const phonemizer = createEspeakPhonemizer();
afterAll(() => phonemizer.close());
const config = piperConfig.parse(fixtureConfig('test', tiny));
const symbolOf = new Map(Object.entries(config.phoneme_id_map).map(([symbol, [id]]) => [id!, symbol]));
const spelled = async (text: string) =>
  (await phonemeIds(text, config, phonemizer)).ids.map((id) => symbolOf.get(id)).join('');

it('cuts a text into clauses with their punctuation', () => {
  const cases: [string, string[]][] = [
    ['Hello.', ['Hello|.']],
    ['Hello', ['Hello|.']],
    ['One, two; three: four! Five?', ['One|,', 'two|;', 'three|:', 'four|!', 'Five|?']],
    ['It costs 3.5 at 10:30.', ['It costs 3.5 at 10:30|.']],
    ['“Why?” he asked.', ['“Why|?', 'he asked|.']],
    ['Really?! Yes...', ['Really|?', 'Yes|.']],
    ['one — two', ['one|;', 'two|.']],
    ['你好，世界。', ['你好|,', '世界|.']],
    ['... !', []],
  ];
  for (const [text, expected] of cases)
    expect(clausesOf(text).map((clause) => `${clause.text}|${clause.end}`)).toEqual(expected);
});

it('finds each clause where it says it is, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
      let before = 0;
      for (const clause of clausesOf(text)) {
        expect(text.slice(clause.start, clause.start + clause.text.length)).toBe(clause.text);
        expect(clause.start).toBeGreaterThanOrEqual(before);
        before = clause.start + clause.text.length;
      }
    }),
  );
});

it('lays ids out as Piper trained them: start, a pad after each phoneme, end', async () => {
  expect(await spelled('Yes, no.')).toBe('^_j_ˈ_ɛ_s_,_ _n_ˈ_o_ʊ_._$');
});

it('speaks phonemes that are written in the text, in their place, and keeps the words’ places', async () => {
  expect(await spelled('Yes [[nˈoʊ]] yes.')).toBe('^_j_ˈ_ɛ_s_ _n_ˈ_o_ʊ_ _j_ˈ_ɛ_s_._$');
  expect(await spelled('[[nˈoʊ. nˈoʊ]] [[jˈɛs]]!')).toBe('^_n_ˈ_o_ʊ_._ _n_ˈ_o_ʊ_ _j_ˈ_ɛ_s_!_$');
  expect(await spelled('[[nˈoʊ]]')).toBe('^_n_ˈ_o_ʊ_._$');
  const text = 'Yes, [[nˈoʊ]] again.';
  const { words } = await phonemeIds(text, config, phonemizer);
  expect(words.map((word) => text.slice(word.start, word.end))).toEqual(['Yes', '[[nˈoʊ]]', 'again']);
});

it('tells the phonemes that a voice does not know', async () => {
  const { unknown, ids } = await phonemeIds('[[aʘ☃b]]', config, phonemizer);
  expect(unknown).toEqual(['☃']);
  expect(ids.length).toBeGreaterThan(4);
});

it('asks the phonemizer for the rest only', async () => {
  const asked: string[] = [];
  const spy = {
    ...phonemizer,
    phonemize: async (_: string, clauses: readonly string[]) => {
      asked.push(...clauses);
      return clauses.map((clause) => [clause.toUpperCase()]);
    },
  };
  const [clause] = await spokenClauses('one [[tuː]] three', spy, 'en-us');
  expect(asked.map((text) => text.trim())).toEqual(['one', 'three']);
  expect(clause!.parts).toEqual(['ONE tuː THREE']);
});

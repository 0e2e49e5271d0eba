import { describe, expect, it } from 'vitest';
import { createLexicon, createPlanner, parsePls, planText } from '../src/index.ts';

const said = (text: string, options: Parameters<typeof planText>[1]) =>
  planText(text, options).map((s) => s.spoken);

describe('a lexicon', () => {
  it('says whole words otherwise, whatever their case', () => {
    const lexicons = [
      createLexicon([
        { grapheme: 'gif', alias: 'jif' },
        { grapheme: 'New York', alias: 'the city' },
      ]),
    ];
    expect(said('A GIF of new york, not gifs.', { lexicons })).toEqual(['A jif of the city, not gifs.']);
  });

  it('minds case and word boundaries as the rule says', () => {
    const lexicons = [
      createLexicon([
        { grapheme: 'US', alias: 'America', caseSensitive: true },
        { grapheme: 'ough', alias: 'uff', anywhere: true },
      ]),
    ];
    expect(said('US and us: rough.', { lexicons })).toEqual(['America and us: ruff.']);
  });

  it('prefers the longest rule and the first lexicon', () => {
    const lexicons = [
      createLexicon([{ grapheme: 'LV', alias: 'level' }]),
      createLexicon([
        { grapheme: 'LV', alias: 'Louis Vuitton' },
        { grapheme: 'LV 5 boss', alias: 'the fifth boss' },
      ]),
    ];
    expect(said('LV 3.', { lexicons })).toEqual(['level three.']);
    expect(said('The LV 5 boss.', { lexicons: [lexicons[1]!] })).toEqual(['The the fifth boss.']);
  });

  it('gives sounds only to a voice that takes them', () => {
    const lexicons = [createLexicon([{ grapheme: 'tomato', ipa: 'təˈmɑːtəʊ' }])];
    expect(said('A tomato!', { lexicons, can: { phonemes: true } })).toEqual(['A [[təˈmɑːtəʊ]]!']);
    const codes: string[] = [];
    expect(said('A tomato! A tomato!', { lexicons, warn: (w) => codes.push(w.code) })).toEqual([
      'A tomato!',
      'A tomato!',
    ]);
    expect(codes).toEqual(['phonemes_unsupported']);
  });

  it('has a digest that follows its rules', () => {
    const a = createLexicon([{ grapheme: 'a', alias: 'b' }], '7');
    expect(a.version).toBe('7');
    expect(createLexicon([{ grapheme: 'a', alias: 'b' }], '8').digest).toBe(a.digest);
    expect(createLexicon([{ grapheme: 'a', alias: 'c' }]).digest).not.toBe(a.digest);
  });

  it('refuses rules that say nothing or two things', () => {
    expect(() => createLexicon([{ grapheme: 'a' }])).toThrow(/alias or IPA/);
    expect(() => createLexicon([{ grapheme: '', alias: 'x' }])).toThrow(/1 to 200/);
  });

  it('reads a W3C pronunciation lexicon', () => {
    const { rules, language } = parsePls(`<?xml version="1.0" encoding="UTF-8"?>
      <lexicon version="1.0" xmlns="http://www.w3.org/2005/01/pronunciation-lexicon" alphabet="ipa" xml:lang="en-US">
        <lexeme><grapheme>W3C</grapheme><alias>World Wide Web Consortium</alias></lexeme>
        <lexeme><grapheme>judgment</grapheme><grapheme>judgement</grapheme><phoneme>ˈdʒʌdʒ.mənt</phoneme></lexeme>
        <lexeme><grapheme>cat</grapheme><phoneme alphabet="x-sampa">k{t</phoneme></lexeme>
      </lexicon>`);
    expect(language).toBe('en-US');
    expect(rules).toEqual([
      { grapheme: 'W3C', alias: 'World Wide Web Consortium', caseSensitive: true },
      { grapheme: 'judgment', ipa: 'ˈdʒʌdʒ.mənt', caseSensitive: false },
      { grapheme: 'judgement', ipa: 'ˈdʒʌdʒ.mənt', caseSensitive: false },
      { grapheme: 'cat', ipa: 'kæt', caseSensitive: false },
    ]);
  });

  it('refuses a pronunciation lexicon that declares entities', () => {
    expect(() => parsePls('<!DOCTYPE lexicon [<!ENTITY x "y">]><lexicon>&x;</lexicon>')).toThrow(/entities/);
  });

  it.each([
    [
      'cut short',
      '<lexicon><lexeme><grapheme>GIF</grapheme><alias>jif</alias></lexeme><lexeme><grap',
      'line 1',
    ],
    [
      'with a name of no character',
      '<lexicon>\n<lexeme><grapheme>a&eacute;</grapheme></lexeme></lexicon>',
      'line 2',
    ],
    ['empty', '', 'line 1'],
  ])('refuses a pronunciation lexicon that is not well-formed, and says where: %s', (_, xml, place) => {
    expect(() => parsePls(xml)).toThrow(
      expect.objectContaining({ code: 'document_invalid', message: expect.stringContaining(place) }),
    );
  });
});

describe('marks in the text', () => {
  const pieces = (text: string, cut: number) => {
    const planner = createPlanner({ inline: true });
    return [...planner.feed(text.slice(0, cut)), ...planner.feed(text.slice(cut)), ...planner.finish()];
  };

  it('pause where they say, to the millisecond, wherever the text is cut', () => {
    const text = 'One [pause:1.5s] two. [pause: 250ms]Three [pause:2S]';
    const whole = planText(text, { inline: true });
    expect(whole.map((s) => [s.spoken, s.pauseMs])).toEqual([
      ['One', 1500],
      ['two.', 250],
      ['Three', 2000],
    ]);
    for (let cut = 0; cut <= text.length; cut++) expect(pieces(text, cut)).toEqual(whole);
  });

  it('say sounds, and do not leak into the next sentence', () => {
    expect(
      said('A [tomato](/təˈmɑːtəʊ/) here. A tomato.', { inline: true, can: { phonemes: true } }),
    ).toEqual(['A [[təˈmɑːtəʊ]] here.', 'A tomato.']);
    expect(said('A [tomato](/təˈmɑːtəʊ/) here.', { inline: true })).toEqual(['A tomato here.']);
  });

  it('are only text when they are not asked for', () => {
    expect(said('One [pause:1s] two.', {})).toHaveLength(1);
  });
});

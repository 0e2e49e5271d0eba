import { describe, expect, it } from 'vitest';
import { type PlanOptions, planSsml, planSsmlPolitely } from '../src/index.ts';

const plan = (inner: string, options: PlanOptions = {}) => planSsml(`<speak>${inner}</speak>`, options);
const spoken = (inner: string, options: PlanOptions = {}) =>
  plan(inner, options).segments.map((s) => s.spoken);
const code = (xml: string): string => {
  try {
    planSsml(xml);
    return 'accepted';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('SSML', () => {
  it('gives spans that tile the source, tags and all', () => {
    const xml =
      '<?xml version="1.0"?>\n<speak version="1.1"><!-- a --><p>It costs <sub alias="ten dollars">$10</sub> &amp; more. <break time="1.5s"/>Yes.</p><![CDATA[<raw> text.]]> &#x41;nd &lt;. </speak>\n';
    const { segments } = planSsml(xml);
    expect(segments.map(({ source }) => source).join('')).toBe(xml);
    let at = 0;
    for (const { start, end, source } of segments) {
      expect(start).toBe(at);
      expect(xml.slice(start, end)).toBe(source);
      at = end;
    }
    expect(segments.map((s) => s.spoken).join(' ')).toContain('It costs ten dollars and more.');
  });

  it('makes pauses as long as they are asked for', () => {
    const { segments } = plan(
      'One<break time="1.5s"/> two <break time="250ms"/><break time="250ms"/>three.<break strength="none"/> Four.',
    );
    expect(segments.map((s) => [s.spoken, s.pauseMs])).toEqual([
      ['One', 1500],
      ['two', 500],
      ['three.', 0],
      ['Four.', 0],
    ]);
  });

  it('takes a pause as the first thing and as the only thing', () => {
    expect(plan('<break time="2s"/>Hello.').segments.map((s) => [s.spoken, s.pauseMs])).toEqual([
      ['', 2000],
      ['Hello.', 0],
    ]);
    expect(plan('<break time="2s"/>').segments.map((s) => [s.spoken, s.pauseMs])).toEqual([['', 2000]]);
  });

  it('keeps paragraphs and sentences as they are marked', () => {
    const { segments } = plan('<p><s>Mr. Jones</s><s>is here</s></p><p>Bye.</p>');
    expect(segments.map((s) => [s.spoken, s.ends])).toEqual([
      ['Mister Jones', 'sentence'],
      ['is here', 'sentence'],
      ['Bye.', 'end'],
    ]);
  });

  it('says things as they are to be said', () => {
    const say = (as: string, text: string, format = '') =>
      spoken(`<say-as interpret-as="${as}"${format && ` format="${format}"`}>${text}</say-as>`)[0];
    expect(say('characters', 'abc1')).toBe('A B C one');
    expect(say('spell-out', 'NASA')).toBe('N A S A');
    expect(say('digits', '2024')).toBe('two zero two four');
    expect(say('cardinal', '1984')).toBe('one thousand nine hundred eighty-four');
    expect(say('cardinal', '-1,984')).toBe('minus one thousand nine hundred eighty-four');
    expect(say('ordinal', '21')).toBe('twenty-first');
    expect(say('date', '10/12/2024', 'dmy')).toBe('December tenth, twenty twenty-four');
    expect(say('date', '2024-12-10', 'ymd')).toBe('December tenth, twenty twenty-four');
    expect(say('telephone', '+1 555-0199')).toBe('plus one, five five five, zero one nine nine');
    expect(say('currency', '$5.20')).toBe('five dollars and twenty cents');
  });

  it('hands phonemes to a voice that takes them, and words to others with a warning', () => {
    const inner =
      'A <phoneme alphabet="ipa" ph="təˈmɑːtəʊ">tomato</phoneme>, <phoneme alphabet="x-sampa" ph="p@&quot;teItoU">potato</phoneme>.';
    expect(spoken(inner, { can: { phonemes: true } })).toEqual(['A [[təˈmɑːtəʊ]], [[pəˈteɪtoʊ]].']);
    const { segments, warnings } = plan(inner);
    expect(segments[0]!.spoken).toBe('A tomato, potato.');
    expect(warnings.map((w) => w.code)).toEqual(['phonemes_unsupported']);
  });

  it('styles what the voice can and warns of what it cannot', () => {
    const inner =
      '<prosody rate="slow" pitch="high">Slow.</prosody><voice name="bob">Hi.</voice><emphasis>Now!</emphasis>';
    const { segments, warnings } = plan(inner, { can: { rate: true, voices: ['bob'] } });
    expect(segments.map((s) => s.style)).toEqual([{ rate: 'slow' }, { voice: 'bob' }, undefined]);
    expect(warnings.map((w) => w.message)).toEqual([
      "the voice can't change its pitch; the text is spoken as usual",
      "the voice can't change its emphasis; the text is spoken as usual",
    ]);
  });

  it('speaks the text of what it does not know, and says so', () => {
    const { segments, warnings } = plan(
      '<foo>Hello</foo> <audio src="http://x/y.mp3">beep</audio> <metadata>no</metadata>there.',
    );
    expect(segments.map((s) => s.spoken).join(' ')).toBe('Hello beep there.');
    expect(warnings).toHaveLength(3);
  });

  it('names marks by the segment that follows them', () => {
    const { segments, marks } = plan('One. Two <mark name="here"/>three. <mark name="end"/>');
    expect(segments.map((s) => s.spoken)).toEqual(['One.', 'Two', 'three.']);
    expect(marks).toEqual([
      { name: 'here', segment: 2 },
      { name: 'end', segment: 3 },
    ]);
  });

  it('writes numbers out in the language of the element', () => {
    expect(
      spoken('I have 3. <lang xml:lang="de">Ich habe 3.</lang>', { can: { languages: ['de'] } }),
    ).toEqual(['I have three.', 'Ich habe drei.']);
  });

  it('refuses what is not well-formed or built to do harm', () => {
    const laughs = `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">${Array.from({ length: 9 }, (_, n) => `<!ENTITY lol${n + 1} "${`&lol${n || ''};`.repeat(10)}">`).join('')}]><speak>&lol9;</speak>`;
    expect(code(laughs)).toBe('ssml_invalid');
    expect(code('<!DOCTYPE speak [<!ENTITY x SYSTEM "file:///etc/passwd">]><speak>&x;</speak>')).toBe(
      'ssml_invalid',
    );
    expect(code('<!DOCTYPE speak SYSTEM "http://example.com/x.dtd"><speak>hi</speak>')).toBe('ssml_invalid');
    expect(code('<speak>&nbsp;</speak>')).toBe('ssml_invalid');
    expect(code(`<speak>${'<p>'.repeat(10_000)}x${'</p>'.repeat(10_000)}</speak>`)).toBe('ssml_invalid');
    expect(code(`<speak>${'<break/>'.repeat(60_000)}</speak>`)).toBe('ssml_invalid');
    expect(code('<speak>open')).toBe('ssml_invalid');
    expect(code('<speak a="1" a="2">x</speak>')).toBe('ssml_invalid');
    expect(code('hello')).toBe('ssml_invalid');
    expect(code('<p>hello</p>')).toBe('ssml_invalid');
    expect(code(`<speak>${'x'.repeat(1_000_001)}</speak>`)).toBe('ssml_invalid');
  });

  it('cuts a break that is too long', () => {
    const { segments, warnings } = plan('a<break time="9999s"/>b');
    expect(segments[0]!.pauseMs).toBe(60_000);
    expect(warnings).toHaveLength(1);
  });
});

describe('places in SSML', () => {
  const xml =
    '<speak>Fish &amp; chips cost <sub alias="ten dollars">$10</sub>, <break time="1s"/>he <![CDATA[said]]>.</speak>';

  it('tells which part of the source each part of what is spoken comes from, tags and references and all', () => {
    const { segments } = planSsml(xml);
    const parts = segments.flatMap(({ map, source, spoken }) =>
      map.map((piece) => [
        spoken.slice(piece.spokenStart, piece.spokenEnd),
        source.slice(piece.sourceStart, piece.sourceEnd),
      ]),
    );
    expect(parts).toContainEqual(['Fish', 'Fish']);
    expect(parts).toContainEqual(['and', '&amp;']);
    expect(parts).toContainEqual(['ten dollars', '$10']);
    expect(parts).toContainEqual(['he ', 'he ']);
    expect(parts).toContainEqual(['said', 'said']);
    const asIs = planSsml('<speak>Fish &amp; chips</speak>', { normalise: 'off' }).segments[0]!;
    expect(asIs.map.map((piece) => asIs.source.slice(piece.sourceStart, piece.sourceEnd))).toContain('&amp;');
  });

  it('names line and column of what is wrong', () => {
    const message = (text: string) => {
      try {
        planSsml(text);
        return 'accepted';
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(message('<speak>\n  <p>one</s>\n</speak>')).toMatch(/^line 2, column 12: .*not well-formed/);
    expect(message('<speak>\n\n<p>open')).toMatch(/^line 3, column \d+: /);
    expect(message('<!DOCTYPE speak SYSTEM "x"><speak>hi</speak>')).toMatch(/^line 1, column \d+: /);
  });

  it('is planned alike when others are answered in between', async () => {
    const long = `<speak>${'It costs <sub alias="ten">$10</sub>. '.repeat(500)}</speak>`;
    expect(await planSsmlPolitely(long)).toEqual(planSsml(long));
  });

  it('says what to do about an ampersand by itself', () => {
    expect(() => planSsml('<speak>Fish & chips</speak>')).toThrow('written &amp;');
  });
});

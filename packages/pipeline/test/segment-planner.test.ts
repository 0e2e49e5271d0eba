import { sourceSpan, type VoiceInfo } from '@rhapsode/contracts';
import { createLexicon } from '@rhapsode/text';
import { describe, expect, it } from 'vitest';
import { createSegmentPlanner, type OtherVoice, type TextOptions } from '../src/segment-planner.ts';

const voice: VoiceInfo = {
  id: 'anna',
  name: 'Anna',
  engine: 'test',
  language: 'en',
  sampleRateHz: 16_000,
  speakers: ['low', 'high'],
  digest: 'digest-anna',
  deterministic: true,
  capabilities: { speed: { min: 0.5, max: 2 }, streaming: true, marks: 'model', phonemes: true },
};
const bob: VoiceInfo = { ...voice, id: 'bob', digest: 'digest-bob', speakers: [] };

async function plan(text: string, options: TextOptions = {}, of: VoiceInfo = voice) {
  const planner = createSegmentPlanner({
    ...options,
    voice: of,
    utterance: { class: 'bulk', speed: 1.5, sampleRateHz: of.sampleRateHz, deterministic: of.deterministic },
  });
  const segments = [...planner.feed(text), ...(await planner.finish())];
  return { segments, warnings: planner.warnings.map(({ code }) => code) };
}

/** Each word of what is spoken, with the source that it stands for. */
const wordsOf = (text: string, segments: Awaited<ReturnType<typeof plan>>['segments']) =>
  segments.flatMap((segment) =>
    [...segment.text.matchAll(/\S+/g)].map(({ 0: word, index }) => {
      const { start, end } = sourceSpan(segment, { start: index, end: index + word.length });
      return [word, text.slice(start, end)];
    }),
  );

describe('a segment', () => {
  it('tells the source of each of its words, also of those that are said otherwise', async () => {
    const text = '  It costs $3.50 today. Good.';
    const { segments } = await plan(text);
    expect(wordsOf(text, segments)).toEqual([
      ['It', 'It'],
      ['costs', 'costs'],
      ['three', '$3.50'],
      ['dollars', '$3.50'],
      ['and', '$3.50'],
      ['fifty', '$3.50'],
      ['cents', '$3.50'],
      ['today.', 'today.'],
      ['Good.', 'Good.'],
    ]);
    // What is said as it is written needs no map.
    expect(segments[1]).not.toHaveProperty('map');
  });

  it('tells the source of its words in SSML too', async () => {
    const text = '<speak>Tea &amp; <sub alias="two scones">2 s.</sub> please.</speak>';
    const { segments } = await plan(text, { input: 'ssml' });
    expect(wordsOf(text, segments)).toEqual([
      ['Tea', 'Tea'],
      ['and', '&amp;'],
      ['two', '2 s.'],
      ['scones', '2 s.'],
      ['please.', 'please.'],
    ]);
  });

  it('is spoken by kin of its voice where SSML asks for a language that the voice has not, and by itself with a warning where there is none', async () => {
    const kin = (id: string, language: string): VoiceInfo => ({ ...voice, id, language, kin: 'family' });
    const all = [kin('en-us', 'en-us'), kin('en-029', 'en-029'), kin('de', 'de'), kin('fr-be', 'fr-be')];
    const voices = new Map<string, OtherVoice>(
      [...all, { ...bob, language: 'it' }].map((one) => [one.id, { voice: one }]),
    );
    const voicesOf = async (inner: string, of: VoiceInfo) => {
      const { segments, warnings } = await plan(`<speak>${inner}</speak>`, { input: 'ssml', voices }, of);
      return [...segments.map((one) => one.voice ?? of.id), ...warnings];
    };
    const lang = (language: string) => `One. <lang xml:lang="${language}">Two.</lang>`;
    const english = all[0]!;
    expect(await voicesOf(lang('de-AT'), english)).toEqual(['en-us', 'de']);
    expect(await voicesOf(lang('fr'), english)).toEqual(['en-us', 'fr-be']);
    expect(await voicesOf(lang('EN-029'), english)).toEqual(['en-us', 'en-029']);
    expect(await voicesOf(lang('en-GB'), english)).toEqual(['en-us', 'en-us']);
    expect(await voicesOf(lang('en'), all[2]!)).toEqual(['de', 'en-us']);
    expect(await voicesOf(lang('it'), english)).toEqual(['en-us', 'en-us', 'voice_cannot']);
    expect(await voicesOf(lang('de'), voice)).toEqual(['anna', 'anna', 'voice_cannot']);
    expect(await voicesOf(`<voice name="de">${lang('fr')}</voice>`, english)).toEqual(['de', 'fr-be']);
    expect(await voicesOf(`<voice name="bob">${lang('fr')}</voice>`, english)).toEqual([
      'bob',
      'bob',
      'voice_cannot',
    ]);
    const { segments } = await plan(`<speak>${lang('de')}</speak>`, { input: 'ssml', voices }, english);
    expect(segments[1]).toMatchObject({ voice: 'de', voiceDigest: voice.digest });
  });

  it('has the voice, speaker, pace, exact pause and names that SSML gives it', async () => {
    const voices = new Map<string, OtherVoice>([
      ['bob', { voice: bob }],
      ['anna:low', { voice, speaker: 'low' }],
    ]);
    const xml =
      '<speak>One.<break time="1.25s"/><mark name="here"/><voice name="bob">Two.</voice>' +
      '<prosody rate="80%"><voice name="anna:low">Three.</voice></prosody> Four.<mark name="end"/></speak>';
    const { segments, warnings } = await plan(xml, { input: 'ssml', voices });
    const styles = segments.map(({ text, pauseSamples, voice, voiceDigest, speaker, speed }) => ({
      text,
      pauseSamples,
      voice,
      voiceDigest,
      speaker,
      speed: speed === undefined ? undefined : Math.round(speed * 100),
    }));
    const pause = styles[1]!.pauseSamples;
    expect(styles).toEqual([
      { text: 'One.', pauseSamples: 20_000 },
      { text: 'Two.', pauseSamples: pause, voice: 'bob', voiceDigest: 'digest-bob' },
      { text: 'Three.', pauseSamples: pause, speaker: 'low', speed: 120 },
      { text: 'Four.', pauseSamples: 0 },
    ]);
    expect(segments.map(({ bookmarks, endBookmarks }) => [bookmarks, endBookmarks])).toEqual([
      [undefined, undefined],
      [['here'], undefined],
      [undefined, undefined],
      [undefined, ['end']],
    ]);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['of another rate', { ...bob, sampleRateHz: 22_050 }],
    ['that does not repeat itself', { ...bob, deterministic: false }],
    ['that takes no phonemes', { ...bob, capabilities: { ...bob.capabilities, phonemes: false } }],
  ])('stays with its voice where SSML asks for one %s, and says so', async (_, other) => {
    const { segments, warnings } = await plan('<speak><voice name="bob">Two.</voice></speak>', {
      input: 'ssml',
      voices: new Map([['bob', { voice: other }]]),
    });
    expect(segments[0]).not.toHaveProperty('voice');
    expect(warnings).toEqual(['voice_cannot']);
  });

  it('keeps to the paces that the voice can, and says so', async () => {
    const { segments, warnings } = await plan(
      '<speak><prosody rate="x-fast">Quick.</prosody><prosody rate="purple">Odd.</prosody></speak>',
      { input: 'ssml' },
    );
    expect(segments.map(({ speed }) => speed)).toEqual([2, undefined]);
    expect(warnings).toEqual(['voice_cannot', 'ssml_invalid_value']);
  });

  it('is as loud as SSML says: a level, decibels that add up, silence', async () => {
    const { segments, warnings } = await plan(
      '<speak>One. <prosody volume="soft">Two. <prosody volume="+12dB">Three.</prosody> Four. <prosody volume="medium">Five.</prosody></prosody>' +
        '<prosody volume="silent">Six.</prosody><prosody volume="purple">Seven.</prosody><prosody volume="+99dB">Eight.</prosody></speak>',
      { input: 'ssml' },
    );
    const decibels = segments.map(({ gain }) =>
      gain === undefined ? undefined : gain === 0 ? 'silent' : Math.round(20 * Math.log10(gain)),
    );
    expect(decibels).toEqual([undefined, -6, 6, -6, undefined, 'silent', undefined, 40]);
    expect(warnings).toEqual(['ssml_invalid_value', 'ssml_invalid_value']);
  });

  it('says what lexicons and marks in the text tell, and warns where the voice takes no phonemes', async () => {
    const options: TextOptions = {
      inline: true,
      lexicons: [createLexicon([{ grapheme: 'gif', ipa: 'dʒɪf' }])],
    };
    const text = 'A gif. [pause:2s] A [tomato](/təˈmɑːtəʊ/).';
    const able = await plan(text, options);
    expect(able.segments.map((s) => [s.text, s.pauseSamples])).toEqual([
      ['A [[dʒɪf]].', 32_000],
      ['A [[təˈmɑːtəʊ]].', 0],
    ]);
    expect(able.warnings).toEqual([]);
    const plain = await plan(text, options, {
      ...voice,
      capabilities: { ...voice.capabilities, phonemes: false },
    });
    expect(plain.segments.map((s) => s.text)).toEqual(['A gif.', 'A tomato.']);
    expect(plain.warnings).toEqual(['phonemes_unsupported']);
  });

  it('is left as it is written when nothing is to be normalised', async () => {
    expect((await plan('It costs $3.', { normalise: 'off' })).segments[0]!.text).toBe('It costs $3.');
  });

  it('refuses SSML that is not well-formed with the place of the mistake', async () => {
    await expect(plan('<speak>\n<p>x</speak>', { input: 'ssml' })).rejects.toMatchObject({
      code: 'ssml_invalid',
      param: 'input',
      message: expect.stringMatching(/^line 2, column \d+/),
    });
  });
});

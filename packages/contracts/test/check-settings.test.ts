import { expect, test } from 'vitest';
import {
  checkSettings,
  commonSettings,
  type SpeechSettings,
  settingLimits,
  speechSettings,
  type VoiceInfo,
} from '../src/index.ts';

const voice: VoiceInfo = {
  id: 'anna',
  name: 'Anna',
  engine: 'test',
  language: 'en',
  sampleRateHz: 16_000,
  speakers: ['one', 'two'],
  digest: 'd',
  deterministic: true,
  capabilities: {
    speed: { min: 0.5, max: 2 },
    settings: { noise_scale: { min: 0, max: 1, default: 0.6 }, ...commonSettings },
    streaming: true,
    marks: 'none',
  },
};

test('what a voice can honour passes', () => {
  checkSettings(voice, { speed: 1 });
  checkSettings(voice, {
    speed: 2,
    speaker: 'two',
    settings: { noise_scale: 1, chunk_seconds: 0.1, sentence_silence_seconds: 0, noise_w: undefined },
  });
});

test('what a voice can not honour is refused by the name of the setting, with its range or what there is instead', () => {
  const refused = (asked: Parameters<typeof checkSettings>[1], param: string, words: RegExp) => {
    const message = expect.stringMatching(words);
    expect(() => checkSettings(voice, asked)).toThrow(
      expect.objectContaining({ code: 'unsupported_setting', param, message }),
    );
  };
  refused({ speed: 3 }, 'speed', /from 0.5 to 2, not 3/);
  refused({ speed: Number.NaN }, 'speed', /not NaN/);
  refused({ speed: 1, speaker: 'three' }, 'speaker', /it has one, two/);
  refused(
    { speed: 1, settings: { noise_w: 0.5 } },
    'noise_w',
    /it has noise_scale, sentence_silence_seconds/,
  );
  refused({ speed: 1, settings: { noise_scale: 1.5 } }, 'noise_scale', /from 0 to 1, not 1.5/);
  refused({ speed: 1, settings: { noise_scale: Number.NaN } }, 'noise_scale', /not NaN/);
  refused({ speed: 1, settings: { toString: 1 } as SpeechSettings }, 'toString', /no setting toString/);
});

test('settings of a request are within the limits of every voice, and of known names', () => {
  for (const [name, { min, max }] of Object.entries(settingLimits)) {
    for (const value of [min, max])
      expect(speechSettings.parse({ [name]: value })).toEqual({ [name]: value });
    for (const value of [min - 0.01, max + 0.01, Number.NaN, Number.POSITIVE_INFINITY, '1', null])
      expect(speechSettings.safeParse({ [name]: value }).success).toBe(false);
  }
  expect(speechSettings.safeParse({ noise: 1 }).success).toBe(false);
});

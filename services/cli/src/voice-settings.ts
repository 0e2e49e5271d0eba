import { type SpeechSettings, settingLimits, settingNames } from '@rhapsode/contracts';
import { numberOption } from './args.ts';

/** Options of commands that speak: the voice's settings, named as in requests, with dashes. */
export const settingOptions = {
  'noise-scale': { type: 'string' },
  'noise-w': { type: 'string' },
  'sentence-silence-seconds': { type: 'string' },
  'chunk-seconds': { type: 'string' },
} as const;
type SettingOption = keyof typeof settingOptions;

const range = (option: SettingOption): string => {
  const name = settingNames.find((one) => optionOf(one) === option)!;
  return `${settingLimits[name].min} to ${settingLimits[name].max}`;
};
const optionOf = (name: string) => name.replaceAll('_', '-') as SettingOption;

export const settingHelp: Readonly<Record<SettingOption, string>> = {
  'noise-scale': `how much the sound of a voice varies (${range('noise-scale')})`,
  'noise-w': `how much the length of its phonemes varies (${range('noise-w')})`,
  'sentence-silence-seconds': `silence after a sentence (${range('sentence-silence-seconds')})`,
  'chunk-seconds': `audio in each chunk that a worker sends (${range('chunk-seconds')})`,
};

/** Undefined if none was given. What the voice does not honour is refused where it is spoken. */
export function settingsOf(values: Readonly<Record<string, unknown>>): SpeechSettings | undefined {
  const given = settingNames.flatMap((name): [string, number][] => {
    const option = optionOf(name);
    const { min, max } = settingLimits[name];
    const value = numberOption(option, values[option] as string | undefined, min, max);
    return value === undefined ? [] : [[name, value]];
  });
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

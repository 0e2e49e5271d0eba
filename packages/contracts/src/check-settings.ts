import { RhapsodeError } from './errors.ts';
import { type SettingName, type SpeechSettings, settingNames } from './settings.ts';
import type { VoiceInfo } from './voice.ts';

export interface AskedOfVoice {
  readonly speed: number;
  readonly speaker?: string | undefined;
  readonly settings?: SpeechSettings | undefined;
}

/** A setting that the voice can't honour is `unsupported_setting`, never ignored. */
export function checkSettings(voice: VoiceInfo, { speed, speaker, settings = {} }: AskedOfVoice): void {
  const { id, speakers, capabilities } = voice;
  const pace = capabilities.speed ?? { min: 1, max: 1 };
  if (!isWithin(pace, speed))
    throw unsupported(
      'speed',
      `the voice ${id} speaks at speeds from ${pace.min} to ${pace.max}, not ${speed}`,
    );
  if (speaker !== undefined && !speakers.includes(speaker))
    throw unsupported(
      'speaker',
      `the voice ${id} has no speaker ${JSON.stringify(speaker.slice(0, 100))}; ${listed('it has', speakers)}`,
    );
  const problem = settingsProblem(voice, settings);
  if (problem !== undefined) throw problem;
}

export const canHonour = (voice: VoiceInfo, settings: SpeechSettings = {}): boolean =>
  settingsProblem(voice, settings) === undefined;

function settingsProblem(
  { id, capabilities }: VoiceInfo,
  settings: SpeechSettings,
): RhapsodeError | undefined {
  const ranges = capabilities.settings ?? {};
  for (const [name, value] of Object.entries(settings) as [SettingName, number | undefined][]) {
    if (value === undefined) continue;
    const range = settingNames.includes(name) ? ranges[name] : undefined;
    if (range === undefined)
      return unsupported(
        name,
        `the voice ${id} has no setting ${name.slice(0, 100)}; ${listed('it has', Object.keys(ranges))}`,
      );
    if (!isWithin(range, value))
      return unsupported(
        name,
        `${name} of the voice ${id} goes from ${range.min} to ${range.max}, not ${value}`,
      );
  }
  return undefined;
}

/** False for what is no number. */
const isWithin = ({ min, max }: { min: number; max: number }, value: number): boolean =>
  value >= min && value <= max;

const mostListed = 20;
const listed = (words: string, names: readonly string[]): string =>
  names.length === 0
    ? `${words} none`
    : `${words} ${names.slice(0, mostListed).join(', ')}${names.length > mostListed ? ', …' : ''}`;

const unsupported = (param: string, message: string) =>
  new RhapsodeError('unsupported_setting', { message, param });

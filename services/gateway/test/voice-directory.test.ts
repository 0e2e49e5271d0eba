import type { VoiceInfo } from '@rhapsode/contracts';
import { describe, expect, it } from 'vitest';
import { createVoiceDirectory } from '../src/voice-directory.ts';

const voice = (id: string, speakers: string[] = []): VoiceInfo => ({
  id,
  name: id,
  engine: 'test',
  language: 'en',
  sampleRateHz: 16_000,
  speakers,
  digest: id,
  deterministic: true,
  capabilities: { streaming: true, marks: 'none' },
});

function directory(aliases: Record<string, string>) {
  const voices = createVoiceDirectory({
    store: {
      voices: async () => [voice('calliope', ['slt', 'rms']), voice('anna')],
      workers: async () => [],
    },
    pools: ['default'],
    aliases,
  });
  return async (name: string) => {
    const { voice: found, speaker } = await voices.find(name, 'voice');
    return speaker === undefined ? found.id : `${found.id} as ${speaker}`;
  };
}

describe('a name of a voice', () => {
  it('may be an id, with a speaker or without, or an alias of any of these', async () => {
    const find = directory({ default: 'calliope', captain: 'calliope:rms', boss: 'captain', who: 'default' });
    expect(await find('calliope')).toBe('calliope');
    expect(await find('calliope:slt')).toBe('calliope as slt');
    expect(await find('default:rms')).toBe('calliope as rms');
    expect(await find('boss')).toBe('calliope as rms');
    expect(await find('captain:slt')).toBe('calliope as slt');
    expect(await find('who')).toBe('calliope');
  });

  it('may be OpenAI’s, which mean the speakers of the default voice', async () => {
    const find = directory({ default: 'calliope' });
    expect(await find('alloy')).toBe('calliope');
    expect(await find('onyx')).toBe('calliope as rms');
    expect(await find('onyx:slt')).toBe('calliope as slt');
  });

  it('may be OpenAI’s where the default voice has no such speakers, or a configuration says otherwise', async () => {
    const find = directory({ default: 'anna', nova: 'calliope:rms' });
    expect(await find('onyx')).toBe('anna');
    expect(await find('nova')).toBe('calliope as rms');
  });

  it('is refused when nobody has it, and when aliases go in a circle', async () => {
    const find = directory({ default: 'calliope', a: 'b', b: 'a' });
    for (const name of ['nobody', 'nobody:slt', ':', 'a', ''])
      await expect(find(name)).rejects.toMatchObject({ code: 'voice_not_found' });
    // Whether the voice has the speaker is found out with the rest of the request.
    expect(await find('calliope:bob')).toBe('calliope as bob');
  });
});

describe('a voice that several workers have', () => {
  const anna = { ...voice('anna'), kernels: 'avx2' };
  const found = async (...others: Partial<VoiceInfo>[]) => {
    const worker = (id: string, changes: Partial<VoiceInfo>) => ({
      id,
      pool: 'default',
      slots: 1,
      voices: [voice('calliope'), { ...anna, ...changes }],
    });
    const voices = createVoiceDirectory({
      store: {
        voices: async () => [anna],
        workers: async () => others.map((one, i) => worker(String(i), one)),
      },
      pools: ['default'],
      aliases: {},
    });
    const { voice: info } = await voices.find('anna', 'voice');
    return [info.deterministic, info.capabilities.streaming, info.note !== undefined];
  };

  it('is streamed where they agree, or where none is there at the moment', async () => {
    expect(await found()).toEqual([true, true, false]);
    expect(await found({}, { name: 'Anna' })).toEqual([true, true, false]);
  });

  it('is delivered by the sentence where one would go on with other samples than another', async () => {
    const told = [false, false, true];
    expect(await found({}, { kernels: 'avx512' })).toEqual(told);
    expect(await found({}, { digest: 'updated' })).toEqual(told);
    expect(await found({}, { deterministic: false })).toEqual(told);
    expect(await found({ kernels: 'avx512' })).toEqual(told);
  });
});

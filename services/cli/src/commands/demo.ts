import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { numberOption, parse, type Usage } from '../args.ts';
import { createAudioFile } from '../audio-file.ts';
import type { Command } from '../command.ts';
import { openVoices } from '../open-voices.ts';
import { createProgress } from '../progress.ts';
import { speakEmbedded } from '../speak-embedded.ts';
import { createSpeaker, type Speaker } from '../speaker.ts';
import { seconds } from '../words.ts';
import { summary } from './speak.ts';

const chapters = new URL('../../demo/moby-dick-100-101.txt', import.meta.url);

const usage = {
  synopsis: 'rhapsode demo [-o FOLDER] [--voice VOICE] [--speed SPEED]',
  about: 'Reads two chapters of Moby-Dick aloud into demo.wav and writes what it did into demo.json.',
  options: {
    output: { type: 'string', short: 'o' },
    voice: { type: 'string', short: 'v' },
    speed: { type: 'string' },
    json: { type: 'boolean' },
  },
  help: {
    output: 'folder for the two files (default out)',
    voice: 'voice or alias (default: default)',
    speed: '1 is the voice’s own pace (0.25 to 4)',
    json: 'print a last line of JSON instead of words',
  },
} satisfies Usage<Record<string, { type: 'string' | 'boolean'; short?: string }>>;

export const demo: Command = {
  usage,
  async run(args, { config, signal, stdout, stderr }) {
    const { values } = parse(usage, args);
    const folder = resolve(values.output ?? 'out');
    const speed = numberOption('speed', values.speed, 0.25, 4);
    const text = await readFile(chapters, 'utf8');
    const progress = createProgress(stderr, { quiet: values.json === true });
    const name = values.voice ?? 'default';
    const voice = (await openVoices(config)).get(name);
    const wav = join(folder, 'demo.wav');
    const file = await createAudioFile(wav, 'wav', voice);
    let speaker: Speaker | undefined;
    try {
      speaker = await createSpeaker(config, { warm: [voice.id] });
      const spoken = await speakEmbedded(text, speaker, {
        voice,
        speed,
        signal,
        write: file.write,
        endSentence: file.endSentence,
        onProgress: ({ segments, total, audioSeconds }) =>
          progress.update(segments, total, `sentences, ${seconds(audioSeconds)} of audio`),
      });
      await file.finish();
      progress.end();
      const { segments, ...totals } = spoken;
      const facts = {
        file: 'demo.wav',
        text: 'Moby-Dick, chapters 100 and 101',
        voice: voice.id,
        ...totals,
        segments,
      };
      await writeFile(join(folder, 'demo.json'), `${JSON.stringify(facts, null, 1)}\n`);
      if (values.json) stdout.write(`${JSON.stringify({ ...facts, segments: segments.length })}\n`);
      else stdout.write(`${wav}, spoken by ${voice.name}: ${summary(spoken)}\n`);
    } catch (error) {
      progress.end();
      await file.discard();
      throw error;
    } finally {
      await speaker?.close();
    }
  },
};

import { extname } from 'node:path';
import { type AudioFormat, audioFormatNames, parseAudioFormat, parseSampleRate } from '@rhapsode/audio';
import { RhapsodeError } from '@rhapsode/contracts';
import { numberOption, parse, type Usage } from '../args.ts';
import { createAudioFile } from '../audio-file.ts';
import type { Command } from '../command.ts';
import { readText } from '../input.ts';
import { openVoices } from '../open-voices.ts';
import { createProgress } from '../progress.ts';
import { type Spoken, speakEmbedded } from '../speak-embedded.ts';
import { speakRemote } from '../speak-remote.ts';
import { createSpeaker, type Speaker } from '../speaker.ts';
import { settingHelp, settingOptions, settingsOf } from '../voice-settings.ts';
import { seconds } from '../words.ts';

const usage = {
  synopsis: 'rhapsode speak TEXT|FILE|- -o FILE [options]',
  about: 'Speaks a text into a file: with the voices of this machine, or on a server with --url.',
  options: {
    output: { type: 'string', short: 'o' },
    voice: { type: 'string', short: 'v' },
    speaker: { type: 'string' },
    speed: { type: 'string' },
    seed: { type: 'string' },
    ...settingOptions,
    format: { type: 'string', short: 'f' },
    'sample-rate': { type: 'string' },
    url: { type: 'string' },
    json: { type: 'boolean' },
  },
  help: {
    output: 'the file to write; its ending chooses the format, .ogg is Opus (default out.wav)',
    voice: 'voice or alias (default: default)',
    speaker: 'speaker, of a voice that has several',
    speed: '1 is the voice’s own pace, 2 twice as fast (0.25 to 4)',
    seed: 'another take of the same text (a whole number)',
    ...settingHelp,
    format: `${audioFormatNames.slice(0, -1).join(', ')} or ${audioFormatNames.at(-1)}, whatever the file is called`,
    'sample-rate': 'in Hz (default: that of the voice, or the next one that the format knows)',
    url: 'speak on a server, e.g. http://localhost:8080',
    json: 'print a last line of JSON instead of words',
  },
} satisfies Usage<Record<string, { type: 'string' | 'boolean'; short?: string }>>;

export const speak: Command = {
  usage,
  async run(args, { config, signal, stdout, stderr }) {
    const { values, positionals } = parse(usage, args);
    const [argument] = positionals;
    if (argument === undefined || positionals.length > 1)
      throw new RhapsodeError('invalid_request', {
        message: `one text, file or - is needed\nusage: ${usage.synopsis}`,
      });
    const path = values.output ?? 'out.wav';
    const format = formatOf(path, values.format);
    const speed = numberOption('speed', values.speed, 0.25, 4);
    const seed = numberOption('seed', values.seed, 0, 0xffff_ffff, { whole: true });
    const settings = settingsOf(values);
    const rate = numberOption('sample-rate', values['sample-rate'], 1, 1_000_000);
    const wantedRateHz = rate === undefined ? undefined : parseSampleRate(rate, format, 'sample-rate');
    const voiceName = values.voice ?? 'default';
    const text = await readText(argument);
    const progress = createProgress(stderr, { quiet: values.json === true });

    if (values.url !== undefined) {
      const remote = await speakRemote(text, {
        url: values.url,
        voice: voiceName,
        speaker: values.speaker,
        speed,
        seed,
        settings,
        format,
        sampleRateHz: wantedRateHz,
        path,
        signal,
        onProgress: (bytes) => progress.update(bytes, undefined, 'bytes'),
      });
      progress.end();
      stdout.write(
        values.json
          ? `${JSON.stringify({ file: path, ...remote })}\n`
          : `${path}: ${remote.bytes} bytes, first audio after ${seconds(remote.ttfaMs / 1000)}, all after ${seconds(remote.elapsedSeconds)}\n`,
      );
      return;
    }

    const voice = (await openVoices(config)).get(voiceName);
    const file = await createAudioFile(path, format, {
      sampleRateHz: voice.sampleRateHz,
      wantedRateHz,
    });
    let speaker: Speaker | undefined;
    try {
      speaker = await createSpeaker(config, { warm: [voice.id] });
      const spoken = await speakEmbedded(text, speaker, {
        voice,
        speaker: values.speaker,
        speed,
        seed,
        settings,
        signal,
        write: file.write,
        endSentence: file.endSentence,
        onProgress: ({ segments, total, audioSeconds }) =>
          progress.update(segments, total, `sentences, ${seconds(audioSeconds)} of audio`),
      });
      await file.finish();
      progress.end();
      stdout.write(values.json ? `${summaryJson(path, spoken)}\n` : `${path}: ${summary(spoken)}\n`);
    } catch (error) {
      progress.end();
      await file.discard();
      throw error;
    } finally {
      await speaker?.close();
    }
  },
};

export const summary = ({ segments, audioSeconds, ttfaMs, elapsedSeconds, rtf }: Spoken): string =>
  `${segments.length} segments, ${seconds(audioSeconds)} of audio in ${seconds(elapsedSeconds)}, ` +
  `first audio after ${Math.round(ttfaMs)} ms, RTF ${rtf.toFixed(3)}`;

function summaryJson(file: string, { segments, ...facts }: Spoken): string {
  return JSON.stringify({ file, segments: segments.length, ...facts });
}

/** Other endings of what can be written. An `.m4a` is none: it is AAC in MP4, and ours comes as a bare stream. */
const endings: Readonly<Record<string, AudioFormat>> = { '': 'wav', ogg: 'opus', oga: 'opus' };

function formatOf(path: string, given: string | undefined): AudioFormat {
  if (given !== undefined) return parseAudioFormat(given, 'format');
  const ending = extname(path).slice(1).toLowerCase();
  return endings[ending] ?? parseAudioFormat(ending, 'output');
}

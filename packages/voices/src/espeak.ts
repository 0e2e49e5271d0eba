import { createHash } from 'node:crypto';
import { commonSettings, type Mark, RhapsodeError, type VoiceInfo } from '@rhapsode/contracts';
import { cut } from './cut.ts';
import { type EspeakClient, type SharedEspeak, shareEspeak } from './espeak-client.ts';
import { estimateMarks } from './estimate-marks.ts';
import type { Phonemizer } from './phonemizer.ts';
import type { SpeakRequest, SpeechPiece } from './port.ts';
import { createSilenceTrimmer } from './silence-trimmer.ts';
import type { LoadedVoice, VoiceSource } from './voice-source.ts';

const sampleRateHz = 22_050;

/**
 * Words per minute to ask for, by how much faster than at 175 it then is, measured on running English text. It ends
 * at 80 and 450 by itself.
 */
const pace = [
  [0.5, 87],
  [0.687, 120],
  [0.86, 150],
  [1, 175],
  [1.294, 225],
  [1.746, 300],
  [2.104, 350],
  [2.427, 400],
  [2.7, 450],
] as const;

export function rateForSpeed(speed: number): number {
  for (let i = 1; i < pace.length; i++) {
    const [[slow, slowRate], [fast, fastRate]] = [pace[i - 1]!, pace[i]!];
    if (speed <= fast) return Math.round(slowRate + ((speed - slow) / (fast - slow)) * (fastRate - slowRate));
  }
  return pace.at(-1)![1];
}

/** `espeak` is American English; every language of espeak-ng is `espeak-<language>`. They share one program. */
export async function espeakVoices(program: SharedEspeak): Promise<VoiceSource[]> {
  const { version, voices, tellsTimes } = await program.listing();
  return [
    source('espeak', 'espeak-ng: American English', 'en-us', version, tellsTimes, program),
    ...voices.map(({ id, name }) =>
      source(`espeak-${id}`, `espeak-ng: ${name}`, id, version, tellsTimes, program),
    ),
  ];
}

function source(
  id: string,
  name: string,
  language: string,
  version: string,
  tellsTimes: boolean,
  program: SharedEspeak,
): VoiceSource {
  const info: VoiceInfo = {
    id,
    name,
    engine: 'espeak',
    language,
    kin: 'espeak',
    sampleRateHz,
    speakers: [],
    digest: createHash('sha256').update(`${version}\n${language}\n1`).digest('hex'),
    deterministic: true,
    capabilities: {
      speed: { min: pace[0][0], max: pace.at(-1)![0] },
      settings: commonSettings,
      streaming: true,
      marks: tellsTimes ? 'model' : 'estimated',
    },
    licence: 'GPL-3.0-or-later',
  };
  return {
    info,
    async load(): Promise<LoadedVoice> {
      const client = program.acquire();
      const { version: running } = await client.askOnce({ op: 'hello' });
      if (running !== version) {
        await program.release();
        throw new RhapsodeError('model_invalid', {
          message: `espeak-ng is ${running}, its listing is of ${version}`,
        });
      }
      return {
        bytes: 100 * 2 ** 20,
        speak: (request, signal) => speak(client, language, request, signal, tellsTimes),
        close: () => program.release(),
      };
    },
  };
}

async function* speak(
  client: EspeakClient,
  voice: string,
  request: SpeakRequest,
  signal: AbortSignal,
  tellsTimes: boolean,
): AsyncGenerator<SpeechPiece> {
  signal.throwIfAborted();
  const trimmer = createSilenceTrimmer();
  const words: { text: string; start: number; end: number; firstSample: number }[] = [];
  let samples = 0;
  if (request.text.trim() !== '') {
    const rate = rateForSpeed(request.speed);
    for await (const answer of client.ask({ op: 'synthesize', voice, text: request.text, rate })) {
      signal.throwIfAborted();
      for (const { start, end, ms } of answer.words ?? []) {
        const text = request.text.slice(start, end);
        if (text.trim() !== '')
          words.push({ text, start, end, firstSample: Math.round((ms * sampleRateHz) / 1000) });
      }
      if (answer.pcm === undefined) continue;
      for (const pcm of cut(trimmer.push(answer.pcm), sampleRateHz)) {
        samples += pcm.length;
        yield { type: 'audio', pcm };
        signal.throwIfAborted();
      }
    }
  }
  if (!tellsTimes) {
    const spoken = samples > 0;
    const marks = spoken ? estimateMarks(request.text, samples) : [];
    yield { type: 'end', facts: { samples, marksFrom: spoken ? 'estimated' : 'none', marks } };
    return;
  }
  const marks = words.map(({ text, start, end, firstSample }, i): Mark => {
    const from = Math.min(firstSample, samples);
    const to = Math.min(words[i + 1]?.firstSample ?? samples, samples);
    return { kind: 'word', text, start, end, firstSample: from, samples: Math.max(0, to - from) };
  });
  yield { type: 'end', facts: { samples, marksFrom: 'model', marks } };
}

/** espeak-ng's phonemes for other engines. */
export function createEspeakPhonemizer(program: SharedEspeak = shareEspeak()): Phonemizer {
  const client = program.acquire();
  return {
    async version() {
      return (await client.askOnce({ op: 'hello' })).version ?? '';
    },
    async phonemize(language, clauses) {
      if (clauses.length === 0) return [];
      const { phonemes } = await client
        .askOnce({ op: 'phonemes', voice: language, texts: clauses })
        .catch((error) => {
          if (error instanceof RhapsodeError && /there is no voice/.test(error.message))
            throw new RhapsodeError('model_invalid', { message: `espeak-ng has no language ${language}` });
          throw error;
        });
      // `(en)` and the like mark a word of another language.
      return phonemes!.map((parts) =>
        parts.map((part) =>
          part
            .replaceAll(/\([^)\s]*\)/g, '')
            .replaceAll('_', '')
            .replaceAll(/ +/g, ' ')
            .trim(),
        ),
      );
    },
    close: () => program.release(),
  };
}

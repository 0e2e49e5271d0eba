import { readFile } from 'node:fs/promises';
import { RhapsodeError } from '@rhapsode/contracts';
import { z } from 'zod';
import { cut } from './cut.ts';
import { createEspeakPhonemizer } from './espeak.ts';
import { estimateMarks } from './estimate-marks.ts';
import { readStyles, styleSize } from './kokoro-styles.ts';
import { kokoroRuns, languageOfSpeaker } from './kokoro-tokens.ts';
import { gainFor, peakOf, toPcm } from './loudness.ts';
import { createSession, float32, int64, type Session, type SessionSettings } from './onnx/session.ts';
import type { SpeakRequest, SpeechPiece } from './port.ts';
import { checkUnchanged, type VoiceFiles } from './voice-folders.ts';
import type { LoadedVoice, VoiceShare } from './voice-source.ts';

export const kokoroRateHz = 24_000;

/** Either of the two files that published models come with. */
const vocabularyFile = z.union([
  z
    .object({ model: z.object({ vocab: z.record(z.string(), z.int()) }) })
    .transform((file) => file.model.vocab),
  z.object({ vocab: z.record(z.string(), z.int()) }).transform((file) => file.vocab),
]);

/** Names and types differ from export to export. */
interface Layout {
  readonly tokens: string;
  readonly style: string;
  readonly speed: string;
  readonly output: string;
}

/**
 * A Kokoro model: its vocoder normalises over the whole of its input, so it can't be decoded in windows. Audio leaves clause by
 * clause instead. The style depends on the number of tokens.
 */
export async function loadKokoro(
  files: VoiceFiles,
  settings: SessionSettings,
  { turns, espeak }: VoiceShare,
): Promise<LoadedVoice> {
  await checkUnchanged([files.model, files.config, ...files.styles]);
  const vocabulary = new Map(Object.entries(await readVocabulary(files.config.path)));
  const styles = await readStyles(files.styles);
  const session = await createSession(files.model.path, settings);
  const layout = layoutOf(session);
  const phonemizer = createEspeakPhonemizer(espeak);
  const [first] = styles.keys();

  async function run(ids: readonly number[], style: Float32Array, speed: number): Promise<Float32Array> {
    const row = Math.min(Math.max(ids.length - 1, 0), style.length / styleSize - 1);
    const padded = [0, ...ids, 0];
    const wholeSpeed = session.typeOf(layout.speed) === 'int32';
    const result = await session.run({
      [layout.tokens]: int64(padded, [1, padded.length]),
      [layout.style]: float32(style.slice(row * styleSize, (row + 1) * styleSize), [1, styleSize]),
      [layout.speed]: wholeSpeed
        ? { type: 'int32', data: Int32Array.of(Math.round(speed)), dims: [1] }
        : float32(Float32Array.of(speed), [1]),
    });
    return result[layout.output]!.data as Float32Array;
  }

  await phonemizer.version();
  const calibration = [...vocabulary.values()].filter((id) => id > 0).slice(0, 60);
  const gain = gainFor(peakOf(await run(calibration, styles.get(first!)!, 1)));

  async function* speak(request: SpeakRequest, signal: AbortSignal): AsyncGenerator<SpeechPiece> {
    signal.throwIfAborted();
    const speaker = request.speaker ?? first!;
    const style = styles.get(speaker)!;
    const runs = await kokoroRuns(request.text, languageOfSpeaker(speaker), vocabulary, phonemizer);
    let samples = 0;
    let deadlineMs: number | undefined;
    for (const ids of runs) {
      const turn = { bulk: request.class === 'bulk', deadlineMs, signal };
      const audio = await turns.take(turn, () => run(ids, style, request.speed));
      signal.throwIfAborted();
      const pcm = toPcm(audio, gain);
      samples += pcm.length;
      deadlineMs = (deadlineMs ?? performance.now()) + (pcm.length / kokoroRateHz) * 1000;
      for (const piece of cut(pcm, kokoroRateHz)) {
        yield { type: 'audio', pcm: piece };
        signal.throwIfAborted();
      }
    }
    yield {
      type: 'end',
      facts: {
        samples,
        marksFrom: samples === 0 ? 'none' : 'estimated',
        marks: samples === 0 ? [] : estimateMarks(request.text, samples),
      },
    };
  }

  return {
    bytes: 600 * 2 ** 20,
    speak,
    async close() {
      await phonemizer.close();
      await session.close();
    },
  };
}

function layoutOf(session: Session): Layout {
  const input = (names: readonly string[]) => {
    const found = session.inputs.find((name) => names.includes(name));
    if (found === undefined)
      throw new RhapsodeError('model_invalid', { message: `the model has no input ${names.join(' or ')}` });
    return found;
  };
  const output = session.outputs.find((name) => /wave|audio/.test(name)) ?? session.outputs[0];
  if (output === undefined) throw new RhapsodeError('model_invalid', { message: 'the model has no output' });
  return {
    tokens: input(['input_ids', 'tokens']),
    style: input(['style', 'ref_s']),
    speed: input(['speed']),
    output,
  };
}

async function readVocabulary(path: string): Promise<Record<string, number>> {
  try {
    return vocabularyFile.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    throw new RhapsodeError('model_invalid', { message: 'the vocabulary of the voice is not valid', cause });
  }
}

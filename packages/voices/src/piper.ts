import { createHash } from 'node:crypto';
import { commonSettings, type Mark, RhapsodeError, settingLimits, type VoiceInfo } from '@rhapsode/contracts';
import { cut } from './cut.ts';
import { createEspeakPhonemizer } from './espeak.ts';
import { estimateMarks } from './estimate-marks.ts';
import { gainFor, toPcm } from './loudness.ts';
import { arithmetic, machineKind, providerNames } from './onnx/machine.ts';
import {
  type Compute,
  type RunningSentence,
  runSplit,
  runWhole,
  type SentenceInput,
  type SplitSessions,
} from './onnx/piper-graph.ts';
import { type PreparedRecord, preparePiper } from './onnx/prepare.ts';
import { createSession, runtimeVersion, type Session, type SessionSettings } from './onnx/session.ts';
import { stackedStage } from './onnx/stacked.ts';
import { type PhonemeIds, phonemeIds, type WordIds } from './phoneme-ids.ts';
import type { Phonemizer } from './phonemizer.ts';
import { languageOf, type PiperConfig, sampleRateOf } from './piper-config.ts';
import type { SpeakRequest, SpeechPiece } from './port.ts';
import {
  discardPrepared,
  isIntact,
  type PreparedFiles,
  preparedKey,
  readPrepared,
  writePrepared,
} from './prepared-cache.ts';
import { readUnchanged } from './voice-folders.ts';
import type { LoadedVoice, VoiceShare } from './voice-source.ts';
import { runStep, windowPaceFor } from './window-plan.ts';

/** More phonemes than in any sentence; keeps the text part's memory bounded. */
const mostIds = 4_000;

/** Part of the time until a listener has heard all there is that the next window may take to be made. */
const usedOfSlack = 0.75;

export interface PiperFiles {
  readonly modelPath: string;
  readonly config: PiperConfig;
  readonly modelSha256: string;
  readonly configSha256: string;
}

export interface PiperSettings extends SessionSettings {
  readonly cacheDir: string;
}

/** Splits and tries the voice's graph and keeps what came of it; at once if that was done before. */
export async function preparePiperVoice(files: PiperFiles, settings: PiperSettings): Promise<PreparedRecord> {
  const key = preparedKey(files, settings);
  const known = await readPrepared(settings.cacheDir, key);
  if (known !== undefined) return known.record;
  const phonemizer = createEspeakPhonemizer();
  try {
    const { inference } = files.config;
    const prepared = await preparePiper(
      await readUnchanged({ path: files.modelPath, sha256: files.modelSha256 }),
      {
        ids: await calibrationIds(files.config, phonemizer),
        scales: { noise: inference.noise_scale, length: inference.length_scale, noiseW: inference.noise_w },
        sampleRateHz: sampleRateOf(files.config),
        split: files.config.rhapsode?.split,
      },
      settings,
    );
    await writePrepared(settings.cacheDir, key, prepared, settings);
    return prepared.record;
  } catch (cause) {
    if (cause instanceof RhapsodeError) throw cause;
    throw new RhapsodeError('model_invalid', {
      message: `the model can't be used: ${cause instanceof Error ? cause.message : 'it is not readable'}`,
      cause,
    });
  } finally {
    await phonemizer.close();
  }
}

/** Numbers are words in every language. */
async function calibrationIds(config: PiperConfig, phonemizer: Phonemizer): Promise<readonly number[]> {
  const { ids } = await phonemeIds('1 2 3 4 5 6 7 8 9 10, 11 12 13 14.', config, phonemizer);
  if (ids.length > 20) return ids;
  const known = Object.values(config.phoneme_id_map).flat();
  return Array.from({ length: 80 }, (_, i) => known[i % known.length]!);
}

/** What the voice can do, by what is known of its graph. */
export function piperInfo(
  id: string,
  name: string,
  files: PiperFiles,
  record: PreparedRecord,
  phonemizerVersion: string,
  licence: string | undefined,
  settings: SessionSettings,
): VoiceInfo {
  const { config } = files;
  // Who else speaks is never the same.
  const changes =
    record.batching === 'last bits' ? 'it is computed together with other sentences' : arithmetic(settings);
  const deterministic = record.deterministic && changes === undefined;
  const reason = record.reason ?? (record.deterministic ? changes : undefined);
  const length = config.inference.length_scale;
  const speakers = record.multiSpeaker ? speakerNames(config) : [];
  return {
    id,
    name,
    engine: 'piper',
    language: languageOf(config),
    sampleRateHz: sampleRateOf(config),
    speakers,
    digest: createHash('sha256')
      .update(
        [
          'piper-3',
          runtimeVersion(),
          files.modelSha256,
          files.configSha256,
          phonemizerVersion,
          ...providerNames(settings),
        ].join('\n'),
      )
      .digest('hex'),
    deterministic,
    kernels: machineKind(),
    capabilities: {
      // The length scale stays within 0.2 to 5.
      speed: { min: Math.max(0.25, length / 5), max: Math.min(4, length / 0.2) },
      settings: {
        noise_scale: { ...settingLimits.noise_scale, default: config.inference.noise_scale },
        noise_w: { ...settingLimits.noise_w, default: config.inference.noise_w },
        ...commonSettings,
      },
      streaming: record.layout !== undefined && deterministic,
      marks: record.layout?.durations === undefined ? 'estimated' : 'model',
      phonemes: config.phoneme_type === 'espeak',
    },
    ...(licence === undefined ? {} : { licence }),
    ...(reason === undefined ? {} : { note: `speaks whole sentences: ${reason}` }),
  };
}

const speakerNames = (config: PiperConfig): string[] =>
  Object.keys(config.speaker_id_map).length > 0
    ? Object.keys(config.speaker_id_map)
    : Array.from({ length: config.num_speakers }, (_, i) => String(i));

/** The voice's kept parts; made again if something happened to them. */
async function intactParts(files: PiperFiles, settings: PiperSettings): Promise<PreparedFiles> {
  const key = preparedKey(files, settings);
  for (let tries = 0; tries < 3; tries++) {
    await preparePiperVoice(files, settings);
    const prepared = await readPrepared(settings.cacheDir, key);
    if (prepared !== undefined && (await isIntact(prepared))) return prepared;
    await discardPrepared(settings.cacheDir, key);
  }
  throw new RhapsodeError('model_invalid', { message: 'the prepared voice does not stay as it was written' });
}

export async function loadPiper(
  files: PiperFiles,
  settings: PiperSettings,
  { turns, espeak }: VoiceShare,
): Promise<LoadedVoice> {
  const prepared = await intactParts(files, settings);
  const { record } = prepared;
  const open: Session[] = [];
  const load = async (model: string | Uint8Array) => {
    const optimised = typeof model === 'string' && prepared.optimised;
    const session = await createSession(model, { ...settings, optimised });
    open.push(session);
    return session;
  };
  const whole =
    record.layout === undefined
      ? await load(await readUnchanged({ path: files.modelPath, sha256: files.modelSha256 }))
      : undefined;
  const sessions: SplitSessions | undefined =
    record.layout === undefined
      ? undefined
      : {
          text: await load(prepared.text),
          stages: await Array.fromAsync(prepared.stages, (path) => load(path)),
        };
  const stacked =
    record.batching === undefined
      ? undefined
      : sessions?.stages.map((session, i) => stackedStage(session, record.layout!.stages[i]!.output));
  const phonemizer = createEspeakPhonemizer(espeak);
  const sampleRateHz = sampleRateOf(files.config);
  const gain = gainFor(record.peak);

  async function start(
    request: SpeakRequest,
    spoken: PhonemeIds,
    compute: Compute,
    possible: (framesPerSecond: number) => number,
  ): Promise<RunningSentence> {
    const { inference } = files.config;
    const { settings = {} } = request;
    const input: SentenceInput = {
      ids: spoken.ids,
      scales: {
        noise: settings.noise_scale ?? inference.noise_scale,
        length: inference.length_scale / request.speed,
        noiseW: settings.noise_w ?? inference.noise_w,
      },
      speaker: record.multiSpeaker ? speakerId(files.config, request.speaker) : undefined,
      seed: request.seed,
    };
    const { layout } = record;
    if (layout === undefined || sessions === undefined)
      return runWhole(whole!, record.output, input, compute);
    const framesPerSecond = sampleRateHz / layout.stages.reduce((product, { rate }) => product * rate, 1);
    const pace = windowPaceFor(request.class, settings.chunk_seconds, framesPerSecond);
    const measured = record.windowsAgree ? { possible: () => possible(framesPerSecond), runStep } : {};
    return runSplit(sessions, layout, input, { ...pace, ...measured }, sampleRateHz, compute);
  }

  async function* speak(request: SpeakRequest, signal: AbortSignal): AsyncGenerator<SpeechPiece> {
    const leave = turns.enter();
    try {
      yield* speakInHand(request, signal);
    } finally {
      leave();
    }
  }

  async function* speakInHand(request: SpeakRequest, signal: AbortSignal): AsyncGenerator<SpeechPiece> {
    signal.throwIfAborted();
    const spoken = await phonemeIds(request.text, files.config, phonemizer);
    signal.throwIfAborted();
    if (spoken.words.length === 0) {
      yield { type: 'end', facts: { samples: 0, marksFrom: 'none', marks: [] } };
      return;
    }
    if (spoken.ids.length > mostIds)
      throw new RhapsodeError('text_too_long', { message: 'the sentence is too long for this voice' });
    let deadlineMs: number | undefined;
    const turn = () => ({ bulk: request.class === 'bulk', deadlineMs, signal });
    const compute: Compute = {
      alone: (work) => turns.take(turn(), work),
      together:
        stacked &&
        ((stage, feeds) => {
          const { run, shapeOf } = stacked[stage]!;
          return turns.takeTogether(turn(), { run, shape: shapeOf(feeds), input: feeds });
        }),
    };
    /** Wall time per second of audio, of the last window, its waiting included. */
    let pace = 0;
    const possible = (framesPerSecond: number): number =>
      ((deadlineMs! - performance.now()) / 1000) * framesPerSecond * (usedOfSlack / pace);
    const sentence = await start(request, spoken, compute, possible);
    let samples = 0;
    for (;;) {
      const askedMs = performance.now();
      const window = await sentence.windows.next();
      if (window.done) break;
      signal.throwIfAborted();
      const pcm = toPcm(window.value, gain);
      samples += pcm.length;
      const heardMs = (pcm.length / sampleRateHz) * 1000;
      pace = (performance.now() - askedMs) / heardMs;
      deadlineMs = (deadlineMs ?? performance.now()) + heardMs;
      for (const piece of cut(pcm, sampleRateHz)) {
        yield { type: 'audio', pcm: piece };
        signal.throwIfAborted();
      }
    }
    const marks =
      sentence.durations === undefined
        ? estimateMarks(request.text, samples)
        : wordMarks(spoken.words, sentence.durations, sentence.hop, samples);
    const marksFrom = sentence.durations === undefined ? 'estimated' : 'model';
    yield { type: 'end', facts: { samples, marksFrom, marks, unknownPhonemes: spoken.unknown } };
  }

  // The first run is slower than the others, and the phonemizer has to start.
  const first: SpeakRequest = {
    voice: '',
    text: '1 2 3.',
    segment: 0,
    seed: 0,
    speed: 1,
    class: 'interactive',
  };
  for await (const _ of speak(first, new AbortController().signal));

  return {
    // The sessions hold the weights once more than the files, and what they work with.
    bytes: 200 * 2 ** 20,
    speak,
    async close() {
      await phonemizer.close();
      for (const session of open) await session.close();
    },
  };
}

function speakerId(config: PiperConfig, name: string | undefined): number {
  if (name === undefined) return 0;
  return config.speaker_id_map[name] ?? Number(name);
}

/** Word times from the frames of each id; a pad belongs to the phoneme before it. */
function wordMarks(words: readonly WordIds[], durations: Float32Array, hop: number, samples: number): Mark[] {
  const starts = new Float64Array(durations.length + 1);
  for (let i = 0; i < durations.length; i++) starts[i + 1] = starts[i]! + durations[i]! * hop;
  const at = (id: number) => Math.min(samples, Math.round(starts[id]!));
  return words.map(({ text, start, end, from, to }) => ({
    kind: 'word',
    text,
    start,
    end,
    firstSample: at(from),
    samples: at(to) - at(from),
  }));
}

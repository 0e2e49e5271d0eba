import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { commonSettings, RhapsodeError } from '@rhapsode/contracts';
import { kokoroRateHz, loadKokoro } from './kokoro.ts';
import { speakersOf } from './kokoro-styles.ts';
import { parseModel } from './onnx/graph/model.ts';
import { arithmetic, machineKind, providerNames } from './onnx/machine.ts';
import { runtimeVersion } from './onnx/session.ts';
import type { PiperSettings } from './piper.ts';
import type { VoiceFiles } from './voice-folders.ts';
import type { VoiceShare, VoiceSource } from './voice-source.ts';

/** A Kokoro model of the models directory, with a speaker for each of its style files. */
export async function kokoroSource(
  files: VoiceFiles,
  settings: PiperSettings,
  share: VoiceShare,
): Promise<VoiceSource> {
  const changes = (await drawsRandomNumbers(files))
    ? 'its model draws random numbers of its own'
    : arithmetic(settings);
  const deterministic = changes === undefined;
  const { version } = await share.espeak.listing();
  const parts = ['kokoro-1', runtimeVersion(), version, ...providerNames(settings)];
  for (const { sha256 } of [files.model, files.config, ...files.styles]) parts.push(sha256);
  return {
    info: {
      id: files.id,
      name: files.manifest?.name ?? files.id,
      engine: 'kokoro',
      language: 'en-US',
      sampleRateHz: kokoroRateHz,
      speakers: await speakersOf(files.styles),
      digest: createHash('sha256').update(parts.join('\n')).digest('hex'),
      deterministic,
      kernels: machineKind(),
      capabilities: {
        speed: { min: 0.5, max: 2 },
        settings: commonSettings,
        streaming: deterministic,
        marks: 'estimated',
        phonemes: true,
      },
      ...(files.manifest?.licence === undefined ? {} : { licence: files.manifest.licence }),
      ...(deterministic ? {} : { note: `delivered by the sentence: ${changes}` }),
    },
    load: () => loadKokoro(files, settings, share),
  };
}

async function drawsRandomNumbers(files: VoiceFiles): Promise<boolean> {
  try {
    const model = parseModel(await readFile(files.model.path));
    if ([...model.weights.values()].some((weight) => weight.external))
      throw new Error('weights in a separate file are not supported');
    return model.nodes.some((node) => /^(Random|Multinomial|Bernoulli)/.test(node.op));
  } catch (cause) {
    throw new RhapsodeError('model_invalid', {
      message: `the model of the voice ${files.id} is not readable`,
      cause,
    });
  }
}

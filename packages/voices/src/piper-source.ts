import { readFile } from 'node:fs/promises';
import { RhapsodeError } from '@rhapsode/contracts';
import { loadPiper, type PiperFiles, type PiperSettings, piperInfo } from './piper.ts';
import { piperConfig } from './piper-config.ts';
import { prepareElsewhere } from './prepare-elsewhere.ts';
import { preparedKey, readPrepared } from './prepared-cache.ts';
import type { VoiceFiles } from './voice-folders.ts';
import type { VoiceShare, VoiceSource } from './voice-source.ts';

/** A voice of the models directory. Its graph is tried in another process, once, before anything is promised about it. */
export async function piperSource(
  found: VoiceFiles,
  settings: PiperSettings,
  share: VoiceShare,
): Promise<VoiceSource> {
  const files = await readPiperFiles(found);
  const key = preparedKey(files, settings);
  const record =
    (await readPrepared(settings.cacheDir, key))?.record ?? (await prepareElsewhere(files, settings));
  const info = piperInfo(
    found.id,
    found.manifest?.name ?? files.config.dataset ?? found.id,
    files,
    record,
    (await share.espeak.listing()).version,
    found.manifest?.licence,
    settings,
  );
  return { info, load: () => loadPiper(files, settings, share) };
}

async function readPiperFiles(found: VoiceFiles): Promise<PiperFiles> {
  try {
    return {
      modelPath: found.model.path,
      config: piperConfig.parse(JSON.parse(await readFile(found.config.path, 'utf8'))),
      modelSha256: found.model.sha256,
      configSha256: found.config.sha256,
    };
  } catch (cause) {
    throw new RhapsodeError('model_invalid', {
      message: `the configuration of the voice ${found.id} is not valid`,
      cause,
    });
  }
}

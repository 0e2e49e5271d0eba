import type { CatalogueOptions, EngineHostOptions } from '@rhapsode/voices';
import type { WorkerConfig } from './config.ts';

/** What the settings say about voices. */
export const catalogueOptions = (config: WorkerConfig, provider: string): CatalogueOptions => ({
  modelsDir: config.modelsDir,
  aliases: { default: config.defaultVoice, ...config.aliases },
  testVoices: config.testVoices,
  espeakProgram: config.espeakProgram,
  tone: { realTimeFactor: config.toneRealTimeFactor },
  sessions: {
    providers: [provider],
    threads: config.engineThreads,
    env: config.engineEnv,
    batchWindows: config.batchWindows,
    batchWaitMs: config.batchWaitMs,
  },
});

/** And about the processes that speak with them. */
export const engineOptions = (
  config: WorkerConfig,
): Pick<EngineHostOptions, 'children' | 'sentencesPerChild' | 'env' | 'supervision'> => ({
  children: config.slots,
  sentencesPerChild: config.sentencesPerSlot,
  env: config.engineEnv,
  supervision: {
    progressTimeoutMs: config.engineTimeoutMs,
    replaceAboveBytes: config.engineMemoryMb * 2 ** 20,
    killAboveBytes: 2 * config.engineMemoryMb * 2 ** 20,
  },
});

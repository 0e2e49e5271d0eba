import type { Observer } from '@rhapsode/pipeline';
import { createEmbedded, type Embedded } from '@rhapsode/pipeline/embedded';
import {
  type Catalogue,
  createEngineHost,
  type EngineHost,
  type EngineHostOptions,
  pinned,
} from '@rhapsode/voices';
import type { CliConfig } from './config.ts';
import { catalogueOptions, openVoices } from './open-voices.ts';

/** The pipeline of this process with its voices and engine processes. */
export interface Speaker {
  readonly catalogue: Catalogue;
  readonly embedded: Embedded;
  readonly engine: EngineHost;
  readonly slots: number;
  close(): Promise<void>;
}

export interface SpeakerOptions {
  /** Voices to load before the first sentence comes. */
  readonly warm: readonly string[];
  readonly observer?: Observer;
  readonly onRestart?: NonNullable<EngineHostOptions['onRestart']>;
}

export async function createSpeaker(config: CliConfig, speaker: SpeakerOptions): Promise<Speaker> {
  const { warm, observer, onRestart } = speaker;
  const options = catalogueOptions(config);
  const catalogue = await openVoices(config);
  const engine = createEngineHost({
    children: config.slots,
    catalogue: pinned(options, catalogue),
    warm,
    ...(onRestart ? { onRestart } : {}),
  });
  try {
    await engine.ready();
  } catch (error) {
    await engine.close();
    throw error;
  }
  const embedded = createEmbedded({
    engine,
    voices: catalogue.voices,
    slots: engine.slots,
    ...(observer ? { observer } : {}),
  });
  return {
    catalogue,
    embedded,
    engine,
    slots: engine.slots,
    async close() {
      await embedded.close();
      await engine.close();
    },
  };
}

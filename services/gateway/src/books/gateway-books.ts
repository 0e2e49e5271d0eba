import { type Books, createBooks, createSegmentStore, webhookSettings } from '@rhapsode/book';
import type { ArtefactStore, BookStore } from '@rhapsode/store';
import type { GatewayConfig } from '../config.ts';
import type { VoiceDirectory } from '../voice-directory.ts';

export interface GatewayBooksDeps {
  readonly artefacts: ArtefactStore;
  readonly bookStore: BookStore;
  readonly voices: VoiceDirectory;
}

/** Books as the gateway's routes know them, by its settings; the embedded server has the same. */
export const createGatewayBooks = (
  {
    maxBookCharacters,
    maxBookBytes,
    maxOpenBooks,
    ...config
  }: Pick<
    GatewayConfig,
    'maxBookCharacters' | 'maxBookBytes' | 'maxOpenBooks' | 'webhookSecret' | 'webhookPrivate'
  >,
  { artefacts, bookStore, voices }: GatewayBooksDeps,
): Books =>
  createBooks({
    artefacts,
    books: bookStore,
    segments: createSegmentStore(artefacts),
    findVoice: voices.find,
    limits: { maxCharacters: maxBookCharacters, maxBytes: maxBookBytes, maxOpen: maxOpenBooks },
    webhooks: webhookSettings(config),
  });

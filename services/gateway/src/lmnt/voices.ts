import type { FoundVoice } from '../voice-directory.ts';

/** A voice as LMNT describes one. */
export const lmntVoice = ({ voice: { id, name, engine, language, note } }: FoundVoice) => ({
  id,
  name,
  owner: 'system',
  state: 'ready',
  starred: false,
  description: note ?? `${name} (${engine}, ${language})`,
  tags: [engine, language],
});

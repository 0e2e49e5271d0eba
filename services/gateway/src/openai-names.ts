/** Names that clients written for OpenAI's service send without being asked. Here the voice decides what speaks. */
export const openAiModels = ['tts-1', 'tts-1-hd', 'gpt-4o-mini-tts', 'gpt-4o-mini-tts-2025-12-15'] as const;

const openAiVoices = [
  'alloy',
  'ash',
  'ballad',
  'coral',
  'echo',
  'fable',
  'onyx',
  'nova',
  'sage',
  'shimmer',
  'verse',
  'marin',
  'cedar',
] as const;

/** They speak with the default voice, unless a voice or an alias has the name. */
export const openAiVoiceAliases: Readonly<Record<string, string>> = Object.fromEntries(
  openAiVoices.map((name) => [name, 'default']),
);

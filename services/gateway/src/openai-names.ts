/** Names that clients written for OpenAI's service send without being asked. Here the voice decides what speaks. */
export const openAiModels = ['tts-1', 'tts-1-hd', 'gpt-4o-mini-tts', 'gpt-4o-mini-tts-2025-12-15'] as const;

const higher = ['alloy', 'coral', 'nova', 'sage', 'shimmer', 'marin'] as const;
const deeper = ['ash', 'ballad', 'echo', 'fable', 'onyx', 'verse', 'cedar'] as const;

/** The shipped voice's deeper speaker; other voices have none of that name and speak as they do. */
const deeperSpeaker = 'rms';

/**
 * They speak with the default voice, unless a voice or an alias has the name; the deeper ones with its deeper speaker, if the
 * voice has it.
 */
export const openAiVoiceAliases: Readonly<Record<string, string>> = Object.fromEntries([
  ...higher.map((name) => [name, 'default'] as const),
  ...deeper.map((name) => [name, `default:${deeperSpeaker}`] as const),
]);

import { RhapsodeError, type VoiceInfo } from '@rhapsode/contracts';
import type { RequestStore } from '@rhapsode/store';
import { agreedVoice } from './agreed-voice.ts';
import { openAiVoiceAliases } from './openai-names.ts';

export interface FoundVoice {
  readonly voice: VoiceInfo;
  readonly pool: string;
  /** Who of its speakers the name meant, if it meant one. */
  readonly speaker?: string;
}

/** The voices that workers have announced, and their other names. */
export interface VoiceDirectory {
  list(): Promise<FoundVoice[]>;
  /** By id, `id:speaker` or alias. Throws `voice_not_found`, or `no_workers` while no worker has ever announced a voice. */
  find(name: string, param: string): Promise<FoundVoice>;
  readonly aliases: Readonly<Record<string, string>>;
  /** Whether the alias, by way of others perhaps, means this voice (or one of its speakers). */
  resolves(alias: string, voiceId: string): boolean;
}

export interface VoiceDirectoryOptions {
  readonly store: Pick<RequestStore, 'voices' | 'workers'>;
  /** A voice that several pools have is spoken by the first. */
  readonly pools: readonly string[];
  readonly aliases: Readonly<Record<string, string>>;
  readonly cacheMs?: number;
}

const mostHops = 8;

export function createVoiceDirectory({
  store,
  pools,
  aliases: given,
  cacheMs = 2_000,
}: VoiceDirectoryOptions): VoiceDirectory {
  const aliases = { ...openAiVoiceAliases, ...given };
  let known: { voices: FoundVoice[]; until: number } | undefined;

  async function list(): Promise<FoundVoice[]> {
    if (known && performance.now() < known.until) return known.voices;
    const byId = new Map<string, FoundVoice>();
    for (const pool of pools) {
      const [voices, workers] = await Promise.all([store.voices(pool), store.workers(pool)]);
      for (const voice of voices)
        if (!byId.has(voice.id)) byId.set(voice.id, { voice: agreedVoice(voice, workers), pool });
    }
    const voices = [...byId.values()].sort((a, b) => (a.voice.id < b.voice.id ? -1 : 1));
    // While there is none, a worker may announce the first at any moment.
    known = { voices, until: performance.now() + (voices.length > 0 ? cacheMs : 0) };
    return voices;
  }

  /** `name` is a voice's id or an alias, or one of these with `:speaker` behind it; an alias may name such, too. */
  function resolve(name: string, voices: readonly FoundVoice[]): FoundVoice | undefined {
    let id = name;
    let speaker: string | undefined;
    // What nobody asked for by name is left out where the voice does not have it.
    let optional = false;
    for (let hop = 0; hop < mostHops; hop++) {
      const found = voices.find(({ voice }) => voice.id === id);
      if (found) {
        const unknown = speaker === undefined || (optional && !found.voice.speakers.includes(speaker));
        return unknown ? found : { ...found, speaker: speaker! };
      }
      const other = Object.hasOwn(aliases, id) ? aliases[id]! : undefined;
      if (other !== undefined) {
        optional ||= speaker === undefined && !Object.hasOwn(given, id);
        id = other;
        continue;
      }
      const colon = id.lastIndexOf(':');
      if (colon <= 0) return undefined;
      speaker ??= id.slice(colon + 1);
      id = id.slice(0, colon);
    }
    return undefined;
  }

  return {
    list,
    aliases,
    resolves: (alias, voiceId) => resolve(alias, known?.voices ?? [])?.voice.id === voiceId,
    async find(name, param) {
      let voices = await list();
      const lookUp = () => resolve(name, voices);
      let found = lookUp();
      if (!found) {
        known = undefined;
        voices = await list();
        found = lookUp();
      }
      if (found) return found;
      if (voices.length === 0)
        throw new RhapsodeError('no_workers', {
          message: 'no worker has announced a voice yet; start one, or wait for it',
        });
      throw new RhapsodeError('voice_not_found', {
        message: `there is no voice '${name.slice(0, 100)}'; GET /v1/audio/voices lists them`,
        param,
      });
    },
  };
}

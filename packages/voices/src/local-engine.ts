import { checkSettings, RhapsodeError } from '@rhapsode/contracts';
import type { Catalogue } from './catalogue.ts';
import type { Engine, SpeakRequest, SpeechPiece } from './port.ts';
import type { LoadedVoice } from './voice-source.ts';

export interface LocalEngine extends Engine {
  /** Loads a voice ahead of its first sentence. */
  load(voice: string): Promise<void>;
  /** Ids of the voices that are in memory. */
  readonly loaded: readonly string[];
}

export interface LocalEngineOptions {
  /** The least recently used voice is closed when the loaded ones hold more. */
  readonly voiceMemoryBytes?: number | undefined;
}

/** A voice that somebody speaks with is never closed under them. */
interface Resident {
  readonly voice: Promise<LoadedVoice>;
  users: number;
  bytes: number;
  ready: boolean;
}

/** All voices of a catalogue in this process. Voices are loaded once, at their first use. */
export function createLocalEngine(catalogue: Catalogue, options: LocalEngineOptions = {}): LocalEngine {
  const budget = options.voiceMemoryBytes ?? Infinity;
  // In order of last use.
  const residents = new Map<string, Resident>();
  let closed = false;

  async function evict(): Promise<void> {
    let total = 0;
    for (const resident of residents.values()) total += resident.bytes;
    for (const [id, resident] of residents) {
      if (total <= budget) return;
      if (resident.users > 0) continue;
      residents.delete(id);
      total -= resident.bytes;
      await (await resident.voice).close();
    }
  }

  async function acquire(id: string): Promise<Resident> {
    let resident = residents.get(id);
    if (resident === undefined) {
      const created: Resident = { voice: catalogue.source(id).load(), users: 0, bytes: 0, ready: false };
      resident = created;
      // A voice that failed to load is tried anew by the next sentence.
      created.voice.then(
        (voice) => {
          created.bytes = voice.bytes;
          created.ready = true;
        },
        () => {
          if (residents.get(id) === created) residents.delete(id);
        },
      );
    }
    residents.delete(id);
    residents.set(id, resident);
    resident.users++;
    try {
      await resident.voice;
    } catch (error) {
      resident.users--;
      throw error;
    }
    return resident;
  }

  async function release(resident: Resident): Promise<void> {
    resident.users--;
    await evict();
  }

  async function* speak(request: SpeakRequest, signal: AbortSignal): AsyncGenerator<SpeechPiece> {
    if (closed) throw new RhapsodeError('draining');
    signal.throwIfAborted();
    const info = catalogue.get(request.voice);
    checkSettings(info, request);
    if (!Number.isInteger(request.seed) || request.seed < 0 || request.seed > 0xffff_ffff)
      throw new RhapsodeError('invalid_request', { message: 'the seed is a 32-bit number', param: 'seed' });
    const resident = await acquire(info.id);
    try {
      signal.throwIfAborted();
      yield* (await resident.voice).speak(request, signal);
    } finally {
      await release(resident);
    }
  }

  return {
    speak,
    async load(voice) {
      await release(await acquire(catalogue.get(voice).id));
    },
    get loaded() {
      return [...residents].filter(([, resident]) => resident.ready).map(([id]) => id);
    },
    async close() {
      closed = true;
      const all = [...residents.values()];
      residents.clear();
      for (const resident of all) await resident.voice.then((voice) => voice.close()).catch(() => {});
    },
  };
}

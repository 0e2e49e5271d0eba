import type { FoundVoice } from '../voice-directory.ts';
import type { WyomingEvent } from './event.ts';

const attribution = { name: 'Rhapsode', url: '' };

/** What Home Assistant reads to find out that this speaks, with which voices, and that text may be streamed to it. */
export function infoEvent(voices: readonly FoundVoice[], version: string): WyomingEvent {
  const program = {
    name: 'rhapsode',
    description: 'Rhapsode: exact, gapless speech',
    version,
    attribution,
    installed: true,
    supports_synthesize_streaming: true,
    voices: voices.map(({ voice }) => ({
      name: voice.id,
      description: voice.name,
      version: null,
      attribution: { name: voice.engine, url: '' },
      installed: true,
      languages: [voice.language],
      speakers: voice.speakers.length > 0 ? voice.speakers.map((name) => ({ name })) : null,
    })),
  };
  return {
    type: 'info',
    data: { asr: [], tts: [program], handle: [], intent: [], wake: [], mic: [], snd: [] },
  };
}

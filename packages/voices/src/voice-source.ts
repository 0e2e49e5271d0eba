import type { VoiceInfo } from '@rhapsode/contracts';
import type { SharedEspeak } from './espeak-client.ts';
import type { SpeakRequest, SpeechPiece } from './port.ts';
import type { Turns } from './turns.ts';

/** What the voices of one process have in common. */
export interface VoiceShare {
  readonly turns: Turns;
  readonly espeak: SharedEspeak;
}

/** A voice that is known and can be loaded. */
export interface VoiceSource {
  readonly info: VoiceInfo;
  load(): Promise<LoadedVoice>;
}

/** A voice in memory. `speak` keeps the promises of `Engine.speak`; the request has been checked against the voice's info. */
export interface LoadedVoice {
  /** Memory it holds, as far as known: what the least recently used voice gives back. */
  readonly bytes: number;
  speak(request: SpeakRequest, signal: AbortSignal): AsyncIterable<SpeechPiece>;
  close(): Promise<void>;
}

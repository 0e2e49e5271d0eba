import type { Books } from '@rhapsode/book';
import type { Position } from '@rhapsode/contracts';
import type { Dispatcher, Listening, SubmitDeps } from '@rhapsode/pipeline';
import type { SocketDrain } from '@rhapsode/service';
import type { RequestStore } from '@rhapsode/store';
import type { Log, Metrics } from '@rhapsode/telemetry';
import type { AudioDescriber, AudioSource } from './audio-source.ts';
import type { LogGuard } from './log-guard.ts';
import type { VoiceDirectory } from './voice-directory.ts';

/** What the gateway's routes need; the embedded server brings the same on memory adapters. */
export interface GatewayDeps {
  readonly store: RequestStore;
  readonly dispatcher: Dispatcher;
  readonly observer: NonNullable<SubmitDeps['observer']>;
  readonly voices: VoiceDirectory;
  /** Encoded audio of an utterance, by offset: what HTTP answers are made of. */
  readonly audio: AudioSource;
  readonly describeAudio: AudioDescriber;
  /** Exact PCM, marks and ends of sentences as they are made: what events and sessions are made of. */
  readonly hear: (
    id: string,
    /** `guest`: who did not ask for the utterance; see `listen`. */
    options: { from?: Position; guest?: boolean; signal: AbortSignal },
  ) => Promise<Listening>;
  readonly books: Books;
  readonly logGuard: LogGuard;
  readonly drain: SocketDrain;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tenant: string;
  readonly limits: GatewayLimits;
}

export interface GatewayLimits {
  readonly maxSpeechCharacters: number;
  readonly maxBulkCharacters: number;
  readonly maxOpenUtterances: number;
  /** Of OpenAI's `pcm`, if the request does not say; 0: the voice's own. */
  readonly speechPcmHz: number;
  readonly maxBookBytes: number;
  /** A text that is still arriving is given up when nothing comes for so long. */
  readonly textIdleSeconds: number;
}

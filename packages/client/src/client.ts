import { sessionPath } from '@rhapsode/contracts/session';
import { type Api, type ApiOptions, checkUrls, createApi } from './api.ts';
import { invalid } from './errors.ts';
import { createOneShots, type OneShots } from './one-shots.ts';
import { createSinkPlayer, type Player, type Sink } from './player.ts';
import type { OpenFields, SessionOptions } from './session.ts';
import { createSpeaking, type Speaking } from './speaking.ts';
import type { SpeechStream } from './speech-stream.ts';
import { createSpeechStream } from './stream.ts';
import { changeStreamConfig, defaultStreamConfig, type StreamConfig } from './stream-config.ts';
import { createWebAudioPlayer, hasWebAudio } from './web-audio/player.ts';

export interface ClientOptions
  extends Omit<ApiOptions, 'urls'>,
    Pick<SessionOptions, 'maxAttempts' | 'retryDelayMs' | 'silenceMs' | 'maxBufferedBytes'> {
  /** Of a gateway, for example `http://localhost:8080`; or of several, of which the next is asked when one fails. */
  readonly url?: string | readonly string[];
  /** The same as `url`. */
  readonly baseUrl?: string | readonly string[];
  readonly baseUrls?: readonly string[];
  /** The platform's own if not given. */
  readonly WebSocket?: typeof WebSocket;
  /** What `speak` and `speakStreamed` are heard with; in a browser Web Audio if not given. */
  readonly player?: Player;
}

export interface VoiceOptions extends OpenFields {
  readonly signal?: AbortSignal;
}

export interface StreamOptions extends VoiceOptions {
  readonly config?: Partial<StreamConfig>;
  /** True: the client's own. Without one the audio is for whoever iterates or listens. */
  readonly player?: Player | true;
  readonly sink?: Sink;
}

export interface Client extends Api, OneShots, Speaking {
  createStream(options?: StreamOptions): SpeechStream;
  /** For streams that are created from now on. */
  setStreamConfig(changes: Partial<StreamConfig>): void;
}

/** Speaks to a Rhapsode server. Runs in browsers and in Node: it needs `fetch` and `WebSocket` only. */
export function createClient(options: ClientOptions): Client {
  const urls = checkUrls(options.url ?? options.baseUrl ?? options.baseUrls);
  const api = createApi({ ...options, urls });
  let config = defaultStreamConfig;
  let webAudio: Player | undefined;

  /** The one to hear with, or undefined where there is none. */
  function playerOf(): Player | undefined {
    if (options.player) return options.player;
    if (hasWebAudio()) webAudio ??= createWebAudioPlayer();
    return webAudio;
  }

  function createStream({
    config: changes,
    player,
    sink,
    signal,
    ...open
  }: StreamOptions = {}): SpeechStream {
    const socket = options.WebSocket ?? globalThis.WebSocket;
    if (socket === undefined)
      throw invalid(
        'WebSocket',
        'there is no WebSocket here (Node has one from version 22 on); give one to createClient',
      );
    const heard = sink ? createSinkPlayer(sink) : player === true ? playerOf() : player;
    if (player === true && !heard) throw noPlayer();
    const { maxAttempts, retryDelayMs, silenceMs, maxBufferedBytes } = options;
    return createSpeechStream({
      urls: urls.map((url) => `${url.replace(/^http/, 'ws')}${sessionPath}`),
      socket,
      open,
      config: changeStreamConfig(config, changes ?? {}),
      player: heard,
      signal,
      maxAttempts,
      retryDelayMs,
      silenceMs,
      maxBufferedBytes,
      forget: (id) => void api.cancel(id).catch(() => {}),
    });
  }

  return {
    ...api,
    ...createOneShots(api),
    ...createSpeaking({ createStream, hasPlayer: () => playerOf() !== undefined, noPlayer }),
    createStream,
    setStreamConfig(changes) {
      config = changeStreamConfig(config, changes);
    },
  };
}

const noPlayer = () =>
  invalid(
    'player',
    'there is nothing to play with here: give a `player` to createClient or a `sink` to the call, or take the audio from ' +
      'synthToBytes, synthToStream or createStream',
  );

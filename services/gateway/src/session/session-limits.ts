import type { GatewayLimits } from '../deps.ts';
import { longestMessageBytes } from '../web-sockets.ts';

export interface SessionLimits {
  /** Of one message: longer ones are refused; much longer ones end the session. */
  readonly textBytes: number;
  /** UTF-16 code units of one context. */
  readonly textCharacters: number;
  /** Of one socket, at once. */
  readonly contexts: number;
  readonly idleSeconds: number;
}

export const sessionLimits = ({ maxSpeechCharacters, textIdleSeconds }: GatewayLimits): SessionLimits => ({
  textBytes: longestMessageBytes / 4,
  textCharacters: maxSpeechCharacters,
  contexts: 64,
  idleSeconds: textIdleSeconds,
});

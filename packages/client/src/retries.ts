import { RhapsodeError } from '@rhapsode/contracts';
import { pause } from './pause.ts';

export interface RetryOptions {
  /** How often in a row a connection may break without having brought anything further. */
  readonly maxAttempts?: number | undefined;
  /** The wait after the first failures in a row; grows to ten times as much. */
  readonly retryDelayMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Which of several servers is next, when, and whether there is use in it. */
export interface Retries {
  readonly server: number;
  /** Something came: what fails from now on is the first failure. */
  progress(): void;
  /** Goes to the next server, after a pause when all have failed; throws the error when there is no use in that. */
  after(error: unknown): Promise<void>;
}

export function createRetries(servers: number, options: RetryOptions = {}): Retries {
  const { maxAttempts = 40, retryDelayMs = 100, signal } = options;
  let server = 0;
  let failures = 0;
  return {
    get server() {
      return server;
    },
    progress() {
      failures = 0;
    },
    async after(error) {
      signal?.throwIfAborted();
      if (error instanceof RhapsodeError && !mayTryElsewhere(error)) throw error;
      failures += 1;
      if (failures >= maxAttempts) throw error;
      server = (server + 1) % servers;
      if (failures >= servers) await pause(retryDelayMs * Math.min(failures, 10), signal);
    },
  };
}

/** A server that is going down, or can't reach what it needs, sends us to the others. What it says of the utterance is final. */
export const mayTryElsewhere = ({ code, status }: RhapsodeError) =>
  status === 503 || status === 502 || (status === 500 && code === 'internal_error');

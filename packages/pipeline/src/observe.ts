import type { ErrorCode, SentenceJob } from '@rhapsode/contracts';

/**
 * What the pipeline tells whoever wants to count or log. Calls never throw and never wait.
 * `packages/telemetry` turns them into metrics.
 */
export interface Observer {
  chunk(result: 'sent' | 'duplicate' | 'fenced' | 'refetched'): void;
  /** A sentence was made again, or for the first time: why this attempt exists. */
  attempt(reason: 'first' | 'retry' | 'regenerated'): void;
  sentence(job: SentenceJob, outcome: SentenceOutcome): void;
  cancelled(sentences: number): void;
  rejected(reason: ErrorCode): void;
  /** Something went wrong that was, or will be, mended. */
  trouble(what: string, error: unknown, fields?: Record<string, unknown>): void;
}

export interface SentenceOutcome {
  readonly result: 'completed' | 'failed' | 'retried' | 'cancelled' | 'handed-back';
  readonly queueSeconds: number;
  readonly synthesisSeconds: number;
  readonly audioSeconds: number;
}

const nothing = () => {};
export const silent: Observer = {
  chunk: nothing,
  attempt: nothing,
  sentence: nothing,
  cancelled: nothing,
  rejected: nothing,
  trouble: nothing,
};

import { type ErrorCode, errorCatalogue } from '@rhapsode/contracts';

/**
 * Every metric of Rhapsode. A label is either a closed list of values, or `open`: set by the operator (pools, voices), and
 * cut off at a number of distinct values. No label ever holds a request's id or text.
 */
interface MetricFacts {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: Readonly<Record<string, 'open' | readonly string[]>>;
  readonly buckets?: readonly number[];
}

const errorCodes = Object.keys(errorCatalogue) as ErrorCode[];
const classes = ['interactive', 'bulk'] as const;
const waitBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800] as const;
const latencyBuckets = [0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2.5, 5, 10, 30] as const;
const rtfBuckets = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 5] as const;

export const metricTable = {
  time_to_first_audio_seconds: {
    type: 'histogram',
    help: 'From the first byte of text received to the first byte of audio (not the header) sent.',
    labels: { class: classes },
    buckets: latencyBuckets,
  },
  sentence_queue_seconds: {
    type: 'histogram',
    help: 'From the release of a sentence to the queue until a worker took it.',
    labels: { pool: 'open', class: classes },
    buckets: waitBuckets,
  },
  sentence_synthesis_seconds: {
    type: 'histogram',
    help: 'From taking a sentence job until its last chunk was stored.',
    labels: { pool: 'open', voice: 'open' },
    buckets: waitBuckets,
  },
  real_time_factor: {
    type: 'histogram',
    help: 'Seconds of synthesis per second of audio, by sentence; below 1 is faster than real time.',
    labels: { pool: 'open', voice: 'open' },
    buckets: rtfBuckets,
  },
  interchunk_gap_seconds: {
    type: 'histogram',
    help: 'Time a listener who could take more audio waited for the next chunk.',
    labels: {},
    buckets: latencyBuckets,
  },
  sentences_total: {
    type: 'counter',
    help: 'Sentence jobs that ended, by outcome.',
    labels: { pool: 'open', voice: 'open', outcome: ['completed', 'failed', 'cancelled'] },
  },
  audio_seconds_total: {
    type: 'counter',
    help: 'Seconds of audio synthesized and stored in the log.',
    labels: { pool: 'open' },
  },
  chunks_total: {
    type: 'counter',
    help: 'Chunks at the collector: sent on, or dropped as duplicate or as of a fenced attempt, or read again from the log.',
    labels: { result: ['sent', 'duplicate', 'fenced', 'refetched'] },
  },
  attempts_total: {
    type: 'counter',
    help: 'Starts of sentence jobs: the first, another after a failure or a dead worker, a new generation.',
    labels: { reason: ['first', 'retry', 'regenerated'] },
  },
  engine_restarts_total: {
    type: 'counter',
    help: 'Engine processes that were started again, by what ended the one before.',
    labels: { reason: ['crash', 'timeout', 'memory', 'heartbeat', 'abort'] },
  },
  rejected_total: {
    type: 'counter',
    help: 'Requests refused, by the code of the error catalogue.',
    labels: { reason: errorCodes },
  },
  cancelled_sentences_total: {
    type: 'counter',
    help: 'Sentences that were dropped by a cancellation before they were finished.',
    labels: {},
  },
  backlog_audio_seconds: {
    type: 'gauge',
    help: 'Estimated audio that is accepted and not yet synthesized. The same at every gateway: take max, not sum.',
    labels: { pool: 'open', class: classes },
  },
  oldest_wait_seconds: {
    type: 'gauge',
    help: 'Age of the sentence job that has waited longest. The same at every gateway: take max, not sum.',
    labels: { pool: 'open' },
  },
  slots: {
    type: 'gauge',
    help: 'Engine processes of this worker by state.',
    labels: { pool: 'open', state: ['busy', 'idle'] },
  },
  streams_open: { type: 'gauge', help: 'Audio streams that are being sent.', labels: {} },
  ready: { type: 'gauge', help: '1 while the service is ready to serve.', labels: {} },
} as const satisfies Record<string, MetricFacts>;

export type MetricTable = typeof metricTable;
export type MetricKey = keyof MetricTable;
export const metricKeys = Object.keys(metricTable) as MetricKey[];

export const metricPrefix = 'rhapsode_';
export const metricName = (key: MetricKey): string => `${metricPrefix}${key}`;

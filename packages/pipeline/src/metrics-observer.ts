import { asRhapsodeError } from '@rhapsode/contracts';
import { createNews, type Log, type Metrics } from '@rhapsode/telemetry';
import type { Observer } from './observe.ts';

/** Counts and logs what the pipeline tells. */
export function createMetricsObserver(metrics: Metrics, log: Log, pool: string): Observer {
  const isNews = createNews();
  return {
    chunk: (result) => metrics.chunksTotal.add(1, { result }),
    attempt: (reason) => metrics.attemptsTotal.add(1, { reason }),
    sentence(job, { result, queueSeconds, synthesisSeconds, audioSeconds }) {
      const { voice, class: utteranceClass } = job;
      const fields = { utterance: job.utterance, segment: job.segment, generation: job.generation, result };
      log.debug({ ...fields, queueSeconds, synthesisSeconds, audioSeconds }, 'sentence');
      if (result === 'handed-back' || result === 'retried') return;
      metrics.sentencesTotal.add(1, { pool, voice, outcome: result });
      if (result !== 'completed') return;
      metrics.sentenceQueueSeconds.observe(queueSeconds, { pool, class: utteranceClass });
      metrics.sentenceSynthesisSeconds.observe(synthesisSeconds, { pool, voice });
      metrics.audioSecondsTotal.add(audioSeconds, { pool });
      if (audioSeconds > 0) metrics.realTimeFactor.observe(synthesisSeconds / audioSeconds, { pool, voice });
    },
    cancelled: (sentences) => metrics.cancelledSentencesTotal.add(sentences),
    // Counted where the answer is made.
    rejected: () => {},
    trouble(what, error, fields = {}) {
      const { code, status } = asRhapsodeError(error);
      // While a part is away or full, what needs it fails every second.
      const level = status !== 503 || isNews(`${what} ${code}`) ? 'warn' : 'debug';
      log[level]({ ...fields, what, error }, 'trouble, to be mended');
    },
  };
}

import { createHash } from 'node:crypto';
import { amplified, pcmBytes } from '@rhapsode/audio';
import { epochOf, noPcm, RhapsodeError, type SentenceJob } from '@rhapsode/contracts';
import type { AudioLog } from '@rhapsode/log';
import { type Delivery, PermanentFailure } from '@rhapsode/queue';
import type { RequestStore } from '@rhapsode/store';
import type { Engine, SegmentFacts } from '@rhapsode/voices';
import { createChunker } from './chunks.ts';
import { type Observer, type SentenceOutcome, silent } from './observe.ts';
import { createPublisher } from './publisher.ts';

export interface SynthesizeDeps {
  readonly engine: Engine;
  readonly log: AudioLog;
  readonly store: RequestStore;
  readonly observer?: Observer;
  /** Name of this worker. */
  readonly worker?: string;
}

/**
 * Makes one segment: speaks the sentence, publishes its chunks with acknowledgement, then its end. When this returns, the
 * segment is on the log; when it throws, the queue tries again or, after the last attempt, the failure is on the log.
 * Every message carries the attempt's epoch, so whatever an attempt that lost its lock still publishes is fenced.
 */
export async function synthesize(
  delivery: Delivery,
  deps: SynthesizeDeps,
  signal: AbortSignal,
): Promise<void> {
  const { job, attempt } = delivery;
  const { store, observer = silent } = deps;
  const queueSeconds = Math.max(0, (Date.now() - job.releasedAtMs) / 1000);
  const startedAt = performance.now();
  const report = (result: SentenceOutcome['result'], samples = 0) =>
    observer.sentence(job, {
      result,
      queueSeconds,
      synthesisSeconds: (performance.now() - startedAt) / 1000,
      audioSeconds: samples / job.sampleRateHz,
    });

  if (await store.isCancelled(job.utterance)) return report('cancelled');
  if (attempt > 1) observer.attempt('retry');
  else if (job.generation === 0) observer.attempt('first');
  try {
    const samples = await speakAndPublish(delivery, deps, queueSeconds, signal);
    await store.finished(job.utterance, job.segment, job.generation, {
      samples: samples + job.pauseSamples,
    });
    report('completed', samples);
  } catch (error) {
    if (signal.aborted) {
      report(isCancellation(signal.reason) ? 'cancelled' : 'handed-back');
      throw error;
    }
    const final = delivery.lastAttempt || (error instanceof RhapsodeError && !error.retryable);
    report(final ? 'failed' : 'retried');
    if (!final) throw error;
    await publishFailure(delivery, deps, error);
    throw new PermanentFailure(`sentence ${job.utterance}:${job.segment} failed`, { cause: error });
  }
}

async function speakAndPublish(
  { job, attempt, freeSlot }: Delivery,
  { engine, log, observer = silent, worker }: SynthesizeDeps,
  queueSeconds: number,
  signal: AbortSignal,
): Promise<number> {
  const { utterance, segment } = job;
  const epoch = epochOf(job.generation, attempt);
  const startedAt = performance.now();
  const stop = new AbortController();
  const publisher = createPublisher(log, utterance, AbortSignal.any([signal, stop.signal]));
  const chunker = createChunker(chunkSizes(job));
  const digest = createHash('sha256');
  let chunks = 0;
  let samples = 0;
  let firstChunkMs: number | undefined;

  async function publish(pcm: Int16Array) {
    const bytes = pcmBytes(pcm);
    digest.update(bytes);
    const prefixDigest = digest.copy().digest('hex').slice(0, 16);
    const elapsedMs = tenths(performance.now() - startedAt);
    firstChunkMs ??= elapsedMs;
    await publisher.publish(
      {
        kind: 'audio',
        segment,
        epoch,
        chunk: chunks,
        firstSample: samples,
        samples: pcm.length,
        prefixDigest,
        timing: { elapsedMs, firstChunkMs, queueMs: tenths(queueSeconds * 1000) },
      },
      bytes,
    );
    observer.chunk('sent');
    chunks += 1;
    samples += pcm.length;
  }

  try {
    let facts: SegmentFacts | undefined;
    for await (const piece of engine.speak(speakRequestOf(job), signal)) {
      signal.throwIfAborted();
      if (piece.type === 'end') facts = piece.facts;
      else for (const pcm of chunker.push(amplified(piece.pcm, job.gain))) await publish(pcm);
    }
    // The engine is free; the log and the store answer while it speaks the next sentence.
    freeSlot();
    for (const pcm of chunker.finish()) await publish(pcm);
    if (facts?.samples !== samples)
      throw new RhapsodeError('engine_output_invalid', {
        message: `the engine gave ${samples} samples and announced ${facts?.samples ?? 'no end'}`,
      });
    await publisher.drain();
    await log.append(
      utterance,
      {
        kind: 'segment-end',
        segment,
        epoch,
        chunks,
        samples,
        pauseSamples: job.pauseSamples,
        digest: digest.digest('hex'),
        marksFrom: facts.marksFrom,
        marks: [...facts.marks],
        synthesisMs: performance.now() - startedAt,
        queueMs: queueSeconds * 1000,
        ...(worker === undefined ? {} : { worker }),
      },
      noPcm,
      signal,
    );
    return samples;
  } finally {
    stop.abort();
  }
}

async function publishFailure({ job, attempt }: Delivery, { log, store }: SynthesizeDeps, error: unknown) {
  const { code, message } =
    error instanceof RhapsodeError ? error : new RhapsodeError('synthesis_failed', { cause: error });
  const { utterance, segment } = job;
  const epoch = epochOf(job.generation, attempt);
  await log.append(utterance, { kind: 'segment-failed', segment, epoch, code, reason: message }, noPcm);
  await store.finished(utterance, segment, job.generation, { failed: code });
}

/** What is asked for, or what the engine gives within limits. */
function chunkSizes({ sampleRateHz, settings }: SentenceJob) {
  const asked = settings?.chunk_seconds;
  if (asked === undefined) return { minSamples: Math.ceil(sampleRateHz / 10), maxSamples: sampleRateHz };
  const samples = Math.round(asked * sampleRateHz);
  return { minSamples: samples, maxSamples: samples };
}

const tenths = (ms: number): number => Math.round(ms * 10) / 10;

const isCancellation = (reason: unknown) => reason instanceof RhapsodeError && reason.code === 'cancelled';

const speakRequestOf = (job: SentenceJob) => ({
  voice: job.voice,
  text: job.text,
  segment: job.place ?? job.segment,
  seed: job.seed,
  speed: job.speed,
  speaker: job.speaker,
  settings: job.settings,
  class: job.class,
});

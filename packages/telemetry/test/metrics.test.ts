import { describe, expect, it } from 'vitest';
import { createMetrics, metricKeys, metricName, metricTable } from '../src/index.ts';

describe('metrics', () => {
  it('renders every metric of the table under its name and help', async () => {
    const { body, contentType } = await createMetrics().render();
    expect(contentType).toContain('text/plain');
    for (const key of metricKeys) {
      expect(body).toContain(`# HELP ${metricName(key)} ${metricTable[key].help}`);
      expect(body).toContain(`# TYPE ${metricName(key)} ${metricTable[key].type}`);
    }
  });

  it('gives every histogram its own rising buckets', () => {
    for (const key of metricKeys) {
      const facts = metricTable[key];
      if (facts.type !== 'histogram') continue;
      expect([...facts.buckets].sort((a, b) => a - b)).toEqual([...facts.buckets]);
      expect(new Set(facts.buckets).size).toBe(facts.buckets.length);
    }
  });

  it('counts what was added, with its labels', async () => {
    const metrics = createMetrics();
    metrics.sentencesTotal.add(2, { pool: 'cpu', voice: 'tone', outcome: 'completed' });
    metrics.streamsOpen.add(1);
    metrics.streamsOpen.add(-1);
    metrics.ready.set(1);
    metrics.realTimeFactor.observe(0.03, { pool: 'cpu', voice: 'tone' });
    const { body } = await metrics.render();
    expect(body).toContain('rhapsode_sentences_total{pool="cpu",voice="tone",outcome="completed"} 2');
    expect(body).toContain('rhapsode_streams_open 0');
    expect(body).toContain('rhapsode_ready 1');
    expect(body).toContain('rhapsode_real_time_factor_bucket{le="0.05",pool="cpu",voice="tone"} 1');
  });

  it('starts counters with a known set of labels at zero', async () => {
    const { body } = await createMetrics().render();
    expect(body).toContain('rhapsode_chunks_total{result="fenced"} 0');
    expect(body).toContain('rhapsode_rejected_total{reason="rate_limited"} 0');
  });

  it('bounds the values of an open label', async () => {
    const metrics = createMetrics();
    for (let i = 0; i < 1000; i++) metrics.audioSecondsTotal.add(1, { pool: `pool-${i}` });
    const { body } = await metrics.render();
    expect(body.match(/rhapsode_audio_seconds_total\{/g)!.length).toBe(201);
    expect(body).toContain('rhapsode_audio_seconds_total{pool="other"} 800');
  });

  it('counts a value that a closed label does not know as other', async () => {
    const metrics = createMetrics();
    metrics.chunksTotal.add(1, { result: 'mangled' as 'sent' });
    expect((await metrics.render()).body).toContain('rhapsode_chunks_total{result="other"} 1');
  });

  it('refreshes before it renders, and renders although a refresh failed', async () => {
    const metrics = createMetrics();
    metrics.beforeRender(() => Promise.reject(new Error('no store')));
    metrics.beforeRender(async () => metrics.oldestWaitSeconds.set(7, { pool: 'cpu' }));
    expect((await metrics.render()).body).toContain('rhapsode_oldest_wait_seconds{pool="cpu"} 7');
  });
});

import { RhapsodeError } from '@rhapsode/contracts';
import { describe, expect, it, vi } from 'vitest';
import { createHealth, createInferenceCheck, createLifecycle } from '../src/index.ts';
import { createTestLog } from './lines.ts';

const createReady = () => {
  const lifecycle = createLifecycle({ log: createTestLog().log, graceMs: 100 });
  lifecycle.ready();
  return lifecycle;
};
const down = () => Promise.reject(new RhapsodeError('log_unavailable'));

describe('health', () => {
  it('names the check that failed and why', async () => {
    const health = createHealth({
      lifecycle: createReady(),
      checks: { log: { run: down }, queue: { run: async () => 'connected' } },
    });
    expect(await health.ready()).toEqual({
      ok: false,
      state: 'ready',
      checks: {
        log: { ok: false, reason: 'The audio log is not reachable.' },
        queue: { ok: true, detail: 'connected' },
      },
    });
  });

  it('stays alive while a connection is down: a restart would not help', async () => {
    const health = createHealth({ lifecycle: createReady(), checks: { log: { run: down } } });
    expect(await health.live()).toEqual({ ok: true, state: 'ready', checks: {} });
  });

  it('is not alive when a live check fails', async () => {
    const health = createHealth({ lifecycle: createReady(), checks: { loop: { live: true, run: down } } });
    expect((await health.live()).ok).toBe(false);
  });

  it('is not ready before the start is over nor while it drains', async () => {
    const lifecycle = createLifecycle({ log: createTestLog().log, graceMs: 100 });
    const health = createHealth({ lifecycle, checks: {} });
    expect(await health.ready()).toMatchObject({ ok: false, state: 'starting' });
    lifecycle.ready();
    expect(await health.ready()).toMatchObject({ ok: true, state: 'ready' });
    await lifecycle.drain('test');
    expect(await health.ready()).toMatchObject({ ok: false, state: 'closed' });
    expect(await health.live()).toMatchObject({ ok: true });
  });

  it('does not wait for a check that hangs', async () => {
    const health = createHealth({
      lifecycle: createReady(),
      checks: { store: { run: () => new Promise(() => {}) } },
      timeoutMs: 20,
    });
    expect(await health.ready()).toMatchObject({
      checks: { store: { ok: false, reason: 'No answer within 20 ms.' } },
    });
  });

  it('does not say what an unexpected error says', async () => {
    const health = createHealth({
      lifecycle: createReady(),
      checks: { store: { run: () => Promise.reject(new Error('password of /etc/x')) } },
    });
    expect(JSON.stringify(await health.ready())).not.toContain('password');
  });

  it('runs a check once for many probes at the same time', async () => {
    const run = vi.fn(async () => undefined);
    const health = createHealth({ lifecycle: createReady(), checks: { store: { run } } });
    await Promise.all([health.ready(), health.ready(), health.ready()]);
    expect(run).toHaveBeenCalledTimes(1);
  });
});

describe('inference check', () => {
  it('speaks a probe when nothing has been spoken yet, and never again after a success', async () => {
    const probe = vi.fn(async () => {});
    const check = createInferenceCheck(probe);
    await check.run();
    expect(await check.run()).toContain('the last inference was 0 s ago');
    expect(probe).toHaveBeenCalledTimes(1);
  });

  it('needs no probe when a real sentence was spoken', async () => {
    const probe = vi.fn(async () => {});
    const check = createInferenceCheck(probe);
    check.succeeded();
    await check.run();
    expect(probe).not.toHaveBeenCalled();
  });

  it('fails while the probe fails after a failure, and recovers with it', async () => {
    let well = false;
    const check = createInferenceCheck(async () => {
      if (!well) throw new RhapsodeError('engine_crashed');
    });
    check.succeeded();
    check.failed(new RhapsodeError('engine_crashed'));
    await expect(check.run()).rejects.toMatchObject({ code: 'engine_crashed' });
    well = true;
    expect(await check.run()).toContain('the last inference');
  });
});

import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startNats } from '../support/nats.ts';
import { freePort } from '../support/ports.ts';
import { type RunningProcess, startProcess } from '../support/process.ts';
import { startRedis } from '../support/redis.ts';
import { until } from '../support/wait.ts';

const services = ['gateway', 'worker', 'collector'] as const;
const nowhere = 'redis://127.0.0.1:1';

function launch(service: (typeof services)[number], env: Record<string, string>): RunningProcess {
  const main = fileURLToPath(new URL(`../../services/${service}/src/main.ts`, import.meta.url));
  const running = startProcess(process.execPath, [main], {
    env: {
      RHAPSODE_HOST: '127.0.0.1',
      RHAPSODE_REDIS_URL: nowhere,
      RHAPSODE_NATS_URL: 'nats://127.0.0.1:1',
      RHAPSODE_LOG_LEVEL: 'fatal',
      RHAPSODE_TEST_VOICES: 'true',
      RHAPSODE_DEFAULT_VOICE: 'tone',
      ...env,
    },
  });
  onTestFinished(() => running.kill());
  return running;
}

interface Report {
  readonly ok: boolean;
  readonly checks: Record<string, { ok: boolean; reason?: string }>;
}

async function report(port: number, path: string): Promise<Report | undefined> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
  return response && ((await response.json()) as Report);
}

async function speech(port: number) {
  const beganAt = performance.now();
  const response = await fetch(`http://127.0.0.1:${port}/v1/audio/speech`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'tts-1', voice: 'tone', input: 'Hello.', response_format: 'pcm' }),
  });
  const code = response.ok ? undefined : ((await response.json()) as { error: { code: string } }).error.code;
  return { status: response.status, code, ms: performance.now() - beganAt };
}

describe.each(services)('%s', (service) => {
  it('ends with one clear sentence when its port is in use', { timeout: 120_000 }, async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void holder.close());
    await until(() => holder.address(), { what: 'the port' });
    const { port } = holder.address() as { port: number };
    const running = launch(service, { RHAPSODE_PORT: String(port) });
    expect(await running.exited).toBe(1);
    expect(running.output().trim()).toBe(
      `${service}: Port ${port} of 127.0.0.1 is in use; stop the other program or set RHAPSODE_PORT. (port_in_use)`,
    );
  });

  it('ends with a list of all that is wrong in its configuration', { timeout: 120_000 }, async () => {
    const running = launch(service, {
      RHAPSODE_PORT: 'eighty',
      RHAPSODE_REDIS_URL: 'localhost',
      RHAPSODE_LOG_LEVEL: 'loud',
    });
    expect(await running.exited).toBe(1);
    for (const name of ['RHAPSODE_PORT', 'RHAPSODE_REDIS_URL', 'RHAPSODE_LOG_LEVEL'])
      expect(running.output()).toContain(`${name}: `);
  });

  it('tells of names that are no setting, and of no others, and starts', { timeout: 120_000 }, async () => {
    const running = launch(service, {
      RHAPSODE_PORT: '0',
      RHAPSODE_LOG_LEVEL: 'warn',
      RHAPSODE_SLOTS: '1',
      RHAPSODE_TENANT: 'default',
      RHAPSODE_GATEWAY_SERVICE_HOST: '10.0.0.1',
      RHAPSODE_GATEWAY_SERVICE_PORT: '8080',
      RHAPSODE_MODEL_DIR: '/models',
    });
    const told = 'RHAPSODE_MODEL_DIR is no setting and has no effect; did you mean RHAPSODE_MODELS_DIR?';
    await until(() => running.output().includes(told), { what: 'the warning', timeoutMs: 30_000 });
    expect(running.output()).not.toMatch(/RHAPSODE_(SLOTS|TENANT|GATEWAY)/);
  });

  it('is alive but not ready without Redis and NATS, and drains nevertheless', {
    timeout: 120_000,
  }, async () => {
    const port = await freePort();
    const running = launch(service, { RHAPSODE_PORT: String(port), RHAPSODE_DRAIN_SECONDS: '2' });
    const ready = await until(() => report(port, '/readyz'), { what: 'an answer', timeoutMs: 30_000 });
    expect(ready.ok).toBe(false);
    expect(ready.checks.store).toMatchObject({ ok: false });
    expect(ready.checks.log).toMatchObject({ ok: false });
    expect(await report(port, '/healthz')).toMatchObject({ ok: true });
    await running.stop(15_000);
    expect(typeof (await running.exited)).toBe('number');
  });
});

describe('the gateway', () => {
  it('refuses within two seconds while Redis or NATS is away, and serves when they have come', {
    timeout: 120_000,
  }, async () => {
    const [redisPort, natsPort, port, collectorPort, workerPort] = await Promise.all(
      Array.from({ length: 5 }, freePort),
    );
    const env = {
      RHAPSODE_REDIS_URL: `redis://127.0.0.1:${redisPort}`,
      RHAPSODE_NATS_URL: `nats://127.0.0.1:${natsPort}`,
      RHAPSODE_COLLECTOR_URL: `http://127.0.0.1:${collectorPort}`,
    };
    launch('gateway', { ...env, RHAPSODE_PORT: String(port) });
    launch('collector', { ...env, RHAPSODE_PORT: String(collectorPort) });
    launch('worker', { ...env, RHAPSODE_PORT: String(workerPort), RHAPSODE_SLOTS: '1' });
    await until(() => report(port!, '/healthz'), { what: 'the gateway', timeoutMs: 30_000 });

    const nothing = await speech(port!);
    expect(nothing).toMatchObject({ status: 503, code: 'store_unavailable' });
    expect(nothing.ms).toBeLessThan(10_000);

    const redis = await startRedis({ port: redisPort! });
    onTestFinished(() => redis.stop());
    // The worker has to tell its voices first.
    const halfway = await until(
      async () => {
        const answer = await speech(port!);
        return answer.code === 'log_unavailable' && answer;
      },
      { what: 'the gateway to miss the log', timeoutMs: 30_000 },
    );
    expect(halfway.ms).toBeLessThan(10_000);

    const nats = await startNats({ port: natsPort! });
    onTestFinished(() => nats.stop());
    await until(async () => (await speech(port!)).status === 200, {
      what: 'speech',
      timeoutMs: 60_000,
      everyMs: 200,
    });
  });
});

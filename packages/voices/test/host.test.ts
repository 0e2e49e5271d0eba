import { afterEach, expect, it, vi } from 'vitest';
import { collect, engineConformance } from '../src/conformance.ts';
import { createEngineHost, type EngineHost, type EngineHostOptions } from '../src/host.ts';
import type { SpeakRequest } from '../src/port.ts';
import { toneRateHz, toneSamples } from '../src/tone.ts';

const catalogue = { testVoices: true };
const request: SpeakRequest = {
  voice: 'tone',
  text: 'The quick brown fox jumps over the lazy dog, twice.',
  segment: 3,
  seed: 7,
  speed: 1,
  class: 'interactive',
};
const speaking = (text: string): SpeakRequest => ({ ...request, text });

engineConformance('the host with the tone', async () => ({
  engine: createEngineHost({ children: 2, catalogue }),
  request,
  sampleRateHz: toneRateHz,
  deterministic: true,
}));

const hosts: EngineHost[] = [];
function host(options: Partial<EngineHostOptions> = {}): EngineHost {
  const created = createEngineHost({ children: 1, catalogue, ...options });
  hosts.push(created);
  return created;
}
const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
afterEach(async () => {
  for (const one of hosts.splice(0)) {
    const pids = one.pids();
    await one.close();
    await vi.waitFor(() => expect(pids.filter(alive)).toEqual([]));
  }
});

it('keeps this thread free while a child is blocked, and says engine_timeout when it stays so', async () => {
  const restarts: string[] = [];
  const engine = host({
    supervision: { progressTimeoutMs: 400, checkEveryMs: 50 },
    onRestart: ({ reason }) => restarts.push(reason),
  });
  await engine.ready();
  const [pid] = engine.pids();
  let turns = 0;
  const ticking = setInterval(() => turns++, 10);
  await expect(collect(engine, speaking('Here it stops. {{tone:hang@5000}}'))).rejects.toMatchObject({
    code: 'engine_timeout',
  });
  clearInterval(ticking);
  expect(turns).toBeGreaterThan(10);
  expect(restarts).toEqual(['timeout']);
  const { pcm } = await collect(engine, request);
  expect(pcm).toEqual(toneSamples(7, 3, 0, pcm.length));
  expect(engine.pids()).not.toEqual([pid]);
});

it('says engine_crashed to the sentences of a child that was killed, and starts another child', async () => {
  const engine = host();
  await engine.ready();
  const heard = collect(engine, speaking('This is cut short. {{tone:slow=5}}'));
  await vi.waitFor(() => expect(engine.busy).toBe(1));
  process.kill(engine.pids()[0]!, 'SIGKILL');
  await expect(heard).rejects.toMatchObject({ code: 'engine_crashed' });
  const { pcm } = await collect(engine, request);
  expect(pcm.length).toBeGreaterThan(0);
  expect(engine.stats().restarts).toBe(1);
});

it('runs a sentence that crashes its first process to the end in the next', async () => {
  const engine = host();
  const text = 'It crashes once. {{tone:crash=1@3000}}';
  await expect(collect(engine, speaking(text))).rejects.toMatchObject({ code: 'engine_crashed' });
  const { pcm } = await collect(engine, speaking(text));
  expect(pcm).toEqual(toneSamples(7, 3, 0, pcm.length));
});

it('goes on with the other child while one is down', async () => {
  const engine = host({ children: 2 });
  await engine.ready();
  const results = await Promise.allSettled([
    collect(engine, speaking('Down. {{tone:crash}}')),
    ...Array.from({ length: 20 }, (_, segment) => collect(engine, { ...request, segment })),
  ]);
  expect(results.map((result) => result.status)).toEqual(['rejected', ...Array(20).fill('fulfilled')]);
});

it('takes a failure that is not a crash without a restart', async () => {
  const engine = host();
  await expect(collect(engine, speaking('No. {{tone:fail@900}}'))).rejects.toMatchObject({
    code: 'synthesis_failed',
  });
  await expect(collect(engine, speaking('No. {{tone:nan}}'))).rejects.toMatchObject({
    code: 'engine_output_invalid',
  });
  expect(engine.stats().restarts).toBe(0);
});

it('stops a child from working ahead of a slow consumer, and does not call that a hang', async () => {
  const engine = host({ piecesAhead: 2, supervision: { progressTimeoutMs: 100, checkEveryMs: 20 } });
  await engine.ready();
  const pieces = engine.speak(request, new AbortController().signal)[Symbol.asyncIterator]();
  await pieces.next();
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(engine.stats().restarts).toBe(0);
  let total = 0;
  for (;;) {
    const { value, done } = await pieces.next();
    if (done) break;
    if (value.type === 'end') total = value.facts.samples;
  }
  expect(total).toBeGreaterThan(0);
});

it('ends an aborted sentence at once, and kills the child if it does not stop in time', async () => {
  const engine = host({ supervision: { abortTimeoutMs: 200, checkEveryMs: 50 } });
  await engine.ready();
  const controller = new AbortController();
  const heard = collect(engine, speaking('Stuck. {{tone:hang}}'), controller.signal);
  await vi.waitFor(() => expect(engine.busy).toBe(1));
  // Until the child's thread is blocked, which nothing tells.
  await new Promise((resolve) => setTimeout(resolve, 200));
  const reason = new Error('enough');
  controller.abort(reason);
  await expect(heard).rejects.toBe(reason);
  await vi.waitFor(() => expect(engine.stats().restarts).toBe(1), { timeout: 5_000 });
  expect((await collect(engine, request)).pcm.length).toBeGreaterThan(0);
});

it('gives room to interactive sentences before bulk ones that wait longer', async () => {
  const engine = host();
  await engine.ready();
  const order: string[] = [];
  const first = collect(engine, speaking('First of all. {{tone:slow=0.2}}'));
  const bulk = [1, 2].map((segment) =>
    collect(engine, { ...request, segment, class: 'bulk' }).then(() => order.push('bulk')),
  );
  const listener = collect(engine, request).then(() => order.push('listener'));
  expect(engine.waiting).toBe(3);
  await Promise.all([first, ...bulk, listener]);
  expect(order).toEqual(['listener', 'bulk', 'bulk']);
});

it('replaces a child that holds too much memory, between sentences', async () => {
  const restarts: string[] = [];
  const engine = host({
    supervision: { replaceAboveBytes: 1 },
    onRestart: ({ reason }) => restarts.push(reason),
  });
  for (let i = 0; i < 2; i++) {
    const { pcm } = await collect(engine, request);
    expect(pcm).toEqual(toneSamples(7, 3, 0, pcm.length));
  }
  await vi.waitFor(() => expect(restarts).toEqual(['memory', 'memory']));
});

it('kills a child above the hard limit in the middle of a sentence', async () => {
  const engine = host({ supervision: { killAboveBytes: 400 * 2 ** 20, checkEveryMs: 50 } });
  await expect(collect(engine, speaking('Big. {{tone:slow=60}} {{tone:hog=500}}'))).rejects.toMatchObject({
    code: 'engine_crashed',
    message: expect.stringContaining('memory'),
  });
  expect((await collect(engine, request)).facts.samples).toBeGreaterThan(0);
});

it('fails what waits when no child can start', async () => {
  const engine = host({ supervision: { killAboveBytes: 1, checkEveryMs: 10, restartMinMs: 1 } });
  await expect(collect(engine, request)).rejects.toMatchObject({ code: 'engine_crashed' });
});

it('hands down nothing of its environment', async () => {
  const { readFile } = await import('node:fs/promises');
  vi.stubEnv('SECRET_FOR_TEST', 'do not tell');
  const engine = host();
  await engine.ready();
  vi.unstubAllEnvs();
  if (process.platform !== 'linux') return;
  const environment = await readFile(`/proc/${engine.pids()[0]}/environ`, 'utf8');
  expect(environment.split('\0').map((entry) => entry.split('=')[0])).toEqual(
    expect.not.arrayContaining(['SECRET_FOR_TEST', 'HOME']),
  );
});

it('refuses to speak once closed, ends what is running, and leaves no process', async () => {
  const engine = host({ children: 2 });
  await engine.ready();
  const pids = engine.pids();
  const running = collect(engine, speaking('Long. {{tone:slow=5}}'));
  running.catch(() => {});
  await vi.waitFor(() => expect(engine.busy).toBe(1));
  await engine.close();
  await expect(running).rejects.toMatchObject({ code: 'draining' });
  await expect(collect(engine, request)).rejects.toMatchObject({ code: 'draining' });
  expect(pids.filter(alive)).toEqual([]);
});

it('takes its children along when it is killed, even a blocked one', async () => {
  const { fork } = await import('node:child_process');
  const parent = fork(new URL('./fixtures/host-process.ts', import.meta.url), { execArgv: [] });
  const pids = await new Promise<number[]>((resolve) => parent.once('message', resolve as () => void));
  expect(pids.filter(alive).length).toBe(2);
  parent.kill('SIGKILL');
  await vi.waitFor(() => expect(pids.filter(alive)).toEqual([]), { timeout: 10_000, interval: 100 });
});

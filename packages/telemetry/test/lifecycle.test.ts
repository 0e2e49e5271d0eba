import { EventEmitter } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { createLifecycle } from '../src/index.ts';
import { createTestLog } from './lines.ts';

function setup(graceMs = 1000, lastWordsMs = 60_000) {
  const { log, lines } = createTestLog();
  return { lifecycle: createLifecycle({ log, graceMs, lastWordsMs }), lines };
}

/** A process that notes how it would have ended. */
function createHost() {
  const ended = Promise.withResolvers<number>();
  const host = Object.assign(new EventEmitter(), { exit: ended.resolve });
  return { host: host as unknown as NodeJS.Process, ended: ended.promise };
}

describe('lifecycle', () => {
  it('goes from starting to ready to draining to closed', async () => {
    const { lifecycle } = setup();
    const seen: string[] = [lifecycle.state];
    lifecycle.onClose('part', () => void seen.push(lifecycle.state));
    lifecycle.ready();
    seen.push(lifecycle.state);
    await lifecycle.drain('test');
    expect([...seen, lifecycle.state]).toEqual(['starting', 'ready', 'draining', 'closed']);
  });

  it('closes what was registered last first, and one after the other', async () => {
    const { lifecycle } = setup();
    const order: string[] = [];
    for (const name of ['connection', 'server'])
      lifecycle.onClose(name, async () => {
        order.push(`${name} begins`);
        await new Promise(setImmediate);
        order.push(`${name} ends`);
      });
    await lifecycle.drain('test');
    expect(order).toEqual(['server begins', 'server ends', 'connection begins', 'connection ends']);
  });

  it('drains once, whoever asks how often', async () => {
    const { lifecycle } = setup();
    const close = vi.fn();
    lifecycle.onClose('part', close);
    await Promise.all([lifecycle.drain('a'), lifecycle.drain('b')]);
    expect(close).toHaveBeenCalledTimes(1);
  });

  it('does not become ready after it began to drain', async () => {
    const { lifecycle } = setup();
    const drained = lifecycle.drain('test');
    lifecycle.ready();
    expect(lifecycle.state).toBe('draining');
    await drained;
  });

  it('tells a closer when its grace is over', async () => {
    const { lifecycle } = setup(20);
    let reason: unknown;
    lifecycle.onClose('slow', async ({ signal }) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      reason = signal.reason;
    });
    await lifecycle.drain('test');
    expect(String(reason)).toContain('grace');
  });

  it('closes at once what is registered when all is closed already', async () => {
    const { lifecycle } = setup();
    await lifecycle.drain('test');
    const close = vi.fn();
    lifecycle.onClose('late', close);
    expect(close).toHaveBeenCalledTimes(1);
  });

  it('ends with code 0 after SIGTERM, and with 1 if a part could not be closed', async () => {
    for (const [failing, code] of [
      [false, 0],
      [true, 1],
    ] as const) {
      const { lifecycle } = setup();
      const { host, ended } = createHost();
      lifecycle.install(host);
      const rest = vi.fn();
      lifecycle.onClose('rest', rest);
      lifecycle.onClose('part', () => {
        if (failing) throw new Error('stuck');
      });
      host.emit('SIGTERM', 'SIGTERM');
      expect(await ended).toBe(code);
      expect(rest).toHaveBeenCalledTimes(1);
    }
  });

  it('leaves behind a part that does not end when its grace is over, closes the rest, and ends with code 1', async () => {
    const { lifecycle, lines } = setup(20, 20);
    const { host, ended } = createHost();
    lifecycle.install(host);
    const rest = vi.fn();
    lifecycle.onClose('rest', rest);
    lifecycle.onClose('stuck', () => new Promise(() => {}));
    host.emit('SIGTERM', 'SIGTERM');
    expect(await ended).toBe(1);
    expect(rest).toHaveBeenCalledTimes(1);
    expect(lines).toContainEqual(expect.objectContaining({ level: 'error', part: 'stuck' }));
  });

  it('is forced by a second signal while it still closes', async () => {
    const { lifecycle } = setup(60_000);
    const { host, ended } = createHost();
    lifecycle.install(host);
    lifecycle.onClose('stuck', () => new Promise(() => {}));
    host.emit('SIGTERM', 'SIGTERM');
    host.emit('SIGTERM', 'SIGTERM');
    expect(await ended).toBe(1);
  });

  it('logs an error that nobody caught and ends with code 1', async () => {
    const { lifecycle, lines } = setup();
    const { host, ended } = createHost();
    lifecycle.install(host);
    host.emit('uncaughtException', new Error('surprise'));
    expect(await ended).toBe(1);
    expect(lines.at(-1)).toMatchObject({ level: 'fatal', error: { message: 'surprise' } });
  });
});

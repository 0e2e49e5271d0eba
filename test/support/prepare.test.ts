import { expect, test, vi } from 'vitest';
import type { TestConfig } from './config.ts';
import { findExecutable } from './executables.ts';
import { prepare } from './prepare.ts';

const config: TestConfig = {
  path: [],
  executables: {},
  mayInstall: false,
  soak: { minutes: 0, seed: 0 },
};

test('says in one sentence what to install when a server is missing and may not be installed', () => {
  const nowhere = { ...config, executables: { 'redis-server': '/nowhere/redis-server' } };
  expect(() => prepare(nowhere)).toThrow(
    /^The tests need redis-server.*: install .*apt-get install redis-server/,
  );
});

test('finds servers where an ordinary PATH does not look', () => {
  expect(findExecutable('redis-server', config)).toMatch(/^\/.*redis-server$/);
});

test('prints one line for each program', () => {
  const print = vi.spyOn(console, 'log').mockImplementation(() => {});
  prepare({ ...config, path: ['/usr/sbin'] });
  const lines = print.mock.calls.map(([line]) => line);
  print.mockRestore();
  expect(lines).toEqual([
    expect.stringMatching(/^redis-server \d+\.\d+\.\d+ at \//),
    expect.stringMatching(/^nats-server \d+\.\d+\.\d+ at \//),
    expect.stringMatching(/^chromium \d+\.\d+\.\d+ at \//),
    expect.stringMatching(/^ffmpeg \S.* at \//),
    expect.stringMatching(/^ffprobe \S.* at \//),
  ]);
});

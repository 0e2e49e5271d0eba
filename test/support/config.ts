import type { Executable } from './executables.ts';

/** What the tests read from the environment. No other file of theirs does. */
export interface TestConfig {
  /** Directories to look in for programs. */
  readonly path: readonly string[];
  /** Programs at a given place instead: RHAPSODE_TEST_REDIS_SERVER, RHAPSODE_TEST_NATS_SERVER, … */
  readonly executables: { readonly [K in Executable]?: string | undefined };
  /** RHAPSODE_TEST_INSTALL=no: never call the system's package manager. */
  readonly mayInstall: boolean;
  /** RHAPSODE_TEST_SOAK_MINUTES, RHAPSODE_TEST_SOAK_SEED: how long, and which faults; a seed of its own if not given. */
  readonly soak: { readonly minutes: number; readonly seed: number };
}

export function testConfig(env: NodeJS.ProcessEnv = process.env): TestConfig {
  return {
    path: (env.PATH ?? '').split(':').filter((directory) => directory !== ''),
    executables: {
      'redis-server': env.RHAPSODE_TEST_REDIS_SERVER,
      'nats-server': env.RHAPSODE_TEST_NATS_SERVER,
      chromium: env.RHAPSODE_TEST_CHROMIUM,
      ffmpeg: env.RHAPSODE_TEST_FFMPEG,
      ffprobe: env.RHAPSODE_TEST_FFPROBE,
    },
    mayInstall: env.RHAPSODE_TEST_INSTALL !== 'no',
    soak: {
      minutes: Number(env.RHAPSODE_TEST_SOAK_MINUTES ?? 3),
      seed: Number(env.RHAPSODE_TEST_SOAK_SEED ?? Math.floor(Math.random() * 2 ** 32)),
    },
  };
}

/** The tests' own environment for a program that they start, with `extra` over it, without what only tests read. */
export const childEnvironment = (extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^RHAPSODE_TEST_(?!VOICES$)/.test(name)),
  ),
  ...extra,
});

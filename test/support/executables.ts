import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestConfig, testConfig } from './config.ts';

/** Programs that the tests run: two servers, a browser, and an independent decoder of audio. */
export const executables = ['redis-server', 'nats-server', 'chromium', 'ffmpeg', 'ffprobe'] as const;
export type Executable = (typeof executables)[number];

/** Debian's packages have the names of the programs, but for those that come with another one. */
export const packageOf = (name: Executable): string => (name === 'ffprobe' ? 'ffmpeg' : name);
const packagesOf = (names: readonly Executable[]) => [...new Set(names.map(packageOf))];

/** Debian puts servers where an ordinary user's PATH does not look; Homebrew's places are for macOS. */
const alsoIn = ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin', '/opt/homebrew/bin'];

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Absolute path, or undefined where the machine does not have it. */
export function findExecutable(name: Executable, config: TestConfig = testConfig()): string | undefined {
  const given = config.executables[name];
  if (given !== undefined) return isExecutable(given) ? given : undefined;
  return [...config.path, ...alsoIn].map((directory) => join(directory, name)).find(isExecutable);
}

export function needExecutable(name: Executable): string {
  const found = findExecutable(name);
  if (found === undefined) throw new Error(missing([name]));
  return found;
}

export const missing = (names: readonly Executable[]): string =>
  `The tests need ${names.join(' and ')}: install ${names.length > 1 ? 'them' : 'it'} ` +
  `(Debian and Ubuntu: apt-get install ${packagesOf(names).join(' ')}; macOS: brew install ` +
  `${packagesOf(names)
    .map((name) => (name === 'redis-server' ? 'redis' : name))
    .join(' ')}) or set ` +
  `${names.map((name) => `RHAPSODE_TEST_${name.toUpperCase().replace('-', '_')}`).join(' and ')} to the program's path.`;

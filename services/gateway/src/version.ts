import { readFileSync } from 'node:fs';

/** What clients are told that ask for a version. */
export const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

/** Writes voices.json: what the program speaks, for those who list voices without starting it. */
const asked = ['hello', 'voices'].map((op, id) => JSON.stringify({ id, op })).join('\n');
const program = new URL('./src/main.ts', import.meta.url).pathname;
const { stdout } = spawnSync(process.execPath, [program], { input: asked, maxBuffer: 10 * 2 ** 20 });
const [hello, { voices }] = stdout
  .toString('utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));
const seen = new Set<string>();
const listed = (voices as { id: string; name: string }[])
  .filter(({ id }) => !seen.has(id) && seen.add(id))
  .map(({ id, name }) => ({ id, name }))
  .sort((a, b) => (a.id < b.id ? -1 : 1));
const listing = JSON.stringify({ version: hello.version, voices: listed }, undefined, 2);
writeFileSync(new URL('./voices.json', import.meta.url), `${listing}\n`);

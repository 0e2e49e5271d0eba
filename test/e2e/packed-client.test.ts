import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** What `pnpm pack:client` packs, installed in a project of its own: sources in TypeScript can't be run from there. */

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const tsc = join(root, 'node_modules/.bin/tsc');
let project: string;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'rhapsode-packed-'));
  const modules = join(project, 'node_modules');
  for (const name of ['contracts', 'client']) {
    const from = join(root, 'packages', name);
    const to = join(modules, '@rhapsode', name);
    const manifest = JSON.parse(await readFile(join(from, 'package.json'), 'utf8'));
    const { publishConfig, files, scripts, ...rest } = manifest;
    expect(files).toEqual(['dist']);
    await mkdir(to, { recursive: true });
    for (const command of scripts.prepack.split(' && '))
      await run(tsc, command.split(' ').slice(1), { cwd: from });
    await cp(join(from, 'dist'), join(to, 'dist'), { recursive: true });
    await writeFile(join(to, 'package.json'), JSON.stringify({ ...rest, ...publishConfig }));
  }
  await symlink(join(root, 'packages/contracts/node_modules/zod'), join(modules, 'zod'));
  await writeFile(join(project, 'package.json'), '{"type": "module"}');
  await writeFile(
    join(project, 'page.ts'),
    `import { createClient, CancelledError, createWebAudioPlayer, StreamError } from '@rhapsode/client';
import { createTtsWrapperEngine } from '@rhapsode/client/adapters/js-tts-wrapper';
import { createLiveKitTts } from '@rhapsode/client/adapters/livekit';
const client = createClient({ url: 'http://localhost:8080', player: createWebAudioPlayer() });
const stream = client.createStream({ voice: 'default' });
stream.on('boundary', ({ seconds }) => seconds.toFixed(2));
// @ts-expect-error there is no such event
stream.on('nonsense', () => {});
stream.close();
Object.assign(globalThis, { made: [CancelledError, StreamError, createTtsWrapperEngine, createLiveKitTts] });
`,
  );
}, 300_000);
afterAll(() => rm(project, { recursive: true, force: true }));

test('the packed client runs in Node from node_modules', async () => {
  const script = `import { createClient } from '@rhapsode/client';
import { synthToFile } from '@rhapsode/client/node';
import '@rhapsode/client/adapters/livekit';
createClient({ url: 'http://localhost:8080' }).createStream().close();
console.log(typeof synthToFile);`;
  await writeFile(join(project, 'run.js'), script);
  expect((await run(process.execPath, ['run.js'], { cwd: project })).stdout).toBe('function\n');
});

test.each(['node16', 'bundler'])(
  'its types are found and right where modules are resolved as %s',
  async (resolution) => {
    const module = resolution === 'bundler' ? 'esnext' : 'node16';
    const options = `--ignoreConfig --noEmit --strict --target es2022 --lib es2023,esnext.disposable,dom --module ${module} --moduleResolution ${resolution}`;
    // What it prints is what is wrong.
    const wrong = await run(tsc, [...options.split(' '), 'page.ts'], { cwd: project }).then(
      ({ stdout }) => stdout,
      ({ stdout }) => stdout,
    );
    expect(wrong).toBe('');
  },
);

test('bundled for a browser it needs nothing of Node, and is small', async () => {
  const build = await rolldown({ input: 'page.ts', cwd: project, platform: 'browser', logLevel: 'silent' });
  const { output } = await build.generate({ format: 'esm', minify: true });
  await build.close();
  const { code, imports } = output[0];
  expect(imports).toEqual([]);
  expect(code).not.toMatch(/['"`]node:/);
  // 130 kB; with all that zod has it would be half a megabyte.
  expect(code.length).toBeLessThan(200_000);
});

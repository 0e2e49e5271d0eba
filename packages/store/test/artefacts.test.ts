import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { artefactConformance } from '../src/artefacts/conformance.ts';
import { createFsArtefacts } from '../src/artefacts/fs.ts';
import { createMemoryArtefacts } from '../src/artefacts/memory.ts';

const dirs: string[] = [];
async function newDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'rhapsode-artefacts-'));
  dirs.push(dir);
  return dir;
}
afterAll(() => Promise.all(dirs.map((dir) => rm(dir, { recursive: true, force: true }))));

artefactConformance('memory', () => createMemoryArtefacts());
artefactConformance('files', async () => createFsArtefacts({ dir: await newDir() }));

test('removes what a dead writer left, and nothing that is being written', async () => {
  const dir = await newDir();
  await createFsArtefacts({ dir }).put('x', Buffer.from('x'));
  const left = join(dir, '.writing', 'left');
  await writeFile(left, 'half');
  await utimes(left, 1, 1);
  await writeFile(join(dir, '.writing', 'fresh'), 'half');
  await createFsArtefacts({ dir }).put('y', Buffer.from('y'));
  expect(await readdir(join(dir, '.writing'))).toEqual(['fresh']);
});

test('says that it is not there when its folder can not be written, and not where that is', async () => {
  const dir = await newDir();
  await writeFile(join(dir, 'file'), '');
  const store = createFsArtefacts({ dir: join(dir, 'file', 'below') });
  const failed = expect.objectContaining({
    code: 'artefacts_unavailable',
    message: expect.not.stringContaining(dir),
  });
  await expect(store.put('x', Buffer.from('x'))).rejects.toEqual(failed);
  await expect(store.ping()).rejects.toEqual(failed);
});

test('goes on when the folder that it writes in was removed', async () => {
  const dir = await newDir();
  const store = createFsArtefacts({ dir });
  await store.put('x', Buffer.from('x'));
  await rm(join(dir, '.writing'), { recursive: true });
  await store.put('y', Buffer.from('y'));
  expect(await readFile(join(dir, 'y'), 'utf8')).toBe('y');
});

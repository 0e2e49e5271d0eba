import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BookView } from '@rhapsode/book';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EmbeddedServer, startEmbeddedServer } from '../support/embedded-server.ts';
import { readExamples } from '../support/examples.ts';
import { freePort } from '../support/ports.ts';
import { startProcess } from '../support/process.ts';
import { until } from '../support/wait.ts';

const main = fileURLToPath(new URL('../../services/cli/src/main.ts', import.meta.url));
const secret = 'a secret that only these two know';
const env = {
  RHAPSODE_TEST_VOICES: 'true',
  RHAPSODE_DEFAULT_VOICE: 'tone',
  RHAPSODE_SLOTS: '1',
  NODE_COMPILE_CACHE: join(tmpdir(), 'rhapsode-compile-cache'),
};
let folder: string;
let server: EmbeddedServer;
let receiverPort: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rhapsode-book-examples-'));
  receiverPort = await freePort();
  server = await startEmbeddedServer({
    ...env,
    RHAPSODE_DATA_DIR: join(folder, 'data'),
    RHAPSODE_GRPC_PORT: 'off',
    RHAPSODE_WEBHOOK_SECRET: secret,
    RHAPSODE_WEBHOOK_PRIVATE: 'true',
  });
});
afterAll(async () => {
  await server?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** What a block says, with the ports of this test and the command without what finds it. */
const here = (code: string) =>
  code
    .replaceAll('http://localhost:8080', server.url)
    .replaceAll('127.0.0.1:9000', `127.0.0.1:${receiverPort}`)
    .replaceAll('listen(9000', `listen(${receiverPort}`)
    .replaceAll('npx -y pnpm@12 rhapsode', `'${process.execPath}' '${main}'`);
const named = new Map(readExamples('books.md').map(({ name, code }) => [name, code]));
let prelude = '';

/** Runs blocks as if they were pasted into one shell. */
async function paste(...names: string[]): Promise<string> {
  const code = names.map((name) => here(named.get(name)!)).join('\n');
  const running = startProcess('sh', ['-e', '-c', `${prelude}\n${code}`], { cwd: folder, env });
  expect(await running.exited, running.output()).toBe(0);
  if (code.startsWith('books=')) prelude = code.split('\n')[0]!;
  return running.output();
}
const look = async (path: string) =>
  (await fetch(`${server.url}/v1/books/${path}`)).json() as Promise<BookView>;

test('what the page about books shows makes a book, changes one sentence of it, and finds all well', async () => {
  await paste('manuscript', 'make');
  const changed = await paste('change');
  expect(JSON.parse(changed.trim().split('\n').at(-1)!)).toMatchObject({
    ...{ chapters: 2, sentences: 6, sentencesSynthesized: 1, sentencesFailed: 0 },
  });
  expect(await paste('verify')).toMatch(/6 sentences, .*: all is well/);
});

test('what it shows of a server makes a book there, mends it twice and makes its next edition', async () => {
  expect(await paste('remote')).toContain('there/Ann Author/The Sea/The Sea.m4b');
  await paste('put');
  expect((await readFile(join(folder, 'sea.m4b'))).subarray(4, 8).toString()).toBe('ftyp');
  expect(await look('sea')).toMatchObject({
    state: 'succeeded',
    edition: 0,
    result: { sentences_synthesized: 0 },
  });
  await paste('edit');
  expect(await look('sea')).toMatchObject({
    state: 'succeeded',
    edition: 2,
    result: { sentences_synthesized: 1 },
  });
  await paste('edition');
  expect(await look('sea')).toMatchObject({
    state: 'succeeded',
    edition: 3,
    result: { sentences_synthesized: 1 },
  });
});

test('what it shows of webhooks hears of the end of a book, and of nobody else', async (context) => {
  await writeFile(join(folder, 'receiver.mjs'), here(named.get('receiver')!));
  const receiver = startProcess(process.execPath, ['receiver.mjs'], {
    cwd: folder,
    env: { WEBHOOK_SECRET: secret },
  });
  context.onTestFinished(() => receiver.stop());
  const url = `http://127.0.0.1:${receiverPort}/books`;
  const stranger = () =>
    fetch(url, { method: 'POST', body: '{"type":"book.succeeded","data":{"id":"forged"}}' });
  expect((await until(stranger, { what: 'the receiver' })).status).toBe(401);
  await paste('webhook');
  await until(() => receiver.output().includes('book.succeeded told\n'), { what: 'the webhook' });
  expect(receiver.output()).not.toContain('forged');
});

test('what it shows at last leaves nothing of the book, and no block of it was left out', async () => {
  await paste('delete');
  expect(await look('sea')).toMatchObject({ error: { code: 'book_not_found' } });
  expect([...named.keys()]).toEqual(
    ['manuscript', 'make', 'change', 'verify', 'remote', 'put', 'edit', 'edition'].concat([
      'receiver',
      'webhook',
      'delete',
    ]),
  );
});

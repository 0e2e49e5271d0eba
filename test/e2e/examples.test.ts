import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseWav } from '@rhapsode/audio';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPage } from '../support/browser.ts';
import { type EmbeddedServer, startEmbeddedServer } from '../support/embedded-server.ts';
import { type Ports, readExamples, withPorts } from '../support/examples.ts';
import { freePort } from '../support/ports.ts';
import { startProcess } from '../support/process.ts';
import { type Reference, speakEmbedded } from '../support/reference.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const examples = readExamples();
let server: EmbeddedServer;
let ports: Ports;
let folder: string;
let reference: Reference;

beforeAll(async () => {
  const [grpc, wyoming] = [await freePort(), await freePort()];
  await mkdir(join(root, 'out'), { recursive: true });
  // Within the repository, so that they find the packages they import.
  folder = await mkdtemp(join(root, 'out', 'examples-'));
  await copyFile(join(root, 'services/gateway/src/grpc/luna.proto'), join(folder, 'luna.proto'));
  server = await startEmbeddedServer({
    RHAPSODE_GRPC_PORT: String(grpc),
    RHAPSODE_WYOMING_PORT: String(wyoming),
    RHAPSODE_CORS_ORIGINS: '*',
  });
  ports = { http: Number(new URL(server.url).port), grpc, wyoming };
  reference = await speakEmbedded('Hello there.');
});
afterAll(async () => {
  await server?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

async function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  const running = startProcess(command, args, { cwd });
  const code = await running.exited;
  expect(code, running.output()).toBe(0);
}

async function succeeds(command: string, args: readonly string[]): Promise<boolean> {
  return (await startProcess(command, args).exited) === 0;
}

async function samplesIn(path: string): Promise<Int16Array> {
  const bytes = await readFile(path);
  if (path.endsWith('.wav')) return new Int16Array(parseWav(bytes).pcm);
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

test('the page has an example for every client', () => {
  expect(examples.map(({ name }) => name)).toEqual(
    ['curl', 'curl-resume', 'openai', 'openai-python', 'lmnt', 'grpcurl', 'grpc-js', 'wyoming'].concat([
      'client-file',
      'client-stream',
      'browser',
    ]),
  );
});

test.for(
  examples.filter(({ name, makes, language }) => makes && language !== 'python' && name !== 'browser'),
)('the example $name makes the audio it says', async (example) => {
  const cwd = await mkdtemp(join(folder, `${example.name}-`));
  await copyFile(join(folder, 'luna.proto'), join(cwd, 'luna.proto'));
  const code = withPorts(example, ports);
  if (example.language === 'sh') await run('sh', ['-e', '-c', code], cwd);
  else {
    await writeFile(join(cwd, 'example.mjs'), code);
    await run(process.execPath, ['example.mjs'], cwd);
  }
  expect(await samplesIn(join(cwd, example.makes!))).toEqual(reference.pcm);
});

test('the example of the browser is heard in one', async (context) => {
  const example = examples.find(({ name }) => name === 'browser')!;
  const entry = join(folder, 'browser.mjs');
  await writeFile(entry, withPorts(example, ports));
  const browser = await openPage({ entry });
  context.onTestFinished(() => browser.close());
  const said: string[] = [];
  browser.page.on('console', (message) => said.push(message.text()));
  const all = browser.page.waitForEvent('console', (message) => message.text() === 'all was heard');
  await browser.page.click('button');
  await all;
  expect(said.filter((line) => line.startsWith('heard'))).toEqual(['heard: Hello', 'heard: there.']);
});

test('the example in Python runs where its package is, and is Python everywhere', async (context) => {
  if (!(await succeeds('python3', ['--version']))) return context.skip('there is no python3');
  const example = examples.find(({ name }) => name === 'openai-python')!;
  const cwd = await mkdtemp(join(folder, 'python-'));
  await writeFile(join(cwd, 'example.py'), withPorts(example, ports));
  if (await succeeds('python3', ['-c', 'import openai'])) {
    await run('python3', ['example.py'], cwd);
    expect(await samplesIn(join(cwd, example.makes!))).toEqual(reference.pcm);
  } else await run('python3', ['-m', 'py_compile', 'example.py'], cwd);
});

test('the example of grpcurl names what there is, and runs where it is', async () => {
  const example = examples.find(({ name }) => name === 'grpcurl')!;
  const proto = await readFile(join(folder, 'luna.proto'), 'utf8');
  for (const [, method] of example.code.matchAll(/cobaltspeech\.luna\.Luna\/(\w+)/g))
    expect(proto).toMatch(new RegExp(`rpc ${method}\\b`));
  if (await succeeds('grpcurl', ['--version']))
    await run('sh', ['-e', '-c', withPorts(example, ports)], folder);
});

import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { writeKokoroFixture } from '../../../models/fixtures/kokoro.ts';
import { piperConfig } from '../../../models/fixtures/make.ts';
import { npy, storedZip } from '../../../models/fixtures/npz.ts';
import { tiny, vitsModel } from '../../../models/fixtures/vits.ts';
import { openCatalogue } from '../src/catalogue.ts';
import { collect } from '../src/conformance.ts';
import { createLocalEngine } from '../src/local-engine.ts';
import { addVoice, removeVoice, verifyVoices } from '../src/manage.ts';

const model = Buffer.from(vitsModel(tiny));
const config = Buffer.from(JSON.stringify(piperConfig('remote', tiny)));
const hub = '/rhasspy/piper-voices/resolve/main/en/en_US/remote/low';
const name = 'en_US-remote-low';
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

let server: Server;
let base = '';
let modelsDir = '';
/** A folder with a Kokoro model, served under its public name with one style for every speaker. */
let kokoro = '';
let requests: IncomingMessage[] = [];
/** Bytes of the model that each answer gives before the connection breaks. */
let cuts: number[] = [];
let etag = '"one"';

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push(request);
    const files: Record<string, Buffer> = {
      [`${hub}/${name}.onnx`]: model,
      [`${hub}/${name}.onnx.json`]: config,
      '/mine/voice.json': Buffer.from(
        JSON.stringify({
          engine: 'piper',
          licence: 'CC0-1.0',
          files: [
            { path: 'a.onnx', sha256: sha256(model), url: `${base}${hub}/${name}.onnx` },
            { path: 'a.onnx.json', sha256: sha256(config) },
          ],
        }),
      ),
      '/mine/a.onnx.json': config,
      '/wrong/voice.json': Buffer.from(
        JSON.stringify({ engine: 'piper', files: [{ path: 'a.onnx.json', sha256: '0'.repeat(64) }] }),
      ),
      '/wrong/a.onnx.json': config,
    };
    const published = '/onnx-community/Kokoro-82M-v1.0-ONNX/resolve/main/';
    if (kokoro !== '' && request.url!.startsWith(published)) {
      const path = request.url!.slice(published.length);
      const name = path.replace('onnx/', '').replace(/voices\/.*/, 'voices/bm_test.bin');
      files[request.url!] = readFileSync(join(kokoro, name));
    }
    const file = files[request.url!];
    if (file === undefined) {
      response.writeHead(404).end();
      return;
    }
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    const from = range !== null && request.headers['if-range'] === etag ? Number(range[1]) : 0;
    response.writeHead(from > 0 ? 206 : 200, { etag, 'content-length': file.length - from });
    const cut = file === model ? cuts.shift() : undefined;
    if (cut === undefined) response.end(file.subarray(from));
    else
      response.write(file.subarray(from, from + cut), () => {
        // What was written arrives first: a reset overtakes it otherwise.
        setTimeout(() => response.destroy(), 100);
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());
beforeEach(() => {
  modelsDir = mkdtempSync(join(tmpdir(), 'rhapsode-manage-test-'));
  requests = [];
  cuts = [];
  etag = '"one"';
});
afterEach(() => rmSync(modelsDir, { recursive: true, force: true }));

it('adds a voice by its public name from a mirror, checked and listed', async () => {
  const seen: number[] = [];
  const id = await addVoice({ modelsDir, source: name, hub: base, onProgress: (_, done) => seen.push(done) });
  expect(id).toBe(name);
  expect(Math.max(...seen)).toBe(model.length);
  expect(readdirSync(modelsDir).filter((one) => one !== '.cache')).toEqual([name]);
  expect(readdirSync(join(modelsDir, name)).sort()).toEqual([
    `${name}.onnx`,
    `${name}.onnx.json`,
    'voice.json',
  ]);
  const found = await openCatalogue({ modelsDir, espeak: false });
  expect([found.voices.map((voice) => voice.id), found.problems]).toEqual([[name], []]);
});

it('goes on where a connection broke, with the rest only', async () => {
  cuts = [10_000, 5_000];
  await addVoice({ modelsDir, source: name, hub: base });
  const ranges = requests.filter((one) => one.url!.endsWith('.onnx')).map((one) => one.headers.range);
  expect(ranges).toEqual([undefined, 'bytes=10000-', 'bytes=15000-']);
  expect(readFileSync(join(modelsDir, name, `${name}.onnx`)).equals(model)).toBe(true);
});

it('begins anew when the file has changed meanwhile', async () => {
  cuts = [10_000];
  const adding = addVoice({
    modelsDir,
    source: name,
    hub: base,
    onProgress: (file) => {
      if (file.endsWith('.onnx')) etag = '"two"';
    },
  });
  await adding;
  expect(readFileSync(join(modelsDir, name, `${name}.onnx`)).equals(model)).toBe(true);
});

it('gives up on a server that never delivers, keeps nothing that looks like a voice, and takes up later', async () => {
  cuts = [10_000, 0, 0, 0, 0, 0];
  await expect(addVoice({ modelsDir, source: name, hub: base })).rejects.toMatchObject({
    code: 'model_missing',
  });
  expect((await openCatalogue({ modelsDir, espeak: false })).voices).toEqual([]);
  requests = [];
  cuts = [];
  await addVoice({ modelsDir, source: name, hub: base });
  expect(requests.some((one) => one.headers.range === 'bytes=10000-')).toBe(true);
  expect((await verifyVoices(modelsDir)).map((one) => one.problem)).toEqual([undefined]);
});

it('takes a manifest with its own places and checksums', async () => {
  expect(await addVoice({ modelsDir, source: `${base}/mine/voice.json` })).toBe('mine');
  const { licence } = (await openCatalogue({ modelsDir, espeak: false })).get('mine');
  expect(licence).toBe('CC0-1.0');
});

it('refuses a wrong checksum, an unknown name, a machine without network', async () => {
  await expect(addVoice({ modelsDir, source: `${base}/wrong/voice.json` })).rejects.toMatchObject({
    code: 'model_checksum',
  });
  await expect(addVoice({ modelsDir, source: 'en_US-nobody-low', hub: base })).rejects.toMatchObject({
    code: 'voice_not_found',
  });
  await expect(addVoice({ modelsDir, source: 'nonsense', hub: base })).rejects.toMatchObject({
    code: 'voice_not_found',
  });
  await expect(addVoice({ modelsDir, source: name, hub: 'http://127.0.0.1:1' })).rejects.toMatchObject({
    code: 'model_missing',
    message: expect.stringContaining('online'),
  });
  expect(readdirSync(modelsDir).filter((one) => !one.startsWith('.'))).toEqual([]);
});

it('adds a Kokoro model by its public name, and from a folder whose styles are one archive', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rhapsode-manage-kokoro-'));
  writeKokoroFixture(folder, 'published', { tokens: 'input_ids', noise: false });
  kokoro = join(folder, 'published');
  expect(await addVoice({ modelsDir, source: 'kokoro-82m-v1.0', hub: base })).toBe('kokoro-82m-v1.0');

  const archived = join(folder, 'archived');
  mkdirSync(archived);
  for (const file of ['model.onnx', 'tokenizer.json']) copyFileSync(join(kokoro, file), join(archived, file));
  const style = readFileSync(join(kokoro, 'voices', 'bm_test.bin'));
  writeFileSync(
    join(archived, 'voices-v1.0.bin'),
    storedZip({ 'af_one.npy': npy(style, '(510, 1, 256)'), 'bm_two.npy': npy(style, '(510, 1, 256)') }),
  );
  expect(await addVoice({ modelsDir, source: archived })).toBe('archived');
  const { voices, problems } = await openCatalogue({ modelsDir, espeak: false });
  expect(problems).toEqual([]);
  expect(voices.map(({ id, speakers }) => [id, speakers.length])).toEqual([
    ['archived', 2],
    ['kokoro-82m-v1.0', 41],
  ]);
  const engine = createLocalEngine(await openCatalogue({ modelsDir, espeak: false }));
  const speak = (voice: string, speaker: string) =>
    collect(engine, { voice, speaker, text: 'Hello there.', segment: 0, seed: 1, speed: 1, class: 'bulk' });
  const [one, other] = [await speak('archived', 'bm_two'), await speak('kokoro-82m-v1.0', 'bm_lewis')];
  expect(one.pcm).toEqual(other.pcm);
  await engine.close();
  rmSync(folder, { recursive: true });
});

it('adds nothing that can’t be used', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rhapsode-manage-broken-'));
  writeFileSync(join(folder, 'odd.onnx'), model.subarray(0, 5000));
  writeFileSync(join(folder, 'odd.onnx.json'), config);
  await expect(addVoice({ modelsDir, source: join(folder, 'odd.onnx') })).rejects.toMatchObject({
    code: 'model_invalid',
  });
  expect(await openCatalogue({ modelsDir, espeak: false })).toMatchObject({ voices: [], problems: [] });
  rmSync(folder, { recursive: true });
});

it('says that the disk is full', async () => {
  if (!existsSync('/dev/full')) return;
  mkdirSync(join(modelsDir, `.incoming-${name}`));
  symlinkSync('/dev/full', join(modelsDir, `.incoming-${name}`, `${name}.onnx.part`));
  await expect(addVoice({ modelsDir, source: name, hub: base })).rejects.toMatchObject({
    message: 'the disk is full',
  });
});

it('adds files of this machine, refuses a second of the same name, and removes it', async () => {
  const elsewhere = mkdtempSync(join(tmpdir(), 'rhapsode-manage-source-'));
  writeFileSync(join(elsewhere, 'local.onnx'), model);
  await expect(addVoice({ modelsDir, source: join(elsewhere, 'local.onnx') })).rejects.toMatchObject({
    code: 'model_missing',
  });
  writeFileSync(join(elsewhere, 'local.onnx.json'), config);
  expect(await addVoice({ modelsDir, source: join(elsewhere, 'local.onnx') })).toBe('local');
  await expect(addVoice({ modelsDir, source: join(elsewhere, 'local.onnx') })).rejects.toMatchObject({
    code: 'invalid_request',
  });
  writeFileSync(join(modelsDir, 'local', 'local.onnx'), 'changed');
  expect((await verifyVoices(modelsDir)).map(({ id, problem }) => [id, problem?.code])).toEqual([
    ['local', 'model_checksum'],
  ]);
  await removeVoice(modelsDir, 'local');
  expect(await verifyVoices(modelsDir)).toEqual([]);
  await expect(removeVoice(modelsDir, 'local')).rejects.toMatchObject({ code: 'voice_not_found' });
  rmSync(elsewhere, { recursive: true, force: true });
});

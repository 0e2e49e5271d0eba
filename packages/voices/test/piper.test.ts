import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SpeechSettings } from '@rhapsode/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixtures, piperConfig, writeFixture } from '../../../models/fixtures/make.ts';
import { narrow, tiny, type VitsShape, vitsModel } from '../../../models/fixtures/vits.ts';
import { until } from '../../../test/support/wait.ts';
import { openCatalogue, pinned } from '../src/catalogue.ts';
import { collect, engineConformance } from '../src/conformance.ts';
import { createEngineHost } from '../src/host.ts';
import { createLocalEngine } from '../src/local-engine.ts';
import { readPiperGraph } from '../src/onnx/graph/split.ts';
import { bytesField, concat, numberField } from '../src/onnx/graph/wire.ts';
import { piperConfig as piperConfigSchema } from '../src/piper-config.ts';
import type { SpeakRequest } from '../src/port.ts';
import { prepareElsewhere } from '../src/prepare-elsewhere.ts';

const modelsDir = mkdtempSync(join(tmpdir(), 'rhapsode-voices-test-'));
const closing: { close(): Promise<void> }[] = [];

beforeAll(() => {
  for (const [name, shape] of Object.entries(fixtures)) writeFixture(modelsDir, name, shape);
  writeFixture(modelsDir, 'quiet', { ...tiny, noise: false });
  writeFixture(modelsDir, 'restless', { ...tiny, noise: 'uniform' });
}, 240_000);
afterAll(async () => {
  await Promise.all(closing.map((one) => one.close()));
  rmSync(modelsDir, { recursive: true, force: true });
});

const request: SpeakRequest = {
  voice: 'fixture-tiny',
  text: 'The quick brown fox, it is said, jumps over the lazy dog; and then it goes home.',
  segment: 0,
  seed: 7,
  speed: 1,
  class: 'interactive',
};
const catalogue = { modelsDir, espeak: false };
const engine = async () => {
  const created = createLocalEngine(await openCatalogue(catalogue));
  closing.push(created);
  return created;
};

engineConformance('a Piper voice in this process', async () => ({
  engine: await engine(),
  request,
  sampleRateHz: 22_050,
  deterministic: true,
}));

engineConformance('a Piper voice of several speakers behind the host', async () => ({
  engine: createEngineHost({ children: 1, catalogue, warm: ['fixture-speakers'] }),
  request: { ...request, voice: 'fixture-speakers', speaker: 'ben' },
  sampleRateHz: 22_050,
  deterministic: true,
}));

it('commits fixtures that the script makes again', () => {
  for (const [name, shape] of Object.entries(fixtures)) {
    const at = new URL(`../../../models/fixtures/${name}.onnx`, import.meta.url);
    expect(Buffer.from(vitsModel(shape)).equals(readFileSync(at))).toBe(true);
    expect(JSON.parse(readFileSync(`${at.pathname}.json`, 'utf8'))).toEqual(piperConfig(name, shape));
  }
});

it('gives the first audio before the sentence is done', async () => {
  const { pieces } = await collect(await engine(), request);
  expect(pieces.length).toBeGreaterThan(3);
  expect(pieces[0]).toBe(24 * 256);
});

it('varies as much as it is told, and begins with a chunk of the length that is asked for', async () => {
  const speaking = await engine();
  const usual = await collect(speaking, request);
  const told = async (settings: SpeechSettings) => collect(speaking, { ...request, settings });
  expect((await told({ noise_scale: 0.667, noise_w: 0.8 })).pcm).toEqual(usual.pcm);
  expect((await told({ noise_w: 0 })).pcm.length).not.toBe(usual.pcm.length);
  const flat = await told({ noise_scale: 0 });
  expect(flat.pcm).not.toEqual(usual.pcm);
  expect(flat.pcm.length).toBe(usual.pcm.length);
  const early = await told({ chunk_seconds: 0.1 });
  expect(early.pieces[0]).toBe(9 * 256);
  expect((await told({ chunk_seconds: 1 })).pieces[0]).toBe(22_050);
});

it('says how far each of its settings goes', async () => {
  const { capabilities } = (await openCatalogue(catalogue)).get('fixture-tiny');
  expect(capabilities.settings).toEqual({
    noise_scale: { min: 0, max: 2, default: 0.667 },
    noise_w: { min: 0, max: 2, default: 0.8 },
    sentence_silence_seconds: { min: 0, max: 10 },
    chunk_seconds: { min: 0.1, max: 1 },
  });
});

describe.each(['narrow', 'calliope'])('the voice %s', (voice) => {
  const asked = { ...request, voice };
  const dir = mkdtempSync(join(tmpdir(), 'rhapsode-threads-test-'));
  const own = { modelsDir: dir, espeak: false };
  beforeAll(() => {
    if (voice === 'narrow') writeFixture(dir, 'narrow', narrow);
    else cpSync(new URL(`../../../models/${voice}`, import.meta.url), join(dir, voice), { recursive: true });
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('gives the same samples in two processes, in whatever windows', async () => {
    const speaking = createLocalEngine(await openCatalogue(own));
    const host = createEngineHost({ children: 1, catalogue: own });
    closing.push(speaking, host);
    const { pcm } = await collect(speaking, asked);
    const changes: Partial<SpeakRequest>[] = [
      {},
      { class: 'bulk' },
      { settings: { chunk_seconds: 0.1 } },
      { settings: { chunk_seconds: 0.73 } },
    ];
    for (const change of changes) {
      const other = await collect(host, { ...asked, ...change });
      // Compared as bytes: a failure names the first that differs and does not print them all.
      expect(Buffer.compare(Buffer.from(other.pcm.buffer), Buffer.from(pcm.buffer))).toBe(0);
    }
  });

  it('repeats itself with one thread; with more it may not, and promises nothing', async () => {
    const sounds: Buffer[] = [];
    for (const threads of [1, 2, 4]) {
      const opened = await openCatalogue({ ...own, sessions: { threads } });
      const { deterministic, capabilities, note } = opened.get(voice);
      expect([deterministic, capabilities.streaming]).toEqual([threads === 1, threads === 1]);
      if (threads > 1) expect(note).toContain(`${threads} threads`);
      const speaking = createLocalEngine(opened);
      closing.push(speaking);
      for (let run = 0; run < 2; run++) sounds.push(Buffer.from((await collect(speaking, asked)).pcm.buffer));
    }
    expect(Buffer.compare(sounds[0]!, sounds[1]!)).toBe(0);
    // Same text, same durations or nearly so, whatever the number of threads.
    for (const sound of sounds) expect(sound.length / sounds[0]!.length).toBeCloseTo(1, 1);
  });
});

it('gives another sound for another seed', async () => {
  const speaking = await engine();
  const one = await collect(speaking, request);
  const other = await collect(speaking, { ...request, seed: 8 });
  expect(other.pcm).not.toEqual(one.pcm);
});

it('continues after a kill at the very sample: the next attempt repeats what was heard', async () => {
  const host = createEngineHost({ children: 1, catalogue, warm: ['fixture-tiny'] });
  closing.push(host);
  await host.ready();
  const heard: number[] = [];
  const long = { ...request, text: Array(8).fill(request.text).join(' ') };
  await expect(
    (async () => {
      for await (const piece of host.speak(long, new AbortController().signal)) {
        if (piece.type !== 'audio') continue;
        heard.push(...piece.pcm);
        for (const pid of host.pids()) process.kill(pid, 'SIGKILL');
      }
    })(),
  ).rejects.toMatchObject({ code: 'engine_crashed' });
  const { pcm } = await collect(host, long);
  expect(heard.length).toBeGreaterThan(0);
  expect(heard.length).toBeLessThan(pcm.length);
  expect(Int16Array.from(heard)).toEqual(pcm.subarray(0, heard.length));
});

it('marks words with the durations of the model', async () => {
  const { facts } = await collect(await engine(), request);
  expect(facts.marksFrom).toBe('model');
  expect(facts.marks.map((mark) => mark.text)).toEqual(request.text.match(/\w+/g));
  for (const [i, mark] of facts.marks.entries()) {
    expect(mark.samples).toBeGreaterThan(0);
    if (i > 0) {
      const before = facts.marks[i - 1]!;
      expect(mark.firstSample).toBeGreaterThanOrEqual(before.firstSample + before.samples);
    }
  }
});

it('lets a listener’s first window pass sentences that are already heard, and bulk wait for both', async () => {
  const speaking = await engine();
  const text = Array(6).fill(request.text).join(' ');
  await speaking.load('fixture-tiny');
  const order: string[] = [];
  const speak = async (name: string, change: Partial<SpeakRequest>) => {
    let first = true;
    for await (const piece of speaking.speak({ ...request, ...change }, new AbortController().signal)) {
      if (first && piece.type === 'audio') order.push(`${name} begins`);
      first = false;
      if (name === 'early') begun.resolve();
    }
    order.push(`${name} ends`);
  };
  const begun = Promise.withResolvers<void>();
  const bulk = speak('bulk', { text, class: 'bulk' });
  const early = speak('early', { text });
  const late = begun.promise.then(() => speak('late', { text: 'Hello there, you.' }));
  await Promise.all([bulk, early, late]);
  expect(order.indexOf('late begins')).toBeLessThan(order.indexOf('early ends'));
  expect(order.indexOf('early ends')).toBeLessThan(order.indexOf('bulk ends'));
});

it('uses a graph whole that can’t be split, says so, and promises nothing about it', async () => {
  const found = await openCatalogue(catalogue);
  const info = found.get('restless');
  expect([info.deterministic, info.capabilities.streaming, info.capabilities.marks]).toEqual([
    false,
    false,
    'estimated',
  ]);
  expect(info.note).toMatch(/random/);
  const speaking = createLocalEngine(found);
  closing.push(speaking);
  const [one, two] = [
    await collect(speaking, { ...request, voice: 'restless' }),
    await collect(speaking, { ...request, voice: 'restless' }),
  ];
  expect(one.facts.samples).toBeGreaterThan(0);
  expect(two.pcm).not.toEqual(one.pcm);
});

/** Protobuf merges a second graph field into the first, as a reader of the whole file would. */
const graphOf = (part: Uint8Array): Uint8Array => bytesField(7, part);

describe('a broken voice', () => {
  const dir = mkdtempSync(join(tmpdir(), 'rhapsode-broken-test-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  const model = Buffer.from(vitsModel(tiny));
  const config = piperConfig('x', tiny);
  const put = (name: string, bytes: Uint8Array, json: unknown) => {
    writeFileSync(join(dir, `${name}.onnx`), bytes);
    writeFileSync(join(dir, `${name}.onnx.json`), typeof json === 'string' ? json : JSON.stringify(json));
  };

  it('is a problem with a name and a code, and hides no other', async () => {
    writeFixture(dir, 'good', tiny);
    put('bad-json', model, '{"audio":');
    put('no-map', model, { ...config, phoneme_id_map: undefined });
    put('truncated', model.subarray(0, model.length / 2), config);
    put('empty', new Uint8Array(0), config);
    put('noise', Buffer.from(Array.from({ length: 5_000 }, (_, i) => (i * 7919) % 256)), config);
    put(
      'wrong-inputs',
      Buffer.from(model.toString('latin1').replaceAll('scales', 'skales'), 'latin1'),
      config,
    );
    put(
      'unknown-op',
      Buffer.from(model.toString('latin1').replaceAll('LeakyRelu', 'LeakyRelo'), 'latin1'),
      config,
    );
    put('unknown-opset', Buffer.from(vitsModel(tiny, 99)), config);
    // A weight whose data lies in another file: of 3 GB, which take no room on the disk.
    const bytes = 3 * 2 ** 30;
    const entry = (key: string, value: string) =>
      bytesField(13, concat([bytesField(1, key), bytesField(2, value)]));
    const far = [
      numberField(1, bytes / 4),
      numberField(2, 1),
      bytesField(8, 'far'),
      entry('location', 'far.bin'),
      entry('length', String(bytes)),
      numberField(14, 1),
    ];
    put('external-data', Buffer.concat([model, graphOf(bytesField(5, concat(far)))]), config);
    writeFileSync(join(dir, 'far.bin'), '');
    truncateSync(join(dir, 'far.bin'), bytes);
    const found = await openCatalogue({ modelsDir: dir, espeak: false });
    expect(found.voices.map((voice) => voice.id)).toEqual(['good']);
    expect(found.problems.map(({ id, error }) => `${id}: ${error.code}`).sort()).toEqual([
      'bad-json: model_invalid',
      'empty: model_invalid',
      'external-data: model_invalid',
      'no-map: model_invalid',
      'noise: model_invalid',
      'truncated: model_invalid',
      'unknown-op: model_invalid',
      'unknown-opset: model_invalid',
      'wrong-inputs: model_invalid',
    ]);
    for (const { error } of found.problems) expect(error.message).not.toContain(dir);
    expect(() => found.get('truncated')).toThrow(expect.objectContaining({ code: 'model_invalid' }));
    const speaking = createLocalEngine(found);
    closing.push(speaking);
    expect((await collect(speaking, { ...request, voice: 'good' })).pcm.length).toBeGreaterThan(0);

    // In an engine process too: who asks for one is told, the others are spoken to, and the process stays.
    const host = createEngineHost({ children: 1, catalogue: { modelsDir: dir, espeak: false } });
    closing.push(host);
    await host.ready();
    const pids = host.pids();
    const asked = ['truncated', 'good', 'external-data', 'unknown-opset', 'no-map', 'good'];
    const heard = await Promise.allSettled(asked.map((voice) => collect(host, { ...request, voice })));
    expect(heard.map((one) => (one.status === 'rejected' ? one.reason.code : 'spoken'))).toEqual(
      asked.map((voice) => (voice === 'good' ? 'spoken' : 'model_invalid')),
    );
    expect([host.pids(), host.stats().restarts]).toEqual([pids, 0]);
  }, 240_000);

  it('with a manifest has its files checked: missing, changed, outside of its folder', async () => {
    const { mkdirSync } = await import('node:fs');
    const folder = join(dir, 'manifests');
    const manifest = (name: string, files: unknown[], more: object = {}) => {
      mkdirSync(join(folder, name), { recursive: true });
      const text = JSON.stringify({ engine: 'piper', files, ...more });
      writeFileSync(join(folder, name, 'voice.json'), text);
    };
    const wrong = '0'.repeat(64);
    manifest('missing', [{ path: 'x.onnx', sha256: wrong }]);
    manifest('changed', [{ path: 'voice.json', sha256: wrong }]);
    manifest('outside', [{ path: '../x.onnx', sha256: wrong }]);
    manifest('unknown-field', [{ path: 'x.onnx', sha256: wrong }], { shell: 'rm' });
    const { problems } = await openCatalogue({ modelsDir: folder, espeak: false });
    expect(problems.map(({ id, error }) => `${id}: ${error.code}`).sort()).toEqual([
      'changed: model_checksum',
      'missing: model_missing',
      'outside: model_invalid',
      'unknown-field: model_invalid',
    ]);
  });
});

describe('a models directory', { timeout: 240_000 }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'rhapsode-hostile-test-'));
  const config = piperConfig('x', tiny);
  const put = (name: string, json: unknown = config) =>
    writeFileSync(join(dir, `${name}.onnx.json`), JSON.stringify(json));
  beforeAll(() => writeFixture(dir, 'good', tiny));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  const open = () => openCatalogue({ modelsDir: dir, espeak: false });
  const codes = async () =>
    (await open()).problems.map(({ id, error }) => `${id}: ${error.code}, ${error.message}`).sort();

  it('may hold what is no file, and what has no end', async () => {
    symlinkSync('/dev/zero', join(dir, 'endless.onnx'));
    symlinkSync(join(dir, 'loop.onnx'), join(dir, 'loop.onnx'));
    execFileSync('mkfifo', [join(dir, 'pipe.onnx')]);
    mkdirSync(join(dir, 'folder.onnx'));
    writeFileSync(join(dir, 'huge.onnx'), '');
    truncateSync(join(dir, 'huge.onnx'), 3 * 2 ** 30);
    const names = ['endless', 'loop', 'pipe', 'folder', 'huge'];
    for (const name of names) put(name);
    expect(await codes()).toEqual([
      'endless: model_invalid, endless.onnx is not a file',
      'folder: model_invalid, folder.onnx is not a file',
      'huge: model_invalid, huge.onnx is larger than 2 GB',
      'loop: model_missing, a model file can’t be read',
      'pipe: model_invalid, pipe.onnx is not a file',
    ]);
    expect((await open()).voices.map(({ id }) => id)).toEqual(['good']);
    for (const name of names) {
      rmSync(join(dir, `${name}.onnx`), { recursive: true });
      rmSync(join(dir, `${name}.onnx.json`));
    }
  });

  it('may hold two voices of one name: the first stays what it is, the other is a problem', async () => {
    mkdirSync(join(dir, 'other'));
    cpSync(join(dir, 'good.onnx'), join(dir, 'other', 'x.onnx'));
    writeFileSync(join(dir, 'other', 'x.onnx.json'), JSON.stringify({ ...config, dataset: 'the other' }));
    const sha256 = (name: string) =>
      createHash('sha256')
        .update(readFileSync(join(dir, 'other', name)))
        .digest('hex');
    const files = ['x.onnx', 'x.onnx.json'].map((path) => ({ path, sha256: sha256(path) }));
    writeFileSync(join(dir, 'other', 'voice.json'), JSON.stringify({ id: 'good', engine: 'piper', files }));
    expect(await codes()).toEqual(['other: model_invalid, there is another voice that is called good']);
    expect((await open()).get('good').name).toBe('good');
    rmSync(join(dir, 'other'), { recursive: true });
  });

  it.each([
    ['no phoneme', { phoneme_id_map: {} }, 'configuration'],
    ['phonemes that are no numbers', { phoneme_id_map: { a: 'x' } }, 'configuration'],
    ['phonemes beyond the symbols', { num_symbols: 4 }, 'num_symbols'],
    ['scales that are no numbers', { inference: { noise_scale: 'NaN' } }, 'configuration'],
    ['a scale without end', { inference: { length_scale: Number.MAX_VALUE } }, 'configuration'],
    ['a rate in words', { audio: { sample_rate: '22050' } }, 'configuration'],
    ['a language that nobody speaks', { espeak: { voice: 'xx-nowhere' } }, 'xx-nowhere'],
  ])('may hold a configuration with %s', async (_, change, said) => {
    cpSync(join(dir, 'good.onnx'), join(dir, 'odd.onnx'));
    put('odd', { ...config, ...change });
    const [told, ...others] = await codes();
    expect([told?.startsWith('odd: model_invalid'), others]).toEqual([true, []]);
    expect(told).toContain(said);
    expect((await open()).voices.map(({ id }) => id)).toEqual(['good']);
    rmSync(join(dir, 'odd.onnx'));
    rmSync(join(dir, 'odd.onnx.json'));
  });

  it('may change while the program runs: what was announced is not spoken with other files, others go on', async () => {
    writeFixture(dir, 'changing', tiny);
    const options = { modelsDir: dir, espeak: false };
    const found = await openCatalogue(options);
    const host = createEngineHost({ children: 1, catalogue: pinned(options, found) });
    closing.push(host);
    const asked = { ...request, voice: 'changing' };
    const before = await collect(host, asked);
    writeFixture(dir, 'changing', { ...tiny, seed: 99 });
    // What is loaded stays. A process that starts anew finds other files.
    expect((await collect(host, asked)).pcm).toEqual(before.pcm);
    for (const pid of host.pids()) process.kill(pid, 'SIGKILL');
    await until(() => host.stats().restarts === 1, { what: 'the end of the process' });
    const good = await collect(host, { ...request, voice: 'good' });
    expect(good.pcm.length).toBeGreaterThan(0);
    await expect(collect(host, asked)).rejects.toMatchObject({ code: 'model_checksum' });
    // Without a process in between, when what is kept of the voice is gone as well.
    rmSync(join(dir, '.cache'), { recursive: true });
    await expect(found.source('changing').load()).rejects.toMatchObject({ code: 'model_checksum' });
    rmSync(join(dir, 'changing.onnx'));
    await expect(found.source('changing').load()).rejects.toMatchObject({ code: 'model_missing' });
  });

  it('may hold a model that asks for too much when it is tried: its process ends', async () => {
    const at = { path: join(dir, 'good.onnx'), json: join(dir, 'good.onnx.json') };
    const files = {
      modelPath: at.path,
      config: piperConfigSchema.parse(JSON.parse(readFileSync(at.json, 'utf8'))),
      modelSha256: createHash('sha256').update(readFileSync(at.path)).digest('hex'),
      configSha256: '0',
    };
    const settings = { cacheDir: join(dir, '.tried') };
    await expect(prepareElsewhere(files, settings, { timeoutMs: 10, bytes: Infinity })).rejects.toMatchObject(
      {
        code: 'model_invalid',
        message: expect.stringContaining('took longer'),
      },
    );
    if (process.platform === 'linux')
      await expect(prepareElsewhere(files, settings, { timeoutMs: 240_000, bytes: 1 })).rejects.toMatchObject(
        { message: expect.stringContaining('took more than') },
      );
  });
});

it('makes what it keeps of a voice again when that was damaged, and speaks as before', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'rhapsode-cache-test-'));
  writeFixture(dir, 'kept', tiny);
  const own = { modelsDir: dir, espeak: false };
  const speakOnce = async () => {
    const speaking = createLocalEngine(await openCatalogue(own));
    const { pcm } = await collect(speaking, { ...request, voice: 'kept' });
    await speaking.close();
    return pcm;
  };
  const first = await speakOnce();
  const cache = join(dir, '.cache');
  const [folder] = readdirSync(cache).filter((name) => name !== '.gitignore');
  const at = (name: string) => join(cache, folder!, name);
  const stage = readFileSync(at('stage-1.onnx'));
  const flipped = Buffer.from(stage);
  flipped[flipped.length >> 1]! ^= 0x40;
  const damages: [string, Buffer][] = [
    ['stage-1.onnx', stage.subarray(0, 100)],
    ['stage-1.onnx', flipped],
    ['text.onnx', Buffer.alloc(0)],
    ['record.json', Buffer.from('{"graph":')],
  ];
  for (const [name, damaged] of damages) {
    writeFileSync(at(name), damaged);
    expect(await speakOnce()).toEqual(first);
    expect(readFileSync(at(name)).equals(damaged)).toBe(false);
  }
  rmSync(dir, { recursive: true, force: true });
});

it('cuts a graph of another make where its configuration says', async () => {
  const declared = mkdtempSync(join(tmpdir(), 'rhapsode-declared-test-'));
  // Without the weight's name and with its vocoder's first convolution out of reach, nothing else tells the place.
  const bytes = vitsModel(tiny);
  const { split } = readPiperGraph(bytes);
  const named = Buffer.from(Buffer.from(bytes).toString('latin1').replaceAll('dec.', 'xyz.'), 'latin1');
  const config = piperConfig('declared', tiny);
  const put = (name: string, rhapsode: object) => {
    writeFileSync(join(declared, `${name}.onnx`), named);
    writeFileSync(join(declared, `${name}.onnx.json`), JSON.stringify({ ...config, rhapsode }));
  };
  put('right', { split: { latent: split!.latent, context: 9, hop: 256 } });
  put('too-near', { split: { latent: split!.latent, context: 1, hop: 256 } });
  put('elsewhere', { split: { latent: 'nowhere', context: 9, hop: 256 } });
  const found = await openCatalogue({ modelsDir: declared, espeak: false });
  expect(found.problems).toEqual([]);
  expect(found.get('right').capabilities.streaming).toBe(true);
  expect(found.get('too-near').capabilities.streaming).toBe(false);
  expect(found.get('too-near').note).toMatch(/another sound/);
  expect(found.get('elsewhere').note).toMatch(/declared split/);
  rmSync(declared, { recursive: true, force: true });
});

describe('the graph of a voice', () => {
  const shapes: Record<string, VitsShape> = {
    tiny,
    'several speakers': { ...tiny, speakers: 3 },
    'no noise': { ...tiny, noise: false },
  };
  for (const [name, shape] of Object.entries(shapes))
    it(`is split with its contexts: ${name}`, () => {
      const { split, reason } = readPiperGraph(vitsModel(shape));
      expect(reason).toBeUndefined();
      const { stages } = split!;
      expect(stages.map(({ rate }) => rate).reduce((a, b) => a * b)).toBe(256);
      expect(stages).toHaveLength(3);
      // Two couplings of two layers of kernel 5, and the first two convolutions of the vocoder.
      if (shape.noise) expect(stages[0]!.context).toBe(14);
      else expect(stages[0]!.context).toBe(6);
      for (const { context, rate } of stages.slice(1)) expect([context < 64, rate > 1]).toEqual([true, true]);
    });
});

it('says which execution provider is missing, and that the model is not to blame', async () => {
  const fresh = mkdtempSync(join(tmpdir(), 'rhapsode-provider-test-'));
  writeFixture(fresh, 'voice', tiny);
  const { problems } = await openCatalogue({
    modelsDir: fresh,
    espeak: false,
    sessions: { providers: ['cuda'] },
  });
  expect(problems.map(({ error }) => error.code)).toEqual(['config_invalid']);
  expect(problems[0]!.error.message).toContain('cuda');
  rmSync(fresh, { recursive: true, force: true });
});

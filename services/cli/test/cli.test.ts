import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseWav } from '@rhapsode/audio';
import { toneLength, toneSamples } from '@rhapsode/voices';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { piperConfig } from '../../../models/fixtures/make.ts';
import { tiny, vitsModel } from '../../../models/fixtures/vits.ts';
import { decode, probe } from '../../../test/support/decode.ts';
import { command, type RunOptions } from './support/command.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rhapsode-cli-'));
});
afterAll(() => rm(folder, { recursive: true }));

const rhapsode = (args: string[], options?: RunOptions) => command(folder, args, options);

const text = 'One sentence is here. Another follows it.';

describe('rhapsode', () => {
  it('speaks a text into a file whose size fields are exact, and sums up in its last line', async () => {
    const { code, out } = await rhapsode(['speak', text, '-o', 'a.wav', '--seed', '7']);
    expect(code).toBe(0);
    expect(out).toMatch(/^a\.wav: 2 segments, .* of audio in .*, first audio after \d+ ms, RTF \d/m);
    const { pcm, sampleRateHz, sized } = parseWav(await readFile(join(folder, 'a.wav')));
    expect({ sampleRateHz, sized }).toEqual({ sampleRateHz: 16_000, sized: true });
    const first = toneLength('One sentence is here.');
    expect(Buffer.from(pcm.buffer, pcm.byteOffset, first * 2)).toEqual(
      Buffer.from(toneSamples(7, 0, 0, first).buffer),
    );
  });

  it('reads standard input and files, chooses the format by the ending, and tells machines in JSON', async () => {
    await writeFile(join(folder, 'text.txt'), text);
    const [piped, filed] = await Promise.all([
      rhapsode(['speak', '-', '-o', 'b.pcm', '--json'], { input: text }),
      rhapsode(['speak', 'text.txt', '-o', 'new/folder/c.mp3', '--json']),
    ]);
    const facts = JSON.parse(piped.out);
    expect(facts).toMatchObject({ file: 'b.pcm', segments: 2, sampleRateHz: 16_000 });
    expect((await readFile(join(folder, 'b.pcm'))).length).toBe(facts.samples * 2);
    expect(JSON.parse(filed.out).sha256).toBe(facts.sha256);
    expect((await readFile(join(folder, 'new/folder/c.mp3'))).length).toBeGreaterThan(1000);
  });

  it('writes Opus into a file that ends in .ogg, and refuses an ending that it has no format for', async () => {
    const [ogg, opus, m4a] = await Promise.all(
      ['d.ogg', 'd.opus', 'd.m4a'].map((file) => rhapsode(['speak', text, '-o', file])),
    );
    expect([ogg!.code, opus!.code]).toEqual([0, 0]);
    const [one, other] = await Promise.all(['d.ogg', 'd.opus'].map((file) => readFile(join(folder, file))));
    expect(one!.equals(other!)).toBe(true);
    expect(one!.subarray(0, 4).toString()).toBe('OggS');
    expect(m4a!.code).not.toBe(0);
    expect(m4a!.err).toContain("'m4a' is not supported; use one of mp3, opus, aac");
  });

  it.each([
    ['flac', 22_050, 22_050],
    ['opus', 48_000, undefined],
    ['mp3', 24_000, 24_000],
    ['aac', 16_000, undefined],
  ] as const)('writes %s at %i Hz, exact where the format can say it', async (format, heardHz, rate) => {
    const path = `formats.${format}`;
    const given = rate === undefined ? [] : ['--sample-rate', String(rate)];
    const { code, out } = await rhapsode(['speak', text, '-o', path, '--json', ...given]);
    expect(code).toBe(0);
    const { samples } = JSON.parse(out) as { samples: number };
    const bytes = await readFile(join(folder, path));
    expect(await probe(bytes)).toMatchObject({ sampleRateHz: heardHz, channels: 1 });
    const { pcm, complaints } = await decode(bytes, format);
    expect(complaints).toBe('');
    const wanted = Math.round((samples * heardHz) / 16_000);
    expect(pcm.length).toBe(format === 'aac' ? (Math.ceil(wanted / 1024) + 1) * 1024 : wanted);
  });

  it.each([
    [['speak'], 2, 'one text, file or - is needed'],
    [['speak', text, '--sped', '1'], 2, '--sped'],
    [['speak', text, '--speed', 'fast'], 2, '--speed must be a number from 0.25 to 4'],
    [['speak', text, '--voice', 'nobody'], 1, 'no voice "nobody"'],
    [['speak', text, '-o', 'x.m4a'], 1, "'m4a' is not supported"],
    [['speak', text, '-o', 'x.mp3', '--sample-rate', '20000'], 1, 'use one of 8000, 11025'],
    [['speak', '   '], 1, 'nothing to speak'],
    [['speak', 'Now {{tone:fail}} it is.', '-o', 'failed.wav'], 1, 'segment 0 could not be spoken'],
    [['sing', text], 2, "no command 'sing'"],
  ])('says what is wrong with %j', async (args, code, message) => {
    const ran = await rhapsode(args);
    expect(ran.err).toContain(message);
    expect(ran.code).toBe(code);
    expect(await readdir(folder)).not.toContain('failed.wav');
  });

  it('tells of a setting that it does not know, and does what it was asked for', async () => {
    const env = { RHAPSODE_DEFAULT_VOISE: 'tone', RHAPSODE_REDIS_URL: 'redis://here' };
    const { code, out, err } = await rhapsode(['voices', '--json'], { env });
    expect(code).toBe(0);
    expect(out).toContain('tone');
    expect(err).toBe(
      'rhapsode: RHAPSODE_DEFAULT_VOISE is no setting and has no effect; did you mean RHAPSODE_DEFAULT_VOICE?\n',
    );
  });

  it('says which settings name a voice that is not there', async () => {
    const modelsDir = join(folder, 'no-models');
    const env = { RHAPSODE_MODELS_DIR: modelsDir, RHAPSODE_DEFAULT_VOICE: 'calliope' };
    const { code, err } = await rhapsode(['speak', text], { env });
    expect(code).toBe(1);
    expect(err).toBe(
      `rhapsode: there is no voice "calliope", which "default" stands for (RHAPSODE_DEFAULT_VOICE), in the folder ${modelsDir} ` +
        '(RHAPSODE_MODELS_DIR); rhapsode voices lists those that can be used (voice_not_found)\n',
    );
  });

  it('refuses text that is not UTF-8', async () => {
    const { code, err } = await rhapsode(['speak', '-'], { input: Buffer.from([0x48, 0xff, 0xfe]) });
    expect({ code, known: err.includes('invalid_encoding') }).toEqual({ code: 1, known: true });
  });

  it.each([
    ['a folder', 'somewhere'],
    ['a name that ends like a folder', 'nowhere/'],
    ['a pipe, which it would replace', 'pipe'],
    ['what lies in a file', 'text.txt/a.wav'],
  ])('refuses to write to %s, at once', async (_, path) => {
    await mkdir(join(folder, 'somewhere'), { recursive: true });
    await writeFile(join(folder, 'text.txt'), text);
    if (path === 'pipe') execFileSync('mkfifo', [join(folder, path)]);
    const before = await readdir(folder);
    const { code, err } = await rhapsode(['speak', text, '-f', 'wav', '-o', path]);
    expect(err).toContain(`can't write ${path}`);
    expect(err).not.toContain(' at ');
    expect(code).toBe(2);
    expect(await readdir(folder)).toEqual(before);
  });

  it('refuses control characters, and numbers that are not whole', async () => {
    const spoken = await rhapsode(['speak', '-', '-o', 'x.wav'], { input: 'bell \u0007 and \u0000' });
    expect(spoken).toMatchObject({ code: 2, err: expect.stringContaining('U+0007') });
    expect((await rhapsode(['speak', text, '--seed', '1.5'])).err).toContain('--seed must be a whole number');
    expect((await rhapsode(['serve', '--port', '1.5'])).err).toContain('--port must be a whole number');
  });

  it('hands the settings of a voice on, and refuses what it does not honour and what is out of range', async () => {
    const usual = await rhapsode(['speak', text, '-o', 'usual.wav', '--json']);
    const silent = await rhapsode([
      'speak',
      text,
      '-o',
      's.wav',
      '--json',
      '--sentence-silence-seconds',
      '1.5',
    ]);
    const samples = ({ out }: { out: string }) => (JSON.parse(out) as { samples: number }).samples;
    expect(samples(silent)).toBeGreaterThan(samples(usual) + 16_000);
    const [far, unknown] = await Promise.all([
      rhapsode(['speak', text, '--noise-w', '2.5']),
      rhapsode(['speak', text, '--noise-scale', '0.5']),
    ]);
    expect(far).toMatchObject({
      code: 2,
      err: expect.stringContaining('--noise-w must be a number from 0 to 2'),
    });
    expect(unknown.code).not.toBe(0);
    expect(unknown.err).toContain('noise_scale');
  });

  it('says that a server does not answer, and shows no stack', async () => {
    const args = ['speak', text, '--url', 'http://127.0.0.1:9', '-o', 'far.wav'];
    const { code, err } = await rhapsode(args);
    expect(code).toBe(1);
    expect(err).toMatch(/^rhapsode: http:\/\/127\.0\.0\.1:9 does not answer; .*\(server_unavailable\)$/m);
    expect(err).not.toMatch(/\n\s+at /);
  });

  it('ends when the port that it should serve on is in use', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    const { code, err } = await rhapsode(['serve', '--port', String(port)]);
    holder.close();
    expect(code).toBe(1);
    expect(err).toMatch(/^rhapsode: Port \d+ of 127\.0\.0\.1 is in use; .*\(port_in_use\)$/m);
  });

  it('leaves no file behind when it is interrupted', async () => {
    const long = `${'This is a sentence that takes its time. '.repeat(20_000)}`;
    const ran = await rhapsode(['speak', '-', '-o', 'long.wav'], {
      input: long,
      interruptAfter: /sentences/,
    });
    expect(ran.code).toBe(130);
    expect((await readdir(folder)).filter((name) => name.startsWith('long'))).toEqual([]);
  });

  it('adds, describes, verifies and removes a voice', async () => {
    const own = join(folder, 'own-voices');
    await mkdir(join(folder, 'found'), { recursive: true });
    await writeFile(join(folder, 'found', 'nova.onnx'), vitsModel(tiny));
    await writeFile(join(folder, 'found', 'nova.onnx.json'), JSON.stringify(piperConfig('nova', tiny)));
    const voices = (...args: string[]) =>
      rhapsode(['voices', ...args], { env: { RHAPSODE_MODELS_DIR: own, RHAPSODE_DEFAULT_VOICE: 'nova' } });

    const added = await voices('add', join('found', 'nova.onnx'), '--licence', 'CC0-1.0');
    expect([added.code, added.out]).toEqual([0, expect.stringMatching(/^nova is there: /)]);
    expect((await voices('info', 'default')).out).toMatch(/voice +nova\n[\s\S]*licence +CC0-1\.0/);
    expect((await voices('verify')).out).toBe('nova: as it should be\n');
    expect((await voices('remove', 'nova')).err).toMatch(/default voice/);

    await writeFile(join(own, 'nova', 'nova.onnx'), 'changed');
    const broken = await voices('verify', 'nova', '--json');
    expect([broken.code, JSON.parse(broken.out).voices]).toMatchObject([
      1,
      [{ id: 'nova', ok: false, code: 'model_checksum' }],
    ]);
    const removed = await rhapsode(['voices', 'remove', 'nova'], { env: { RHAPSODE_MODELS_DIR: own } });
    expect([removed.code, removed.out]).toEqual([0, 'nova is removed\n']);
    expect(await voices('verify')).toMatchObject({ code: 0, out: '' });
    expect(await voices('polish', 'nova')).toMatchObject({ code: 2, err: expect.stringMatching(/usage/) });
  });

  it('lists voices and aliases, and checks the machine', async () => {
    const [voices, doctor] = await Promise.all([
      rhapsode(['voices', '--json']),
      rhapsode(['doctor', '--json'], { env: { RHAPSODE_REDIS_URL: 'redis://127.0.0.1:1' } }),
    ]);
    const listed = JSON.parse(voices.out);
    expect(listed.aliases).toMatchObject({ default: 'tone' });
    expect(listed.voices.map((voice: { id: string }) => voice.id)).toContain('espeak');
    const { healthy, findings } = JSON.parse(doctor.out);
    expect(healthy).toBe(true);
    expect(findings).toContainEqual(expect.objectContaining({ what: 'Redis', state: 'optional' }));
    expect(findings).toContainEqual(expect.objectContaining({ what: 'speech', state: 'ok' }));
  });
});

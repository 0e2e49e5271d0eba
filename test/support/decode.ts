import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AudioFormat, pcmSamples } from '@rhapsode/audio';
import { needExecutable } from './executables.ts';

/** What a program writes, and what it complains of. */
function run(program: string, args: string[]): Promise<{ out: Buffer; complaints: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    const complaints: Buffer[] = [];
    child.stdout.on('data', (bytes: Buffer) => out.push(bytes));
    child.stderr.on('data', (bytes: Buffer) => complaints.push(bytes));
    child.on('error', reject);
    child.on('close', (code) => {
      const said = Buffer.concat(complaints).toString();
      if (code === 0) resolve({ out: Buffer.concat(out), complaints: said });
      else reject(new Error(`${program} ended with ${code}: ${said}`));
    });
  });
}

async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'rhapsode-decode-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const inFile = <T>(bytes: Uint8Array, use: (file: string) => Promise<T>): Promise<T> =>
  inFolder(async (folder) => {
    const file = join(folder, 'audio');
    await writeFile(file, bytes);
    return use(file);
  });

/** ffmpeg's names of what the bytes are in. */
const demuxers: Record<AudioFormat, readonly string[]> = {
  mp3: ['mp3'],
  opus: ['ogg'],
  aac: ['aac'],
  flac: ['flac'],
  wav: ['wav'],
  pcm: ['s16le', '-ac', '1'],
};

export interface Decoded {
  readonly pcm: Int16Array;
  /** What the decoder found wrong with the bytes; empty where they are in order. */
  readonly complaints: string;
}

/** The samples that a player gets that opens an address: ffmpeg asks for a range at once, and seeks where it may. */
export async function play(url: string): Promise<Int16Array> {
  const { out } = await run(needExecutable('ffmpeg'), [
    '-v',
    'error',
    '-nostdin',
    '-i',
    url,
    '-f',
    's16le',
    '-',
  ]);
  return pcmSamples(out);
}

/** Decodes audio with ffmpeg, at its own rate. */
export const decode = (bytes: Uint8Array, format: AudioFormat): Promise<Decoded> =>
  inFile(bytes, async (file) => {
    const input = ['-v', 'error', '-nostdin', '-f', ...demuxers[format], '-i', file];
    const output = ['-map', '0:a', '-f', 's16le', '-c:a', 'pcm_s16le', 'pipe:1'];
    const { out, complaints } = await run(needExecutable('ffmpeg'), [...input, ...output]);
    return { pcm: pcmSamples(out), complaints };
  });

/** Many at once, each of which must be in order. */
export const decodeAll = (files: readonly Uint8Array[], format: AudioFormat): Promise<Int16Array[]> =>
  inFolder(async (folder) => {
    const input = (n: number) => join(folder, String(n));
    const output = (n: number) => join(folder, `${n}.pcm`);
    await Promise.all(files.map((bytes, n) => writeFile(input(n), bytes)));
    const { complaints } = await run(needExecutable('ffmpeg'), [
      ...['-v', 'error', '-nostdin'],
      ...files.flatMap((_, n) => ['-f', ...demuxers[format], '-i', input(n)]),
      ...files.flatMap((_, n) => ['-map', `${n}:a`, '-f', 's16le', '-c:a', 'pcm_s16le', output(n)]),
    ]);
    if (complaints !== '') throw new Error(complaints);
    return Promise.all(files.map(async (_, n) => pcmSamples(await readFile(output(n)))));
  });

export interface Probed {
  readonly codec: string;
  readonly container: string;
  readonly sampleRateHz: number;
  readonly channels: number;
}

/** What ffprobe takes the bytes for. */
export async function probe(bytes: Uint8Array): Promise<Probed> {
  const args = ['-v', 'error', '-show_streams', '-show_format', '-of', 'json'];
  const { out } = await inFile(bytes, (file) => run(needExecutable('ffprobe'), [...args, file]));
  const { streams, format } = JSON.parse(out.toString()) as {
    streams: { codec_name: string; sample_rate: string; channels: number }[];
    format: { format_name: string };
  };
  const [stream] = streams;
  if (!stream) throw new Error('no stream');
  return {
    codec: stream.codec_name,
    container: format.format_name,
    sampleRateHz: Number(stream.sample_rate),
    channels: stream.channels,
  };
}

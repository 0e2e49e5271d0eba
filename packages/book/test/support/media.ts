import { execFileSync, spawnSync } from 'node:child_process';
import { pcmSamples } from '@rhapsode/audio';
import { needExecutable } from '../../../../test/support/executables.ts';

/** What an independent decoder makes of a file; it must have nothing to complain about. */
export function decode(file: string, sampleRateHz?: number): Int16Array {
  const rate = sampleRateHz === undefined ? [] : ['-ar', String(sampleRateHz)];
  const args = [
    '-v',
    'warning',
    '-guess_layout_max',
    '0',
    '-i',
    file,
    '-map',
    '0:a:0',
    ...rate,
    '-ac',
    '1',
    '-f',
    's16le',
    '-',
  ];
  const { stdout, stderr } = spawnSync(needExecutable('ffmpeg'), args, { maxBuffer: 2 ** 30 });
  if (stderr.length > 0) throw new Error(`${file}: ${stderr}`);
  return pcmSamples(stdout);
}

export interface Probe {
  readonly format: {
    readonly duration: string;
    readonly tags?: Record<string, string>;
    readonly format_name: string;
  };
  readonly streams: readonly {
    readonly codec_name?: string;
    readonly codec_type: string;
    readonly duration?: string;
    readonly disposition: { attached_pic: number };
  }[];
  readonly chapters: readonly {
    readonly time_base: string;
    readonly start: number;
    readonly end: number;
    readonly start_time: string;
    readonly end_time: string;
    readonly tags: Record<string, string>;
  }[];
}

export const probe = (file: string, ...more: readonly string[]): Probe =>
  JSON.parse(
    execFileSync(
      needExecutable('ffprobe'),
      ['-v', 'error', ...more, '-show_format', '-show_streams', '-show_chapters', '-of', 'json', file],
      { encoding: 'utf8' },
    ),
  );

/** Decibels by which the sound is louder than what differs. */
export function signalToNoise(wanted: Int16Array, heard: Int16Array): number {
  let signal = 0;
  let noise = 0;
  for (let i = 0; i < wanted.length; i++) {
    signal += wanted[i]! ** 2;
    noise += (wanted[i]! - (heard[i] ?? 0)) ** 2;
  }
  return 10 * Math.log10(signal / noise);
}

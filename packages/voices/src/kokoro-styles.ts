import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { RhapsodeError } from '@rhapsode/contracts';
import { mostTokens } from './kokoro-tokens.ts';
import { readNpy } from './npy.ts';
import type { VoiceFile } from './voice-folders.ts';
import { zipEntries } from './zip-entries.ts';

export const styleSize = 256;

/** Speakers of the style files, in their order. */
export const speakersOf = async (files: readonly VoiceFile[]): Promise<string[]> => [
  ...(await readStyles(files)).keys(),
];

/**
 * Styles by speaker: a row of 256 floats for each number of tokens. Published models come with either of two kinds of file, both
 * called `.bin` at times: the bare little-endian floats of one speaker, named after the speaker, or one archive of NumPy arrays
 * (`.npz`), an array for each.
 */
export async function readStyles(files: readonly VoiceFile[]): Promise<Map<string, Float32Array>> {
  const styles = new Map<string, Float32Array>();
  for (const { path } of files) {
    const bytes = await readFile(path);
    const name = basename(path);
    if (bytes.length > mostBytes) throw invalid(name, 'is too large');
    if (bytes.length < 2 || bytes.readUInt16BE(0) !== zipMagic) {
      styles.set(basename(path, '.bin'), checked(name, floatsOf(name, bytes)));
      continue;
    }
    for await (const { name: entry, data } of zipEntries(bytes, { name, mostBytes })) {
      const speaker = entry.replace(/\.npy$/, '');
      if (!/^[\w.+-]{1,100}$/.test(speaker)) throw invalid(name, 'names a speaker with odd characters');
      styles.set(speaker, checked(`${name}/${entry}`, readNpy(data, `${name}/${entry}`)));
    }
  }
  if (styles.size === 0) throw new RhapsodeError('model_invalid', { message: 'the voice has no style' });
  return styles;
}

const zipMagic = 0x504b;
const mostBytes = 256 * 2 ** 20;

function floatsOf(name: string, bytes: Buffer): Float32Array {
  if (bytes.length % 4 !== 0) throw invalid(name, 'has a wrong length');
  const floats = new Float32Array(bytes.length / 4);
  for (let i = 0; i < floats.length; i++) floats[i] = bytes.readFloatLE(i * 4);
  return floats;
}

function checked(name: string, style: Float32Array): Float32Array {
  if (style.length === 0 || style.length % styleSize !== 0 || style.length > mostTokens * 2 * styleSize)
    throw invalid(name, 'has a wrong length');
  if (!style.every(Number.isFinite)) throw invalid(name, 'has no numbers');
  return style;
}

const invalid = (name: string, problem: string) =>
  new RhapsodeError('model_invalid', { message: `the style file ${name} ${problem}` });

import { spawnSync } from 'node:child_process';
import { type EspeakNg, sampleRateHz } from './espeak-ng.ts';
import { safeText } from './safe-text.ts';

/**
 * The espeak-ng of the machine, run once for each text. It tells no times of words. A voice that it does not know ends it with
 * an error.
 */
export function createSystemEspeakNg(program: string): EspeakNg {
  function run(args: readonly string[], input = ''): { ok: boolean; stdout: Buffer; stderr: string } {
    const { status, stdout, stderr, error } = spawnSync(program, args, {
      input,
      maxBuffer: 512 * 2 ** 20,
      timeout: 60_000,
    });
    // One that ends early, as at an unknown voice, does not read what it is given.
    if (error && (error as NodeJS.ErrnoException).code !== 'EPIPE')
      throw new Error(`${program} can't be run: ${error.message}`);
    return { ok: status === 0, stdout, stderr: stderr.toString('utf8') };
  }

  /** Whether the voice is unknown; any other failure throws. */
  function unknownVoice({ ok, stderr }: ReturnType<typeof run>): boolean {
    if (/does not exist|not found|No such file|failed to load voice/i.test(stderr)) return true;
    if (!ok) throw new Error(`${program} failed: ${stderr.slice(0, 200)}`);
    return false;
  }

  const told = run(['--version']).stdout.toString('utf8');
  const number = /(\d+\.\d[\w.-]*)/.exec(told)?.[1];
  if (number === undefined) throw new Error(`${program} is no espeak-ng: it tells no version`);

  return {
    version: `espeak-ng ${number} of the system`,
    async renew() {},
    voices() {
      const [, ...lines] = run(['--voices']).stdout.toString('utf8').trimEnd().split('\n');
      return lines.flatMap((line) => {
        const [, id, , name] = line.trim().split(/\s+/);
        return id && name ? [{ id, name: name.replaceAll('_', ' '), languages: [id] }] : [];
      });
    },
    phonemes(voice, text) {
      const { text: safe } = safeText(text, false);
      if (safe.trim() === '') return [];
      const answer = run(['-q', '--ipa', '--sep=_', '-b', '1', '-v', voice, '--stdin'], safe);
      if (unknownVoice(answer)) return undefined;
      return answer.stdout
        .toString('utf8')
        .split('\n')
        .map((clause) => clause.trim().replaceAll(/_{2,}/g, '_').replaceAll(/_? _?/g, ' '))
        .filter((clause) => clause !== '');
    },
    synthesize({ voice, rate, pitch, text }, onAudio) {
      const { text: safe } = safeText(text, true);
      const settings = ['-m', '-b', '1', '-s', String(rate), '-p', String(pitch)];
      const answer = run([...settings, '--stdout', '-v', voice, '--stdin'], safe);
      if (unknownVoice(answer)) return false;
      // A WAV of its own rate, whose sizes are unknown as it is streamed; 44 bytes of header.
      const wav = answer.stdout;
      if (wav.length < 44) return true;
      if (wav.readUInt32LE(24) !== sampleRateHz)
        throw new Error(`${program} speaks at ${wav.readUInt32LE(24)} Hz`);
      const pcm = new Int16Array((wav.length - 44) >> 1);
      for (let i = 0; i < pcm.length; i++) pcm[i] = wav.readInt16LE(44 + i * 2);
      for (let at = 0; at < pcm.length; at += sampleRateHz) onAudio(pcm.subarray(at, at + sampleRateHz), []);
      return true;
    },
  };
}

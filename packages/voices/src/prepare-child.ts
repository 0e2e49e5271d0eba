import { type PiperFiles, type PiperSettings, preparePiperVoice } from './piper.ts';
import type { PrepareAnswer } from './prepare-elsewhere.ts';
import { toWire } from './protocol.ts';

process.once('message', async ({ files, settings }: { files: PiperFiles; settings: PiperSettings }) => {
  let answer: PrepareAnswer;
  try {
    answer = { record: await preparePiperVoice(files, settings) };
  } catch (error) {
    answer = { error: toWire(error) };
  }
  process.send?.(answer);
});
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

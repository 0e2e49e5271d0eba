import { checkProvider } from './choose-provider.ts';
import { preparePiperVoice } from './piper.ts';
import type { PrepareAnswer, PrepareRequest } from './prepare-elsewhere.ts';
import { toWire } from './protocol.ts';

process.once('message', async (request: PrepareRequest) => {
  let answer: PrepareAnswer;
  try {
    if ('provider' in request) {
      await checkProvider(request.provider);
      answer = { works: true };
    } else answer = { record: await preparePiperVoice(request.files, request.settings) };
  } catch (error) {
    answer = { error: toWire(error) };
  }
  process.send?.(answer);
});
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

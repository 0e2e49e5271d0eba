import { RhapsodeError } from '@rhapsode/contracts';
import { removeVoice } from '@rhapsode/voices';
import type { VoicesContext } from '../voices.ts';

export async function remove([name]: readonly string[], context: VoicesContext): Promise<void> {
  const { config, stdout, json } = context;
  const { defaultVoice, modelsDir } = config;
  if (name === defaultVoice)
    throw new RhapsodeError('invalid_request', {
      message: `${name} is the default voice; set RHAPSODE_DEFAULT_VOICE to another one first`,
    });
  await removeVoice(modelsDir, name!);
  stdout.write(json ? `${JSON.stringify({ removed: name })}\n` : `${name} is removed\n`);
}

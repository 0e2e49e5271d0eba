import { RhapsodeError } from '@rhapsode/contracts';
import { verifyVoices } from '@rhapsode/voices';
import type { VoicesContext } from '../voices.ts';

/** Reads every file of the voices again and compares it with its checksum. */
export async function verify(names: readonly string[], context: VoicesContext): Promise<void> {
  const { config, stdout, json } = context;
  const all = await verifyVoices(config.modelsDir, { ids: names });
  for (const name of names)
    if (!all.some(({ id }) => id === name))
      throw new RhapsodeError('voice_not_found', { message: `the models directory has no voice ${name}` });
  if (json) {
    const results = all.map(({ id, problem }) => ({
      id,
      ok: problem === undefined,
      ...(problem ? { code: problem.code, message: problem.message } : {}),
    }));
    stdout.write(`${JSON.stringify({ voices: results })}\n`);
  } else
    for (const { id, problem } of all)
      stdout.write(`${id}: ${problem ? `${problem.message} (${problem.code})` : 'as it should be'}\n`);
  const broken = all.filter(({ problem }) => problem !== undefined).length;
  if (broken > 0)
    throw new RhapsodeError('model_invalid', { message: `${broken} of ${all.length} voices can't be used` });
}

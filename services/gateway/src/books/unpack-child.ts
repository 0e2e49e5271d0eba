import { asRhapsodeError } from '@rhapsode/contracts';
import { unpackJson } from './unpack-json.ts';

/** Takes a long JSON request apart in a process of its own: what that takes is given back when it ends. */
process.on('disconnect', () => process.exit(1));
process.once('message', async (message) => {
  const { path, dir } = message as { path: string; dir: string };
  const answer = await unpackJson(path, dir).then(
    (unpacked) => ({ unpacked }),
    (thrown: unknown) => {
      const { code, message: why, param } = asRhapsodeError(thrown);
      return { failed: { code, message: why, ...(param === undefined ? {} : { param }) } };
    },
  );
  const send = (one: object) => process.send!(one, undefined, {}, () => process.disconnect());
  try {
    send(answer);
  } catch {
    // What is nested so deeply that it can't be handed over is no setting.
    send({ failed: { code: 'invalid_request', message: 'The request body is nested too deeply.' } });
  }
});

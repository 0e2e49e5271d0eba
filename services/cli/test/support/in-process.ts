import { readSettings } from '@rhapsode/service';
import { book } from '../../src/commands/book.ts';
import { verify } from '../../src/commands/verify.ts';
import { cliSettings } from '../../src/config.ts';

const commands = { book, verify };

/** What a command writes and answers, without the start of another program. */
export async function inProcess(name: keyof typeof commands, args: readonly string[], env: object = {}) {
  const config = readSettings(cliSettings, {
    RHAPSODE_TEST_VOICES: 'true',
    RHAPSODE_DEFAULT_VOICE: 'tone',
    RHAPSODE_SLOTS: '1',
    ...env,
  });
  let [out, err] = ['', ''];
  const stream = (keep: (text: string) => void) =>
    ({
      isTTY: false,
      write(text: string) {
        keep(text);
        return true;
      },
    }) as unknown as NodeJS.WriteStream;
  const code = await commands[name].run(args, {
    config,
    signal: new AbortController().signal,
    stdout: stream((text) => {
      out += text;
    }),
    stderr: stream((text) => {
      err += text;
    }),
  });
  return { code, out, err };
}

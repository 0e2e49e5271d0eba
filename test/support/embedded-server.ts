import { fileURLToPath } from 'node:url';
import { freePort } from './ports.ts';
import { type RunningProcess, startProcess, untilReady } from './process.ts';

export interface EmbeddedServer extends RunningProcess {
  readonly url: string;
}

const main = fileURLToPath(new URL('../../services/cli/src/main.ts', import.meta.url));

/** `rhapsode serve`: the whole pipeline in one process, with the test voice. */
export async function startEmbeddedServer(
  env: Readonly<Record<string, string>> = {},
): Promise<EmbeddedServer> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const running = startProcess(process.execPath, [main, 'serve', '--port', String(port)], {
    env: {
      RHAPSODE_LOG_LEVEL: 'warn',
      RHAPSODE_TEST_VOICES: 'true',
      RHAPSODE_DEFAULT_VOICE: 'tone',
      RHAPSODE_SLOTS: '1',
      ...env,
    },
  });
  await untilReady(running, 'rhapsode serve', async () => (await fetch(`${url}/readyz`)).ok, 30_000);
  return Object.defineProperties({ url }, Object.getOwnPropertyDescriptors(running)) as EmbeddedServer;
}

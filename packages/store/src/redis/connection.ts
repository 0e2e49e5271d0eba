import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { RhapsodeError } from '@rhapsode/contracts';
import { Redis } from 'ioredis';

export interface RedisConnectionOptions {
  readonly url: string;
  /** Longest wait for a connection. */
  readonly connectTimeoutMs?: number;
  /** Longest silence of a connected server; then the connection is made anew. A slow disk alone can take two seconds. */
  readonly answerTimeoutMs?: number;
  /** Connection trouble that no call is there to report. */
  readonly onError?: (error: unknown) => void;
}

/** Flags of `#!lua`: what empties a full Redis must run when it is full. */
const scripts = {
  intake: '#!lua',
  work: '#!lua flags=allow-oom',
  look: '#!lua flags=allow-oom',
  roster: '#!lua flags=allow-oom',
  books: '#!lua flags=allow-oom',
  lexicons: '#!lua',
} as const;
export type Script = keyof typeof scripts;

const read = (name: string) => readFileSync(new URL(`${name}.lua`, import.meta.url), 'utf8');
const sourceOf = (name: Script): string =>
  [scripts[name], read('accounts'), read(name), 'return calls[ARGV[3]](unpack(ARGV, 4))'].join('\n');

/** Runs the scripts. Fails fast when there is no server, and connects again by itself. */
export function connectRedis(options: RedisConnectionOptions) {
  const { url, connectTimeoutMs = 1_000, answerTimeoutMs = 3_000, onError = () => {} } = options;
  const redis = new Redis(url, {
    connectTimeout: connectTimeoutMs,
    socketTimeout: answerTimeoutMs,
    retryStrategy: (attempt) => Math.min(50 * attempt, 500),
    // A call that was not answered is not repeated here, and none waits in a queue to have its effect when its caller has
    // long been told that it failed.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
  });
  redis.setMaxListeners(0);
  redis.on('error', onError);
  for (const name of Object.keys(scripts) as Script[])
    redis.defineCommand(name, { numberOfKeys: 1, lua: sourceOf(name) });
  const commands = redis as unknown as Record<Script, (args: (string | number)[]) => Promise<unknown>>;

  async function answer<T>(ask: () => Promise<T>): Promise<T> {
    try {
      if (redis.status !== 'ready' && redis.status !== 'end')
        await once(redis, 'ready', { signal: AbortSignal.timeout(connectTimeoutMs) });
      return await ask();
    } catch (cause) {
      if (isScriptFault(cause)) throw cause;
      throw new RhapsodeError('store_unavailable', { cause });
    }
  }

  return {
    run: (name: Script, args: (string | number)[]) => answer(() => commands[name](args)),
    async ping() {
      await answer(() => redis.ping());
    },
    async close() {
      if (redis.status === 'ready') await redis.quit().catch(() => redis.disconnect());
      else redis.disconnect();
    },
  };
}

/** An error in a script or in its arguments is ours; all others say that Redis can't serve now. */
const isScriptFault = (error: unknown): boolean =>
  error instanceof Error && error.name === 'ReplyError' && /^(ERR|WRONGTYPE)\b/.test(error.message);

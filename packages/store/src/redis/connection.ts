import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { RhapsodeError } from '@rhapsode/contracts';
import { redisError, redisWord } from '@rhapsode/contracts/redis-refusal';
import { Redis } from 'ioredis';

export interface RedisConnectionOptions {
  readonly url: string;
  /** Longest wait for a connection. */
  readonly connectTimeoutMs?: number;
  /** Longest silence of a connected server; then the connection is made anew. A slow disk alone can take two seconds. */
  readonly answerTimeoutMs?: number;
  /** Told after each call whether the server serves, and what is wrong if not. */
  readonly onState?: (problem: RhapsodeError | undefined) => void;
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
  const { url, connectTimeoutMs = 1_000, answerTimeoutMs = 3_000, onState = () => {} } = options;
  const redis = new Redis(url, {
    connectTimeout: connectTimeoutMs,
    socketTimeout: answerTimeoutMs,
    retryStrategy: (attempt) => Math.min(50 * attempt, 500),
    // A call that was not answered is not repeated here, and none waits in a queue to have its effect when its caller has
    // long been told that it failed.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    // A server that still loads its data says so itself.
    enableReadyCheck: false,
  });
  redis.setMaxListeners(0);
  let lastTrouble: unknown;
  redis.on('error', (error) => {
    lastTrouble = error;
  });
  redis.on('ready', () => {
    lastTrouble = undefined;
  });
  let full = false;
  for (const name of Object.keys(scripts) as Script[])
    redis.defineCommand(name, { numberOfKeys: 1, lua: sourceOf(name) });
  const commands = redis as unknown as Record<Script, (args: (string | number)[]) => Promise<unknown>>;

  async function ready(): Promise<void> {
    if (redis.status === 'ready' || redis.status === 'end') return;
    try {
      await once(redis, 'ready', { signal: AbortSignal.timeout(connectTimeoutMs) });
    } catch (error) {
      // Why the last try to connect failed tells more than that the time is over.
      throw problemOf(lastTrouble ?? error);
    }
  }

  function problemOf(cause: unknown): RhapsodeError {
    const problem = redisError('store', cause);
    if (problem.code === 'store_full') full = true;
    onState(problem);
    return problem;
  }

  async function run(name: Script, args: (string | number)[]): Promise<unknown> {
    await ready();
    try {
      const answer = await commands[name](args);
      // What runs in a full Redis says nothing about room.
      if (scripts[name] === '#!lua') full = false;
      if (!full) onState(undefined);
      return answer;
    } catch (cause) {
      throw isScriptFault(cause) ? cause : problemOf(cause);
    }
  }

  return {
    run,
    /** Of a script that writes, for a server may answer and yet take nothing. */
    async ping() {
      await run('intake', ['', 0, 0, 'ping']);
    },
    async close() {
      if (redis.status === 'ready') await redis.quit().catch(() => redis.disconnect());
      else redis.disconnect();
    },
  };
}

/** An error in a script or in its arguments is ours; all others say that Redis can't serve now. */
const isScriptFault = (error: unknown): boolean => ['ERR', 'WRONGTYPE'].includes(redisWord(error) ?? '');

import { RhapsodeError } from './errors.ts';

const parts = {
  store: { name: 'The request store', full: 'store_full', unavailable: 'store_unavailable' },
  queue: { name: 'The queue', full: 'queue_full', unavailable: 'queue_unavailable' },
} as const;

/** By the first word of what Redis answers instead of serving: what is the matter, and what to do. */
const reasons: Readonly<Record<string, string>> = {
  READONLY: 'takes no writes: its Redis is a replica; RHAPSODE_REDIS_URL must name the primary.',
  LOADING: 'is not ready: its Redis still reads its data from disk.',
  MISCONF:
    'takes no writes: its Redis cannot write to its disk, which is full, gone or not its own; Redis’s log says which.',
  NOAUTH:
    'lets nobody in: its Redis wants a password; RHAPSODE_REDIS_URL must hold it (redis://:password@host).',
  WRONGPASS:
    'lets nobody in: its Redis refuses the user or the password of RHAPSODE_REDIS_URL, or wants none.',
  NOPERM:
    'lacks a permission: the user of RHAPSODE_REDIS_URL may not use what is needed; see ACL LOG in Redis.',
};
const fullAgainSeconds = 5;

/** The error that a part of ours has when its Redis can't serve, whether it says so or does not answer. */
export function redisError(part: keyof typeof parts, cause: unknown): RhapsodeError {
  const { name, full, unavailable } = parts[part];
  const word = redisWord(cause);
  if (word === 'OOM') return new RhapsodeError(full, { retryAfterSeconds: fullAgainSeconds, cause });
  const reason = reasons[word ?? ''];
  return new RhapsodeError(unavailable, { ...(reason ? { message: `${name} ${reason}` } : {}), cause });
}

/** `OOM` of `OOM command not allowed …`: the kind of an answer that is an error; undefined when there was no answer. */
export const redisWord = (error: unknown): string | undefined =>
  error instanceof Error && error.name === 'ReplyError' ? /^[A-Z]+\b/.exec(error.message)?.[0] : undefined;

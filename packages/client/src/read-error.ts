import { isErrorCode } from '@rhapsode/contracts';
import { clientError, type StreamError } from './errors.ts';

/** The error that a server answered with, as it was thrown there. */
export async function readError(response: Response): Promise<StreamError> {
  const body = (await response.json().catch(() => undefined)) as { error?: unknown } | undefined;
  return parseError(body?.error, {
    status: response.status,
    retryAfterSeconds: Number(response.headers.get('retry-after') ?? Number.NaN),
  });
}

/** OpenAI's envelope, as it comes over HTTP and in a session. */
export function parseError(
  envelope: unknown,
  { status, retryAfterSeconds = Number.NaN }: { status?: number; retryAfterSeconds?: number } = {},
): StreamError {
  const { code, message, param, segment } = (envelope ?? {}) as Readonly<Record<string, unknown>>;
  const known = typeof code === 'string' && isErrorCode(code);
  const otherwise = status !== undefined && status < 500 ? 'invalid_request' : 'internal_error';
  return clientError(known ? code : otherwise, {
    message: typeof message === 'string' ? message : `the server answered with status ${status}`,
    ...(typeof param === 'string' ? { param } : {}),
    ...(typeof segment === 'number' ? { segment } : {}),
    ...(Number.isFinite(retryAfterSeconds) ? { retryAfterSeconds } : {}),
  });
}

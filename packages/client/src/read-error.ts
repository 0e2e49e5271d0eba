import { isErrorCode, RhapsodeError } from '@rhapsode/contracts';

/** The error that a server answered with, as it was thrown there. */
export async function readError(response: Response): Promise<RhapsodeError> {
  const body = (await response.json().catch(() => undefined)) as
    | { error?: { code?: unknown; message?: unknown; param?: unknown; segment?: unknown } }
    | undefined;
  const { code, message, param, segment } = body?.error ?? {};
  const retryAfterSeconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const known = typeof code === 'string' && isErrorCode(code);
  return new RhapsodeError(known ? code : response.status < 500 ? 'invalid_request' : 'internal_error', {
    message: typeof message === 'string' ? message : `the server answered with status ${response.status}`,
    ...(typeof param === 'string' ? { param } : {}),
    ...(typeof segment === 'number' ? { segment } : {}),
    ...(Number.isFinite(retryAfterSeconds) ? { retryAfterSeconds } : {}),
  });
}

import { asRhapsodeError, type RhapsodeError } from '@rhapsode/contracts';

/** LMNT's kinds of error, by HTTP status. */
const types: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'payment_required_error',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
};

const typeOf = ({ status }: RhapsodeError): string =>
  types[status] ?? (status < 500 ? 'invalid_request_error' : 'internal_server_error');

/** An error as API 1.1 says it (over HTTP and WebSocket), or as it was said before. */
export function failureBody(thrown: unknown, version: 'old' | '1.1', requestId: string) {
  const error = asRhapsodeError(thrown);
  const { message } = error;
  return version === 'old'
    ? { error: message }
    : { type: 'error', error: { type: typeOf(error), message }, request_id: requestId };
}

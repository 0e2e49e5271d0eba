import { Metadata, type ServiceError, type StatusObject, status } from '@grpc/grpc-js';
import { asRhapsodeError, errorCatalogue } from '@rhapsode/contracts';

/** Where a field has another name than over HTTP. */
const names: Readonly<Record<string, string>> = { voice: 'config.voice_id' };

/** A failure as a gRPC status; the metadata says which entry of our catalogue it is. */
export function statusOf(thrown: unknown): Partial<StatusObject> & ServiceError {
  const error = asRhapsodeError(thrown);
  const metadata = new Metadata();
  metadata.set('rhapsode-code', error.code);
  if (error.param !== undefined && /^[\w.]+$/.test(error.param))
    metadata.set('rhapsode-param', names[error.param] ?? error.param);
  if (error.segment !== undefined) metadata.set('rhapsode-segment', String(error.segment));
  if (error.retryAfterSeconds !== undefined) metadata.set('retry-after', String(error.retryAfterSeconds));
  const code = status[errorCatalogue[error.code].grpc];
  return Object.assign(new Error(error.message), { code, details: error.message, metadata });
}

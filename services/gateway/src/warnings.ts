/** Something of a request that could not be honoured, which is told and never passed over in silence. */
export interface Warning {
  readonly code: string;
  readonly message: string;
}

const mostBytes = 4_000;

/** A header takes printable ASCII only; what else a message quotes is written as in a URL. */
export function warningHeader(warnings: readonly Warning[]): Record<string, string> {
  if (warnings.length === 0) return {};
  const text = warnings
    .map(({ code, message }) => `${code}: ${message}`)
    .join(' | ')
    .toWellFormed()
    .replace(/[^\x20-\x7e]/gu, (sign) => encodeURIComponent(sign));
  return { 'x-rhapsode-warning': text.slice(0, mostBytes) };
}

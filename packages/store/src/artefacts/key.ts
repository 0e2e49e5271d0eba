import { RhapsodeError } from '@rhapsode/contracts';

const part = /^(?!\.)[^/\\\x00-\x1f\x7f]{1,200}$/u;

/** A key is a path: parts of 1 to 200 bytes without control characters, slashes or a leading dot, 900 bytes in all. */
export function checkKey(key: string): string {
  const good =
    key.isWellFormed() &&
    Buffer.byteLength(key) <= 900 &&
    key.split('/').every((one) => part.test(one) && Buffer.byteLength(one) <= 200);
  if (!good) throw new RhapsodeError('internal_error', { cause: new Error(`not an artefact's key: ${key}`) });
  return key;
}

export function checkPrefix(prefix: string): string {
  if (!prefix.endsWith('/'))
    throw new RhapsodeError('internal_error', { cause: new Error(`not a folder: ${prefix}`) });
  checkKey(prefix.slice(0, -1));
  return prefix;
}

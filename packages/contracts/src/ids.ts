import * as z from 'zod';

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/** 128 random bits as 26 lower-case base32 characters (Crockford's alphabet): safe in a subject, a key and a URL. */
export function newUtteranceId(): string {
  let value = 0n;
  for (const byte of crypto.getRandomValues(new Uint8Array(16))) value = (value << 8n) | BigInt(byte);
  let id = '';
  for (let i = 0; i < 26; i++) {
    id = alphabet[Number(value & 31n)] + id;
    value >>= 5n;
  }
  return id;
}

/** An utterance id may be chosen by the client; it never holds a dot, a colon, a wildcard or a space. */
export const utteranceId = z.string().regex(/^[0-9a-z]{8,64}$/, 'must be 8 to 64 characters of 0-9 and a-z');

/** Tenants appear in keys: the alphabet keeps wildcards and separators out. */
export const tenantId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be 1 to 63 characters of a-z, 0-9 and -');

/** Pools name a BullMQ queue, which may not contain a colon. */
export const poolName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be 1 to 63 characters of a-z, 0-9 and -');

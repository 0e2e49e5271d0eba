import { RhapsodeError } from '@rhapsode/contracts';
import type { coverTypes } from '../render/settings.ts';

type CoverType = (typeof coverTypes)[number];

export const mostCoverBytes = 16 * 1024 * 1024;

const firstBytes: Readonly<Record<CoverType, string>> = {
  'image/jpeg': 'ffd8ff',
  'image/png': '89504e470d0a1a0a',
};

/** What a picture is, told by its first bytes. */
export function pictureType(bytes: Uint8Array): CoverType | undefined {
  const begin = Buffer.from(bytes.subarray(0, 8)).toString('hex');
  return (Object.keys(firstBytes) as CoverType[]).find((type) => begin.startsWith(firstBytes[type]));
}

export const coverTooLarge = (): RhapsodeError =>
  new RhapsodeError('payload_too_large', {
    message: `the cover is larger than ${mostCoverBytes} bytes`,
    param: 'cover',
  });

/** A player that is given something else shows nothing, or takes the whole file for damaged. */
export function checkCover(
  cover: { readonly mediaType: string; readonly bytes: Uint8Array } | undefined,
): void {
  if (!cover) return;
  if (cover.bytes.length > mostCoverBytes) throw coverTooLarge();
  if (pictureType(cover.bytes) === cover.mediaType) return;
  const said = cover.mediaType === 'image/png' ? 'PNG' : 'JPEG';
  throw new RhapsodeError('invalid_request', {
    message: `the cover is no ${said}, as its first bytes tell; send a JPEG or PNG and say which it is`,
    param: 'cover',
  });
}

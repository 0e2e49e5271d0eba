import type { GatewayConfig } from '../config.ts';

/** A gateway's settings in the words of the book package. */
export const bookLimits = ({
  maxBookCharacters,
  maxBookBytes,
  maxOpenBooks,
}: Pick<GatewayConfig, 'maxBookCharacters' | 'maxBookBytes' | 'maxOpenBooks'>) => ({
  maxCharacters: maxBookCharacters,
  maxBytes: maxBookBytes,
  maxOpen: maxOpenBooks,
});

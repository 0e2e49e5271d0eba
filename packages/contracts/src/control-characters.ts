/** Tab and the ends of lines, one of which (U+0085) is of the second set of controls. */
const lines = /[^\P{Cc}\t\n\r\x85]/u;
const any = /\p{Cc}/u;

/**
 * Where the first control character stands that may not be in a text, or -1: any but tab and line ends, or any at all where
 * there is one line only.
 */
export const controlCharacterAt = (text: string, { oneLine = false } = {}): number =>
  text.search(oneLine ? any : lines);

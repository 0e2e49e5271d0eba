/**
 * The text of a stream that the server may still need: from what it has confirmed to the end of what was fed. Offsets are
 * UTF-16 code units from the start of the whole text, as in the protocol.
 */
export interface TextQueue {
  /** End of what was fed. */
  readonly end: number;
  /** Everything before it is confirmed, and forgotten here. */
  readonly confirmed: number;
  add(text: string): void;
  confirm(offset: number): void;
  /** The piece at `from`, of at most `most` units; never half of a character. */
  piece(from: number, until: number, most: number): string;
}

const isHigh = (unit: number) => (unit & 0xfc00) === 0xd800;

export function createTextQueue(): TextQueue {
  const pieces: { offset: number; text: string }[] = [];
  let end = 0;
  let confirmed = 0;
  return {
    get end() {
      return end;
    },
    get confirmed() {
      return confirmed;
    },
    add(text) {
      if (text === '') return;
      pieces.push({ offset: end, text });
      end += text.length;
    },
    confirm(offset) {
      confirmed = Math.max(confirmed, Math.min(offset, end));
      while (pieces[0] && pieces[0].offset + pieces[0].text.length <= confirmed) pieces.shift();
    },
    piece(from, until, most) {
      let text = '';
      for (const one of pieces) {
        if (one.offset >= until || text.length > most) break;
        if (one.offset + one.text.length <= from) continue;
        const start = Math.max(0, from - one.offset);
        text += one.text.slice(start, Math.min(start + most + 1 - text.length, until - one.offset));
      }
      if (text.length <= most) return text;
      const halves = isHigh(text.charCodeAt(most - 1));
      // A character of two units is longer than the shortest piece.
      return text.slice(0, halves ? Math.max(2, most - 1) : most);
    },
  };
}

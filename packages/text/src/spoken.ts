/** `spoken.slice(spokenStart, spokenEnd)` says `source.slice(sourceStart, sourceEnd)`. Pieces are in order, without overlap. */
export interface MapPiece {
  readonly sourceStart: number;
  readonly sourceEnd: number;
  readonly spokenStart: number;
  readonly spokenEnd: number;
}

/** A part of a text that is spoken as one and never split. The tokens of a text tile it. */
export interface Token {
  readonly start: number;
  readonly end: number;
  /** What is to be said, without white space around it; empty if nothing. */
  readonly spoken: string;
  /** White space in the source: parts its neighbours. */
  readonly space?: boolean;
  /** Its spoken words are parted from its neighbours' although the source has no space: `5kg`, an emoji. */
  readonly apart?: boolean;
}

export interface Spoken {
  readonly text: string;
  readonly map: readonly MapPiece[];
}

const startsWord = /^[\p{L}\p{N}]/u;
const holds = /[\p{Ps}\p{Pi}\p{Pd}"'/]$/u;

/** Puts tokens together. `from` is where the source's offsets count from. */
export function joinTokens(tokens: readonly Token[], from: number): Spoken {
  const parts: string[] = [];
  const map: MapPiece[] = [];
  let length = 0;
  let parted = false;
  let apart = false;
  for (const token of tokens) {
    if (token.space) parted = true;
    if (token.spoken === '') continue;
    const between =
      parted ||
      ((apart || token.apart === true) && startsWord.test(token.spoken) && !holds.test(parts.at(-1) ?? ''));
    if (length > 0 && between) {
      parts.push(' ');
      length++;
    }
    parts.push(token.spoken);
    const spokenEnd = length + token.spoken.length;
    map.push({
      sourceStart: token.start - from,
      sourceEnd: token.end - from,
      spokenStart: length,
      spokenEnd,
    });
    length = spokenEnd;
    parted = false;
    apart = token.apart === true;
  }
  return { text: parts.join(''), map };
}

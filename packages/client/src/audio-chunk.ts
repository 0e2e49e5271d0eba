/** Exact mono audio, 16 bits a sample, as the voice made it. */
export interface AudioChunk {
  readonly pcm: Int16Array;
  readonly sampleRateHz: number;
  /** The first sample, counted from the start of the utterance. */
  readonly sample: number;
  readonly seconds: number;
  /** The sentence that the first sample belongs to. */
  readonly segment: number;
}

export interface Piece {
  readonly pcm: Int16Array;
  readonly segment: number;
}

export interface Rechunker {
  push(piece: Piece): AudioChunk[];
  /** What is left at the end. */
  rest(): AudioChunk[];
}

/** Cuts audio into chunks of `size()` samples; 0: leaves the pieces as they are. */
export function createRechunker(sampleRateHz: number, size: () => number): Rechunker {
  const waiting: Piece[] = [];
  let waitingSamples = 0;
  let sample = 0;

  function chunk({ pcm, segment }: Piece): AudioChunk {
    const made = { pcm, sampleRateHz, sample, seconds: sample / sampleRateHz, segment };
    sample += pcm.length;
    return made;
  }

  /** The next `length` samples of what is waiting. */
  function take(length: number): AudioChunk {
    const first = waiting[0]!;
    const pcm = new Int16Array(length);
    for (let at = 0; at < length; ) {
      const piece = waiting[0]!;
      const part = piece.pcm.subarray(0, length - at);
      pcm.set(part, at);
      at += part.length;
      if (part.length === piece.pcm.length) waiting.shift();
      else waiting[0] = { ...piece, pcm: piece.pcm.subarray(part.length) };
    }
    waitingSamples -= length;
    return chunk({ pcm, segment: first.segment });
  }

  const rest = () => (waitingSamples > 0 ? [take(waitingSamples)] : []);

  return {
    push(piece) {
      if (piece.pcm.length === 0) return [];
      if (size() === 0) return [...rest(), chunk(piece)];
      waiting.push(piece);
      waitingSamples += piece.pcm.length;
      const chunks: AudioChunk[] = [];
      while (size() > 0 && waitingSamples >= size()) chunks.push(take(size()));
      return chunks;
    },
    rest,
  };
}

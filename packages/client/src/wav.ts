/** A WAV file that was sent while it was made does not say how long it is: these are the bytes that do. */
export interface WavSizes {
  readonly offset: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const unknown = 0xffff_ffff;
const four = (view: DataView, at: number) =>
  String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + at, 4));

/** What to write over the head of a file of `length` bytes; nothing where it is no such file. */
export function wavSizes(head: Uint8Array, length: number): readonly WavSizes[] {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.length < 12 || four(view, 0) !== 'RIFF' || four(view, 8) !== 'WAVE') return [];
  const sizes: WavSizes[] = [];
  const put = (offset: number) => {
    if (view.getUint32(offset, true) !== unknown) return;
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, length - offset - 4, true);
    sizes.push({ offset, bytes });
  };
  put(4);
  for (let at = 12; at + 8 <= head.length; ) {
    if (four(view, at) === 'data') {
      put(at + 4);
      break;
    }
    at += 8 + view.getUint32(at + 4, true);
  }
  return sizes;
}

/** A head of so many bytes holds both sizes. */
export const wavHeadBytes = 256;

/** Of a file whose length is not known yet. */
export function wavHeader(sampleRateHz: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(44);
  const view = new DataView(bytes.buffer);
  const words = (at: number, text: string) => bytes.set(new TextEncoder().encode(text), at);
  words(0, 'RIFF');
  view.setUint32(4, unknown, true);
  words(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRateHz, true);
  view.setUint32(28, sampleRateHz * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  words(36, 'data');
  view.setUint32(40, unknown, true);
  return bytes;
}

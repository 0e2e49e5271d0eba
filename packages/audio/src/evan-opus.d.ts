/** The WebAssembly build, which the package's own types leave out. */
declare module '@evan/opus/wasm/index.js' {
  export class Encoder {
    constructor(options: { channels: 1 | 2; sample_rate: number; application: 'voip' | 'audio' });
    /** Reads a setting, or with a value sets it. */
    ctl(request: number, value?: number): number;
    encode(pcm: Int16Array): Uint8Array;
    /** Gives its memory back. */
    drop(): void;
  }
}

/** The first client has no types that a module of today can read. */
declare module 'lmnt-node-1' {
  interface Heard {
    readonly audio: Buffer;
    readonly durations?: { readonly text: string; readonly start: number; readonly duration: number }[];
    readonly buffer_empty?: boolean;
    readonly warning?: string;
  }
  interface Connection extends AsyncIterable<Heard> {
    appendText(text: string): void;
    flush(): void;
    finish(): void;
    close(): void;
  }
  interface Voice {
    readonly id: string;
    readonly name: string;
    readonly owner: string;
    readonly state: string;
  }
  export default class Speech {
    constructor(apiKey: string, baseUrl?: string);
    fetchVoices(options?: { starred?: boolean; owner?: string }): Promise<Voice[]>;
    fetchVoice(voice: string): Promise<Voice>;
    synthesize(
      text: string,
      voice: string,
      options?: Record<string, unknown>,
    ): Promise<{ audio: Buffer; seed?: number; durations?: Heard['durations'] }>;
    synthesizeStreaming(voice: string, options?: Record<string, unknown>): Connection;
  }
}

/** The part of the package that is used; it ships no types. */
declare module '@echogarden/espeak-ng-emscripten' {
  interface EspeakEvent {
    readonly type: string;
    /** From 1, in code points of the text that was given. */
    readonly text_position: number;
    /** In code points. */
    readonly word_length: number;
    /** In milliseconds. */
    readonly audio_position: number;
  }
  interface EspeakWorker {
    /** 0 if there is such a voice. */
    set_voice(name: string): number;
    set_rate(wordsPerMinute: number): void;
    set_pitch(pitch: number): void;
    /** Calls back about every 100 ms of audio; returning true stops. */
    synthesize(text: string, callback: (pcm: Int16Array, events: EspeakEvent[]) => boolean): void;
    text_to_phonemes(text: string, ipa: number): { readonly ptr: number };
    list_voices(): { name: string; identifier: string; languages: { name: string }[] }[];
  }
  interface EspeakModule {
    HEAPU8: Uint8Array;
    eSpeakNGWorker: new () => EspeakWorker;
  }

  export type { EspeakEvent, EspeakModule, EspeakWorker };
  export default function init(options?: { getPreloadedPackage: () => ArrayBuffer }): Promise<EspeakModule>;
}

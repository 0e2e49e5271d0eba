/** What a thread of AAC encoders is asked, and what it answers: one answer for each question, in any order. */
export interface AacQuestion {
  readonly id: number;
  /** Streams are numbered by who asks. */
  readonly stream: number;
  readonly ask:
    | { readonly type: 'start'; readonly sampleRateHz: number }
    | { readonly type: 'push'; readonly pcm: Int16Array<ArrayBuffer> }
    | { readonly type: 'finish' }
    | { readonly type: 'cancel' };
}

export interface AacAnswer {
  readonly id: number;
  readonly bytes?: Uint8Array<ArrayBuffer>;
  readonly error?: unknown;
}

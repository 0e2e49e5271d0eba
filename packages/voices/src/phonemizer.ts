/** Text to phonemes, clause by clause. Its `version` is part of the digest of every voice that uses it. */
export interface Phonemizer {
  version(): Promise<string>;
  /**
   * IPA of each clause: words separated by spaces, phones by nothing. A clause that the phonemizer divides further
   * comes back as several parts. Throws `model_invalid` for a language that it does not know.
   */
  phonemize(language: string, clauses: readonly string[]): Promise<string[][]>;
  close(): Promise<void>;
}

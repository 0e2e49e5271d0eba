/**
 * The artefact store: whole, named pieces of bytes of any length. Manuscripts, plans, spoken sentences, finished files.
 *
 * Promises
 * - `put` is whole or nothing: readers see the old bytes or the new ones, never a part of either, also when the writer dies
 *   in between. What is left of a dead writer is removed in time and is never listed.
 * - A `put` that has resolved is durable as far as the adapter goes (`durable: false` gives that up for speed: a power
 *   failure may then leave a damaged piece, so whoever asks for it must be able to tell).
 * - Who reads sees one version to its end, whatever is put or deleted meanwhile, or the reading fails.
 * - Memory does not grow with the length of a piece, as long as it is given and read as a stream.
 * - `list` gives what is there all the while once, in any order; it does not fail for what comes or goes meanwhile.
 * - No key may be another one's folder.
 * - Deleting what is not there is no mistake.
 * - Calls reject with `artefacts_unavailable` when the store can't be reached or is full, with the signal's reason when it
 *   is aborted, and with `internal_error` for a key that is none.
 *
 * The digest that `put` answers is for the caller to keep: a store tells what it holds, not what it should hold.
 */
export interface ArtefactStore {
  put(key: string, body: ArtefactBody, options?: PutOptions): Promise<PutResult>;
  /** Undefined if there is none. The body is read once, or closed by `return()` of its iterator. */
  get(key: string, options?: GetOptions): Promise<Artefact | undefined>;
  head(key: string): Promise<ArtefactInfo | undefined>;
  /** Pieces whose key begins with `prefix`. */
  list(prefix: string, options?: { readonly signal?: AbortSignal }): AsyncIterable<ArtefactInfo>;
  delete(key: string): Promise<void>;
  /** All whose key begins with `prefix`, which must end with `/`. */
  deleteAll(prefix: string): Promise<void>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

export type ArtefactBody = Uint8Array | AsyncIterable<Uint8Array>;

export interface PutOptions {
  readonly contentType?: string;
  /** True if not given. */
  readonly durable?: boolean;
  readonly signal?: AbortSignal;
}

export interface PutResult {
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

export interface GetOptions {
  /** Of the bytes, both inclusive; cut to what there is. `first` behind the end gives no bytes. */
  readonly range?: { readonly first: number; readonly last?: number };
  readonly signal?: AbortSignal;
}

export interface ArtefactInfo {
  readonly key: string;
  /** Of the whole. */
  readonly bytes: number;
  readonly modifiedAtMs: number;
}

export interface Artefact extends ArtefactInfo {
  readonly body: AsyncIterable<Uint8Array>;
}

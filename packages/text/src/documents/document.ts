/** What a document is made of, in reading order. */
export type DocumentPart =
  | { readonly type: 'info'; readonly info: BookInfo }
  /** What follows belongs to this chapter. `level`: that of the heading that starts it, if one does. */
  | { readonly type: 'chapter'; readonly title: string; readonly level?: number }
  | { readonly type: 'block'; readonly block: Block }
  | { readonly type: 'warning'; readonly warning: PlanWarning };

/** A stretch of text of one kind. The texts of all blocks, one behind the other, are the document's text. */
export interface Block {
  readonly kind: BlockKind;
  /** With the white space that follows it. */
  readonly text: string;
  /** More of the same block follows: a paragraph of any length comes in pieces. */
  readonly open?: boolean;
}

/** `text` is plain text, in which paragraphs and headings are still to be found. */
export type BlockKind = 'text' | 'heading' | 'paragraph' | 'item' | 'quote' | 'verse' | 'scene' | 'silent';

export interface BookInfo {
  readonly title?: string;
  readonly authors?: readonly string[];
  readonly language?: string;
  readonly cover?: { readonly mediaType: string; readonly bytes: Uint8Array };
}

export interface PlanWarning {
  readonly code: string;
  readonly message: string;
}

export interface DocumentLimits {
  /** Bytes of the document itself. */
  readonly bytes: number;
  /** Of an archive: entries, bytes of all and of one entry when inflated, inflated bytes for each byte in the archive. */
  readonly entries: number;
  readonly inflatedBytes: number;
  readonly entryBytes: number;
  readonly ratio: number;
  /** Elements within elements. */
  readonly depth: number;
}

export const documentLimits: DocumentLimits = {
  bytes: 256 * 1024 * 1024,
  entries: 20_000,
  inflatedBytes: 512 * 1024 * 1024,
  entryBytes: 64 * 1024 * 1024,
  ratio: 250,
  depth: 512,
};

export interface ReadOptions {
  readonly limits?: Partial<DocumentLimits>;
  /** Speak footnotes where they stand. They are left out by default. */
  readonly notes?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * The books of all tenants: what was asked for, who works on each, how far it is. What is big (manuscript, plan, audio) is in
 * the artefact store; here is what has to change as a whole.
 *
 * A book that is to `run` and has no outcome waits to be claimed. Who claims it holds a lease, and a fence that is higher than
 * any before; a lease that is not renewed ends by itself, and then anybody may claim the book again.
 *
 *   created ──claim──▶ leased ──settle──▶ ended
 *      ▲                 │                  │
 *      └─release, expiry─┘    revise, run ──┘   (pause, cancel: not claimed; whoever holds the lease hears it when renewing)
 *
 * Promises
 * - Every call is atomic and may be repeated after a lost answer, but for `claim`, whose lost answer costs one lease.
 * - `renew`, `release` and `settle` have no effect with a fence that is not the newest, or without a book.
 * - `settle` has no effect either when the book was revised since, or is no longer to run: its outcome would be of the past.
 * - Calls reject with `store_unavailable` when the server can't be reached or can't serve.
 */
export interface BookStore {
  /** `over_limit`: the tenant has `maxOpen` books that have not ended. In all other cases the book that is there now. */
  create(
    book: NewBook,
    limits: { maxOpen: number },
  ): Promise<{ result: 'created' | 'exists'; book: BookRecord } | { result: 'over_limit' }>;
  get(tenant: string, id: string): Promise<BookRecord | undefined>;
  /** Newest first; those behind the book `after`. */
  list(tenant: string, options: { after?: string; limit: number }): Promise<BookRecord[]>;
  /** How many that wait will be claimed before it; undefined if it does not wait. */
  ahead(tenant: string, id: string): Promise<number | undefined>;
  /** Says what is to become of it. `run` on a cancelled book goes on with it, `pause` has no effect there. No effect on one that has ended. */
  control(tenant: string, id: string, control: BookControl): Promise<BookRecord | undefined>;
  /**
   * The next edition: its outcome is forgotten and it is to run, unless it is paused. `edits` are added, by sentence; `facts` replace those of
   * before. Only if its edition is `expected`; otherwise nothing changes, as the answer shows.
   */
  revise(tenant: string, id: string, expected: number, change: BookChange): Promise<BookRecord | undefined>;
  /** By sentence. */
  edits(tenant: string, id: string): Promise<Map<number, string>>;
  delete(tenant: string, id: string): Promise<boolean>;

  /** The book that has waited longest, of a tenant with the fewest books under way. */
  claim(owner: string, leaseMs: number): Promise<ClaimedBook | undefined>;
  renew(lease: BookLease, leaseMs: number, progress?: string): Promise<BookRecord | undefined>;
  /** Gives it back; it may be claimed again after `delayMs`. */
  release(lease: BookLease, delayMs: number): Promise<void>;
  settle(lease: BookLease, edition: number, outcome: string): Promise<boolean>;

  ping(): Promise<void>;
  close(): Promise<void>;
}

export type BookControl = 'run' | 'pause' | 'cancel';

export interface NewBook {
  readonly tenant: string;
  readonly id: string;
  readonly createdAtMs: number;
  /** Tells a repeated request from another one with the same id. */
  readonly requestDigest: string;
  /** What the caller wants to know of it without opening an artefact: JSON. */
  readonly facts: string;
}

export interface BookRecord extends NewBook {
  /** From 0. */
  readonly edition: number;
  readonly control: BookControl;
  /** Of the newest claim. */
  readonly fence: number;
  /** Whether somebody holds a lease now. */
  readonly leased: boolean;
  /** What the holder told last; for display. */
  readonly progress: string | undefined;
  /** Of this edition. */
  readonly outcome: string | undefined;
}

export interface BookChange {
  readonly requestDigest?: string;
  readonly facts?: string;
  /** An empty text takes an edit back. */
  readonly edits?: ReadonlyMap<number, string>;
}

export interface BookLease {
  readonly tenant: string;
  readonly id: string;
  readonly fence: number;
}

export interface ClaimedBook {
  readonly lease: BookLease;
  readonly book: BookRecord;
}

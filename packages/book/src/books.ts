import { RhapsodeError } from '@rhapsode/contracts';
import {
  type Artefact,
  type ArtefactStore,
  type BookRecord,
  type BookStore,
  type GetOptions,
  readWhole,
} from '@rhapsode/store';
import { type BookFacts, bookFacts, bookOutcome, readJson } from './book-facts.ts';
import { type BookView, stateOf, viewOf } from './book-view.ts';
import { checkCover } from './create/check-cover.ts';
import { chooseVoices, type FindVoice } from './create/choose-voices.ts';
import { type BookEstimate, estimateBook } from './create/estimate-book.ts';
import {
  digestFile,
  dropPlan,
  type Manuscript,
  newHome,
  newName,
  type PlanDeps,
  type PlanLimits,
  requestDigest,
  type StoredPlan,
  storePlan,
} from './create/plan-book.ts';
import { anotherTake, editOf } from './edit-sentence.ts';
import { type BookPlace, filesFolder, homeFolder, resultKey } from './layout.ts';
import { markLeftover, unmarkLeftover } from './leftovers.ts';
import { listSentences, type SentenceView } from './list-sentences.ts';
import type { PlanSupervision } from './plan/plan-elsewhere.ts';
import type { OutputFile, RenderedBook } from './render/port.ts';
import type { BookSettings, SentenceEdit } from './request.ts';
import type { SegmentStore } from './segments/segment-store.ts';
import { noteChange } from './webhook/note-change.ts';
import { parseWebhookUrl, type WebhookSettings } from './webhook/send.ts';

export interface BooksDeps {
  readonly artefacts: ArtefactStore;
  readonly books: BookStore;
  readonly segments: SegmentStore;
  readonly findVoice: FindVoice;
  readonly limits: PlanLimits & {
    /** Books of a tenant that have not ended. */
    readonly maxOpen: number;
  };
  readonly supervision?: PlanSupervision;
  /** Names where a new book's pieces are kept: a name of its own, unless there is one book only and it is to be found again. */
  readonly newHome?: () => string;
  /** Of a new book: what failed in an earlier round, in pieces that are found again, is tried again. */
  readonly firstRound?: () => number;
  /** Absent: webhooks are off. */
  readonly webhooks?: Pick<WebhookSettings, 'allowPrivate'> | undefined;
}

export interface NewBookRequest {
  readonly tenant: string;
  readonly id: string;
  readonly settings: BookSettings;
  readonly manuscript: Manuscript;
  /** The edition that is to be followed by another: for a book that is there already and asks for something else now. */
  readonly replaces?: number | undefined;
  readonly signal?: AbortSignal;
}

/** What can be asked of books; whoever runs them (`runBooks`) may be another process. */
export interface Books {
  /** Kept when this resolves, come what may. The same request again is answered with what became of the first. */
  create(request: NewBookRequest): Promise<{ book: BookView; created: boolean }>;
  estimate(request: Omit<NewBookRequest, 'id' | 'replaces'>): Promise<BookEstimate>;
  get(tenant: string, id: string): Promise<BookView>;
  list(
    tenant: string,
    options: { after?: string; limit: number },
  ): Promise<{ books: BookView[]; more: boolean }>;
  pause(tenant: string, id: string): Promise<BookView>;
  /** Goes on with what is paused or was cancelled. */
  resume(tenant: string, id: string): Promise<BookView>;
  cancel(tenant: string, id: string): Promise<BookView>;
  /** Tries again what failed; makes files of a finished book again that are gone or damaged. */
  retry(tenant: string, id: string): Promise<BookView>;
  edit(
    tenant: string,
    id: string,
    sentence: number,
    edit: SentenceEdit,
    expected?: number,
  ): Promise<BookView>;
  sentences(
    tenant: string,
    id: string,
    options: { after?: number; limit: number; state?: SentenceView['state'] },
  ): Promise<SentenceView[]>;
  files(tenant: string, id: string): Promise<readonly OutputFile[]>;
  file(
    tenant: string,
    id: string,
    name: string,
    options?: GetOptions,
  ): Promise<OutputFile & { artefact: Artefact }>;
  delete(tenant: string, id: string): Promise<void>;
}

/** Of others that may come before one, which then is made anew on theirs. */
const mostOthers = 100;

function checkWebhook(url: string | undefined, webhooks: BooksDeps['webhooks']): void {
  if (url === undefined) return;
  if (!webhooks)
    throw new RhapsodeError('unsupported_setting', {
      message: 'webhooks are off here; leave out the webhook, or have them turned on',
      param: 'webhook',
    });
  parseWebhookUrl(url, webhooks, 'webhook');
}

function ended(record: BookRecord): RhapsodeError {
  const state = stateOf(record);
  return new RhapsodeError('book_ended', {
    message:
      state === 'cancelled'
        ? 'the book was cancelled; resume it first'
        : `the book has ended: it ${state.replace('_', ' ')}`,
  });
}

/** A word that is changed must not set a book going that somebody gave up. */
function refuseCancelled(record: BookRecord): void {
  if (stateOf(record) === 'cancelled') throw ended(record);
}

export function createBooks(deps: BooksDeps): Books {
  const { artefacts, books, limits } = deps;
  const factsOf = (record: BookRecord): BookFacts => readJson(bookFacts, record.facts);
  const placeOf = ({ tenant, id }: BookRecord, { home }: BookFacts): BookPlace => ({ tenant, id, home });

  async function find(tenant: string, id: string): Promise<BookRecord> {
    const record = await books.get(tenant, id);
    if (!record) throw new RhapsodeError('book_not_found', { message: `there is no book '${id}'` });
    return record;
  }
  async function view(record: BookRecord): Promise<BookView> {
    const waits = stateOf(record) === 'queued';
    return viewOf(record, waits ? await books.ahead(record.tenant, record.id) : undefined);
  }
  const planDeps = (signal: AbortSignal | undefined): PlanDeps => ({ ...deps, limits, signal });

  const factsFor = (
    home: string,
    { name, plan }: StoredPlan,
    settings: BookSettings,
    voice: string,
  ): BookFacts => ({
    v: 1,
    home,
    plan: name,
    title: (settings.metadata.title ?? plan.title ?? 'Untitled').slice(0, 1_000),
    chapters: plan.chapters.length,
    sentences: plan.sentences,
    characters: plan.characters,
    estimatedMs: plan.estimatedMs,
    sampleRateHz: plan.sampleRateHz,
    voice,
    round: deps.firstRound?.() ?? 0,
  });

  /** The same book again, or a reason why not. */
  function sameBook(record: BookRecord, digest: string): BookRecord {
    if (record.requestDigest === digest) return record;
    throw new RhapsodeError('book_exists', {
      message:
        `there is a book '${record.id}' already, with another text or other settings; ` +
        `choose another id, or send 'If-Match: "${record.edition}"' to make this its next edition`,
      param: 'id',
    });
  }

  /** Changes a book that may change meanwhile. */
  async function revise(
    record: BookRecord,
    change: (record: BookRecord) => Promise<Parameters<BookStore['revise']>[3]>,
    expected?: number,
  ): Promise<BookRecord> {
    let current = record;
    for (let others = 0; others <= mostOthers; others++) {
      if (expected !== undefined && current.edition !== expected)
        throw new RhapsodeError('book_changed', {
          message: `the book's edition is ${current.edition}, not ${expected}`,
          param: 'if-match',
        });
      const wanted = await change(current);
      const said = readJson(bookFacts, wanted.facts ?? current.facts);
      const facts = JSON.stringify({ ...said, revision: newName() });
      const { tenant, id, edition } = current;
      const revised = await books.revise(tenant, id, edition, { ...wanted, facts });
      if (!revised) throw new RhapsodeError('book_not_found');
      // The edition alone would not tell: somebody else may have made the next one.
      if (revised.facts === facts) return revised;
      current = revised;
    }
    throw new RhapsodeError('book_changed');
  }

  async function result(record: BookRecord): Promise<{ at: BookPlace; files: readonly OutputFile[] }> {
    const at = placeOf(record, factsOf(record));
    if (record.outcome === undefined || readJson(bookOutcome, record.outcome).state === 'failed')
      return { at, files: [] };
    const bytes = await readWhole(artefacts, resultKey(at, record.edition));
    if (!bytes) throw new RhapsodeError('book_damaged');
    return { at, files: (JSON.parse(bytes.toString()) as RenderedBook).files };
  }

  /** Whether its files are all there, and as long as they were made. */
  async function isWhole(record: BookRecord): Promise<boolean> {
    try {
      const { at, files } = await result(record);
      for (const { name, bytes } of files)
        if ((await artefacts.head(`${filesFolder(at)}${name}`))?.bytes !== bytes) return false;
      return true;
    } catch (error) {
      if (error instanceof RhapsodeError && error.code === 'book_damaged') return false;
      throw error;
    }
  }

  async function control(tenant: string, id: string, wanted: 'run' | 'pause' | 'cancel'): Promise<BookView> {
    const record = await books.control(tenant, id, wanted);
    if (!record) throw new RhapsodeError('book_not_found', { message: `there is no book '${id}'` });
    if (record.control !== wanted || (record.outcome !== undefined && wanted !== 'run')) throw ended(record);
    return view(record);
  }

  return {
    async create({ tenant, id, settings, manuscript, replaces, signal }) {
      checkWebhook(settings.webhook, deps.webhooks);
      checkCover(manuscript.cover);
      const chosen = await chooseVoices(settings, deps.findVoice);
      const digest = requestDigest(settings, await digestFile(manuscript.path), manuscript.cover);
      const known = await books.get(tenant, id);
      if (known && (replaces === undefined || known.requestDigest === digest))
        return { book: await view(sameBook(known, digest)), created: false };
      if (!known && replaces !== undefined)
        throw new RhapsodeError('book_not_found', {
          message: `there is no book '${id}' to follow`,
          param: 'if-match',
        });

      const home = known ? factsOf(known).home : (deps.newHome ?? newHome)();
      const at = { tenant, id, home };
      const stored = await storePlan(manuscript, settings, chosen, at, planDeps(signal));
      const facts = JSON.stringify(factsFor(home, stored, settings, chosen.main.id));
      try {
        if (known) {
          const before = factsOf(known);
          // Edits are of sentences by their number, which are others now.
          const change = async () => ({
            facts,
            requestDigest: digest,
            edits: new Map([...(await books.edits(tenant, id)).keys()].map((n) => [n, ''] as const)),
          });
          await markLeftover(artefacts, at, before.plan);
          const revised = await revise(known, change, replaces);
          await unmarkLeftover(artefacts, at, stored.name);
          await dropPlan(artefacts, at, before.plan);
          return { book: await view(revised), created: true };
        }
        const createdAtMs = Date.now();
        const added = await books.create({ tenant, id, createdAtMs, requestDigest: digest, facts }, limits);
        // There already: also the answer to a call that was repeated because its answer was lost.
        if (added.result === 'created' || (added.result === 'exists' && added.book.facts === facts)) {
          await unmarkLeftover(artefacts, at, stored.name);
          return { book: await view(added.book), created: true };
        }
        await artefacts.deleteAll(homeFolder(at));
        await unmarkLeftover(artefacts, at, stored.name);
        if (added.result === 'exists')
          return { book: await view(sameBook(added.book, digest)), created: false };
        throw new RhapsodeError('rate_limited', {
          message: `${limits.maxOpen} books of this tenant have not ended yet; try again when some have`,
          retryAfterSeconds: 60,
        });
      } catch (error) {
        // Whether the book was created may not be known, so its plan is left where it is unless it is plain that nobody needs it.
        if (error instanceof RhapsodeError && error.code === 'book_changed')
          await dropPlan(artefacts, at, stored.name);
        throw error;
      }
    },

    async estimate({ tenant, settings, manuscript, signal }) {
      checkWebhook(settings.webhook, deps.webhooks);
      checkCover(manuscript.cover);
      const chosen = await chooseVoices(settings, deps.findVoice);
      return estimateBook({ tenant, settings, manuscript, chosen }, { ...deps, signal });
    },

    get: async (tenant, id) => view(await find(tenant, id)),
    async list(tenant, { after, limit }) {
      const found = await books.list(tenant, { limit: limit + 1, ...(after === undefined ? {} : { after }) });
      // Otherwise a book that was deleted meanwhile would look like the end of the list.
      if (after !== undefined && found.length === 0 && !(await books.get(tenant, after)))
        throw new RhapsodeError('book_not_found', {
          message: `there is no book '${after}' to go on behind; begin again without 'after'`,
          param: 'after',
        });
      return { books: await Promise.all(found.slice(0, limit).map(view)), more: found.length > limit };
    },
    pause: (tenant, id) => control(tenant, id, 'pause'),
    resume: (tenant, id) => control(tenant, id, 'run'),
    async cancel(tenant, id) {
      const record = await find(tenant, id);
      const isNews = record.outcome === undefined && record.control !== 'cancel';
      if (deps.webhooks && isNews) await noteChange('cancelled', record, artefacts);
      return control(tenant, id, 'cancel');
    },

    async retry(tenant, id) {
      const record = await find(tenant, id);
      const state = stateOf(record);
      if (state === 'cancelled') return control(tenant, id, 'run');
      const isDamaged = state === 'succeeded' && !(await isWhole(record));
      if (!isDamaged && state !== 'partially_succeeded' && state !== 'failed') return view(record);
      return view(
        await revise(record, async (now) => {
          const facts = factsOf(now);
          return { facts: JSON.stringify({ ...facts, round: facts.round + 1 }) };
        }),
      );
    },

    async edit(tenant, id, sentence, edit, expected) {
      const record = await find(tenant, id);
      const facts = factsOf(record);
      refuseCancelled(record);
      const kept = await editOf(sentence, edit, placeOf(record, facts), facts, deps);
      const isTake = edit.take !== undefined && edit.text === undefined && edit.phonemes === undefined;
      return view(
        await revise(
          record,
          async (now) => {
            if (factsOf(now).plan !== facts.plan) throw new RhapsodeError('book_changed');
            refuseCancelled(now);
            const before = isTake ? (await books.edits(tenant, id)).get(sentence) : undefined;
            return { edits: new Map([[sentence, isTake ? anotherTake(before, kept) : kept]]) };
          },
          expected,
        ),
      );
    },

    async sentences(tenant, id, options) {
      const record = await find(tenant, id);
      const facts = factsOf(record);
      return listSentences(placeOf(record, facts), facts, options, deps);
    },
    async files(tenant, id) {
      return (await result(await find(tenant, id))).files;
    },
    async file(tenant, id, name, options) {
      const { at, files } = await result(await find(tenant, id));
      const file = files.find((one) => one.name === name);
      const artefact = file && (await artefacts.get(`${filesFolder(at)}${name}`, options));
      if (!file || !artefact)
        throw new RhapsodeError('file_not_found', {
          message: `the book '${id}' has no file '${name}', or not yet`,
        });
      return { ...file, artefact };
    },

    async delete(tenant, id) {
      const record = await find(tenant, id);
      const at = placeOf(record, factsOf(record));
      if (deps.webhooks) await noteChange('deleted', record, artefacts);
      // The mark stays: who makes the book may write for a moment longer.
      await markLeftover(artefacts, at);
      if (!(await books.delete(tenant, id))) throw new RhapsodeError('book_not_found');
      await artefacts.deleteAll(homeFolder(at));
    },
  };
}

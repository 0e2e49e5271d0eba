import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import {
  checkSettings,
  newUtteranceId,
  RhapsodeError,
  type Segment,
  type SpeechSettings,
  type Utterance,
  type VoiceInfo,
} from '@rhapsode/contracts';
import type { RequestStore } from '@rhapsode/store';
import { type PlanWarning, planText } from '@rhapsode/text';
import type { Dispatcher } from './dispatch.ts';
import { type Observer, silent } from './observe.ts';
import { createSegmentPlanner, type SegmentPlanner, type TextOptions } from './segment-planner.ts';
import { createSpokenLimit, type SpokenLimits } from './spoken-limit.ts';

export interface SubmitDeps {
  readonly store: RequestStore;
  readonly dispatcher: Pick<Dispatcher, 'kick' | 'heal' | 'cancel'>;
  readonly limits?: Partial<SubmitLimits>;
  readonly observer?: Observer;
}

export interface SubmitLimits extends SpokenLimits {
  /** UTF-16 code units of text per utterance. */
  readonly textLength: number;
  /** Characters of a text that arrives in pieces; one of two code units is one. */
  readonly characters: number;
  /** Utterances of a tenant that are neither finished nor cancelled. */
  readonly openUtterances: number;
  /** Seconds to wait that a refused tenant is told. */
  readonly retryAfterSeconds: number;
}

export const submitLimits: SubmitLimits = {
  textLength: 10_000_000,
  characters: 10_000_000,
  segments: 200_000,
  spokenLength: 20_000_000,
  openUtterances: 10_000,
  retryAfterSeconds: 5,
};

export interface SubmitRequest extends TextOptions {
  /** Chosen by the caller to make a repeat harmless; made here otherwise. */
  readonly id?: string;
  readonly tenant: string;
  readonly class: Utterance['class'];
  readonly pool: string;
  readonly weight?: number;
  readonly voice: VoiceInfo;
  readonly speaker?: string | undefined;
  readonly speed?: number;
  readonly settings?: SpeechSettings | undefined;
  readonly seed?: number;
  /** Most sentences between released and consumed; by default 6 for a listener and 64 for bulk. */
  readonly window?: number;
}

export interface TextWriter {
  readonly utterance: Utterance;
  /** Number of segments stored so far. */
  readonly segments: number;
  /** What of the text or its options could not be honoured so far. */
  readonly warnings: readonly PlanWarning[];
  /** Takes the next piece of text; speaks the sentences that it completes. */
  write(text: string): Promise<void>;
  /** Speaks what is held, although the sentence may not have ended. */
  flush(): Promise<void>;
  /** Speaks what is held; no more text will come. */
  finish(): Promise<void>;
  cancel(): Promise<void>;
}

/**
 * Text is planned and stored slice by slice: the first sentence is on its way before the last one is read, and the
 * process answers others in between.
 */
const sliceLength = 2_048;
const digestLength = 1 << 20;

export interface Submission {
  readonly utterance: Utterance;
  /**
   * The number of segments, when all of them are stored: accepted means kept from then on. Listening may begin before.
   * Rejects if that fails; the utterance is cancelled then, unless the caller chose its id and may try again.
   */
  readonly stored: Promise<number>;
  /** What could not be honoured; complete when all is stored. Only SSML, lexicons and marks in the text lead to any. */
  readonly warnings: readonly PlanWarning[];
}

/**
 * Speaks a whole text: admits it, stores its segments, releases the first ones. Repeating it with the same id is harmless:
 * what is stored already stays, what is missing is added.
 */
export async function submit(text: string, request: SubmitRequest, deps: SubmitDeps): Promise<Submission> {
  checkLength(text.length, { ...submitLimits, ...deps.limits });
  const utterance = utteranceOf(request);
  const planner = createSegmentPlanner({ ...request, utterance });
  const ssml = request.input === 'ssml' ? await planSsml(text, planner, deps) : undefined;
  if (ssml ? ssml.every(saysNothing) : !hasWords(text))
    throw reject(
      deps,
      new RhapsodeError('text_empty', { message: 'the text has nothing to speak', param: 'input' }),
    );
  const requestDigest = await digestOf(text, request);
  const { writer, keep } = await openUtterance({ ...utterance, requestDigest }, planner, deps);
  const storing = ssml ? keep(ssml, true).then(() => ssml.length) : writeWhole(text, writer);
  const stored = storing.catch(async (error: unknown) => {
    const mayTryAgain = request.id !== undefined && error instanceof RhapsodeError && error.retryable;
    if (!mayTryAgain)
      await writer.cancel().catch((failure: unknown) => (deps.observer ?? silent).trouble('cancel', failure));
    throw error;
  });
  stored.catch(() => {});
  return {
    utterance: writer.utterance,
    stored,
    get warnings() {
      return planner.warnings;
    },
  };
}

/** SSML that is not well-formed is refused before anything is kept. */
async function planSsml(xml: string, planner: SegmentPlanner, deps: SubmitDeps): Promise<Segment[]> {
  try {
    return [...planner.feed(xml), ...(await planner.finish())];
  } catch (error) {
    throw error instanceof RhapsodeError ? reject(deps, error) : error;
  }
}

const saysNothing = ({ text, pauseSamples }: Segment): boolean => text === '' && pauseSamples === 0;

/** Whether there is anything to speak: a letter or digit, or a sign that has a name, such as € or an emoji. */
export const hasWords = (text: string): boolean =>
  /[\p{L}\p{N}]/u.test(text) ||
  (/\p{S}/u.test(text) &&
    planText(text.slice(0, sliceLength)).some(({ spoken }) => /[\p{L}\p{N}]/u.test(spoken)));

async function writeWhole(text: string, writer: TextWriter): Promise<number> {
  for (let at = 0; at < text.length; at += sliceLength) {
    // A store in memory answers within the same turn of the event loop.
    if (at > 0) await setImmediate();
    await writer.write(text.slice(at, at + sliceLength));
  }
  await writer.finish();
  return writer.segments;
}

/** Admits an utterance whose text is still to come. */
export async function open(request: SubmitRequest, deps: SubmitDeps): Promise<TextWriter> {
  const utterance = utteranceOf(request);
  const planner = createSegmentPlanner({ ...request, utterance });
  return (await openUtterance(utterance, planner, deps)).writer;
}

interface OpenUtterance {
  readonly writer: TextWriter;
  /** Stores the next segments; `seal`: they are the last. */
  keep(planned: readonly Segment[], seal: boolean): Promise<void>;
}

async function openUtterance(
  utterance: Utterance,
  planner: SegmentPlanner,
  deps: SubmitDeps,
): Promise<OpenUtterance> {
  const { store, dispatcher } = deps;
  const limits = { ...submitLimits, ...deps.limits };
  const { id, pool } = utterance;
  await admit(utterance, limits, deps);

  const spoken = createSpokenLimit(limits);
  let length = 0;

  async function keep(planned: readonly Segment[], seal: boolean): Promise<void> {
    const at = spoken.segments;
    spoken.add(planned);
    await store.append(id, planned, { at, seal });
    void dispatcher.kick(pool);
    // The end record lets a listener know that nothing follows.
    if (seal) await dispatcher.heal(id, spoken.segments, []);
  }

  const writer: TextWriter = {
    utterance,
    get segments() {
      return spoken.segments;
    },
    get warnings() {
      return planner.warnings;
    },
    async write(text) {
      length += text.length;
      checkLength(length, limits);
      const planned = planner.feed(text);
      if (planned.length > 0) await keep(planned, false);
    },
    async flush() {
      const planned = planner.flush();
      if (planned.length > 0) await keep(planned, false);
    },
    finish: async () => keep(await planner.finish(), true),
    async cancel() {
      await dispatcher.cancel(id);
    },
  };
  return { writer, keep };
}

/** Counts it among the tenant's, unless that has too many or the id is taken. */
export async function admit(utterance: Utterance, limits: SubmitLimits, deps: SubmitDeps): Promise<void> {
  const { id, requestDigest } = utterance;
  const admitted = await deps.store.create(utterance, { maxOpen: limits.openUtterances });
  if (admitted === 'over_limit')
    throw reject(
      deps,
      new RhapsodeError('rate_limited', {
        message: `${limits.openUtterances} utterances of this tenant are open already; try again when some have ended`,
        retryAfterSeconds: limits.retryAfterSeconds,
      }),
    );
  if (admitted === 'created') return;
  const known = await deps.store.get(id);
  if (requestDigest === undefined || known?.utterance.requestDigest !== requestDigest)
    throw reject(
      deps,
      new RhapsodeError('utterance_exists', {
        message: `utterance ${id} exists already, with another text or voice`,
        param: 'id',
      }),
    );
}

/** A long text is digested in parts too. */
async function digestOf(text: string, request: SubmitRequest): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(settingsOf(request)));
  for (let at = 0; at < text.length; at += digestLength) {
    if (at > 0) await setImmediate();
    hash.update(text.slice(at, at + digestLength), 'utf16le');
  }
  return hash.digest('hex');
}

/** What makes two requests the same. */
const settingsOf = ({
  tenant,
  class: kind,
  pool,
  voice,
  speaker,
  speed,
  seed,
  settings,
  ...text
}: SubmitRequest) => [
  tenant,
  kind,
  pool,
  voice.id,
  speaker ?? null,
  speed ?? 1,
  seed ?? 0,
  text.input ?? 'text',
  text.normalise ?? 'auto',
  text.inline ?? false,
  (text.lexicons ?? []).map(({ digest }) => digest),
  // Whatever the order they were written in.
  Object.entries(settings ?? {})
    .filter(([, value]) => value !== undefined)
    .sort(),
];

export function utteranceOf(request: SubmitRequest): Utterance {
  const { voice, tenant, pool, speaker, settings, weight = 1, speed = 1, seed = 0 } = request;
  checkSettings(voice, { speed, speaker, settings });
  return {
    v: 1,
    id: request.id ?? newUtteranceId(),
    tenant,
    class: request.class,
    pool,
    weight,
    voice: voice.id,
    voiceDigest: voice.digest,
    deterministic: voice.deterministic,
    sampleRateHz: voice.sampleRateHz,
    ...(speaker === undefined ? {} : { speaker }),
    speed,
    ...(settings === undefined ? {} : { settings }),
    seed,
    window: request.window ?? (request.class === 'interactive' ? 6 : 64),
    createdAtMs: Date.now(),
  };
}

function checkLength(length: number, { textLength }: SubmitLimits): void {
  if (length > textLength)
    throw new RhapsodeError('text_too_long', {
      message: `the text is longer than ${textLength} characters; send it in parts`,
      param: 'input',
    });
}

function reject({ observer = silent }: SubmitDeps, error: RhapsodeError): RhapsodeError {
  observer.rejected(error.code);
  return error;
}

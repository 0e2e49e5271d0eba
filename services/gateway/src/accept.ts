import { RhapsodeError, type SpeechSettings, type Utterance } from '@rhapsode/contracts';
import {
  type ArrivingOptions,
  type ArrivingText,
  openArriving,
  resumeArriving,
  type Submission,
  type SubmitDeps,
  type SubmitRequest,
  submit,
} from '@rhapsode/pipeline';
import { checkLength, checkText } from '@rhapsode/service';
import type { UtteranceState } from '@rhapsode/store';
import type { GatewayDeps } from './deps.ts';
import { withRules } from './kept-lexicons.ts';
import { type ReadyText, type TextRequest, textOptions } from './text-options.ts';

export interface SpokenRequest extends TextRequest {
  readonly voice: string;
  readonly class: Utterance['class'];
  readonly id?: string | undefined;
  readonly speaker?: string | undefined;
  readonly speed?: number | undefined;
  readonly seed?: number | undefined;
  readonly settings?: SpeechSettings | undefined;
}

/** Checks a request against the voice and the limits, then hands it to the pipeline. Nothing is kept of one that is refused. */
export async function accept(
  { input, ...request }: SpokenRequest & { readonly input: string },
  deps: GatewayDeps,
): Promise<Submission> {
  checkLength(input, mostCharacters(request, deps), 'input');
  checkText(input, 'input');
  const ready = await withRules(request, deps);
  return submit(input, await submission(ready, deps), submitDeps(request, deps));
}

/** The same for one whose text is still to come, and kept in the store as it comes: any gateway may go on with it. */
export async function acceptArriving(
  asked: SpokenRequest & { readonly transient?: boolean },
  deps: GatewayDeps,
  options: ArrivingOptions = {},
): Promise<ArrivingText> {
  const request = await withRules(asked, deps);
  return openArriving(
    {
      ...(await submission(request, deps)),
      idleMs: deps.limits.textIdleSeconds * 1000,
      reading: readingOf(request),
      ...(request.transient === undefined ? {} : { transient: request.transient }),
    },
    submitDeps(request, deps),
    options,
  );
}

/** Goes on with such a one. */
export async function goOn(
  state: UtteranceState,
  deps: GatewayDeps,
  options: ArrivingOptions = {},
): Promise<ArrivingText> {
  const { utterance } = state;
  const { input, ...reading } = utterance.reading ?? {};
  const found = await deps.voices.find(utterance.voice, 'voice');
  const text = await textOptions({ ...reading, inputType: input }, found, deps);
  return resumeArriving(state, { ...text, voice: found.voice }, submitDeps(utterance, deps), options);
}

/** What has to be known to plan on somewhere else. */
const readingOf = ({ inputType, normalise, inline, lexicon }: ReadyText): Utterance['reading'] => ({
  ...(inputType === undefined ? {} : { input: inputType }),
  ...(normalise === undefined ? {} : { normalise }),
  ...(inline === undefined ? {} : { inline }),
  ...(lexicon === undefined ? {} : { lexicon: kept(lexicon) }),
});

/** It travels with every sentence of the text. */
const longestLexicon = 16_384;

function kept(lexicon: NonNullable<ReadyText['lexicon']>) {
  if (JSON.stringify(lexicon).length <= longestLexicon) return lexicon;
  throw new RhapsodeError('invalid_request', {
    message: `a text that arrives in pieces takes a lexicon of at most ${longestLexicon} characters of JSON; send it whole, or fewer rules`,
    param: 'lexicon',
  });
}

export const mostCharacters = (request: Pick<Utterance, 'class'>, { limits }: GatewayDeps): number =>
  request.class === 'bulk' ? limits.maxBulkCharacters : limits.maxSpeechCharacters;

async function submission(
  { voice: name, id, speed, seed, class: utteranceClass, ...request }: ReadyText<SpokenRequest>,
  deps: GatewayDeps,
): Promise<SubmitRequest> {
  const { tenant, logGuard } = deps;
  const found = await deps.voices.find(name, 'voice');
  const { voice, pool } = found;
  const speaker = request.speaker ?? found.speaker;
  const text = await textOptions(request, found, deps);
  await logGuard.check();
  return {
    ...text,
    tenant,
    class: utteranceClass,
    pool,
    voice,
    speaker,
    settings: request.settings,
    ...(id === undefined ? {} : { id }),
    ...(speed === undefined ? {} : { speed }),
    ...(seed === undefined ? {} : { seed }),
  };
}

const submitDeps = (request: Pick<Utterance, 'class'>, deps: GatewayDeps): SubmitDeps => ({
  store: deps.store,
  dispatcher: deps.dispatcher,
  observer: deps.observer,
  limits: {
    // The pipeline counts UTF-16 code units, of which a character has one or two.
    textLength: 2 * mostCharacters(request, deps),
    characters: mostCharacters(request, deps),
    openUtterances: deps.limits.maxOpenUtterances,
  },
});

import type { Utterance } from '@rhapsode/contracts';
import {
  open,
  type Submission,
  type SubmitDeps,
  type SubmitRequest,
  submit,
  type TextWriter,
} from '@rhapsode/pipeline';
import { checkLength, checkText } from '@rhapsode/service';
import type { GatewayDeps } from './deps.ts';

export interface SpokenRequest {
  readonly voice: string;
  readonly class: Utterance['class'];
  readonly id?: string | undefined;
  readonly speaker?: string | undefined;
  readonly speed?: number | undefined;
  readonly seed?: number | undefined;
}

/** Checks a request against the voice and the limits, then hands it to the pipeline. Nothing is kept of one that is refused. */
export async function accept(
  { input, ...request }: SpokenRequest & { readonly input: string },
  deps: GatewayDeps,
): Promise<Submission> {
  checkLength(input, mostCharacters(request, deps), 'input');
  checkText(input, 'input');
  return submit(input, await submission(request, deps), submitDeps(request, deps));
}

/** The same for an utterance whose text is still to come. */
export const acceptOpen = async (request: SpokenRequest, deps: GatewayDeps): Promise<TextWriter> =>
  open(await submission(request, deps), submitDeps(request, deps));

const mostCharacters = (request: SpokenRequest, { limits }: GatewayDeps): number =>
  request.class === 'bulk' ? limits.maxBulkCharacters : limits.maxSpeechCharacters;

async function submission(
  { voice: name, id, speed, seed, speaker, class: utteranceClass }: SpokenRequest,
  { voices, tenant, logGuard }: GatewayDeps,
): Promise<SubmitRequest> {
  const { voice, pool } = await voices.find(name, 'voice');
  await logGuard.check();
  return {
    tenant,
    class: utteranceClass,
    pool,
    voice,
    speaker,
    ...(id === undefined ? {} : { id }),
    ...(speed === undefined ? {} : { speed }),
    ...(seed === undefined ? {} : { seed }),
  };
}

const submitDeps = (request: SpokenRequest, deps: GatewayDeps): SubmitDeps => ({
  store: deps.store,
  dispatcher: deps.dispatcher,
  observer: deps.observer,
  limits: {
    // The pipeline counts UTF-16 code units, of which a character has one or two.
    textLength: 2 * mostCharacters(request, deps),
    openUtterances: deps.limits.maxOpenUtterances,
  },
});

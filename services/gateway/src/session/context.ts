import { errorBody, RhapsodeError, settingLimits, start, type Utterance } from '@rhapsode/contracts';
import type { Nonce } from '@rhapsode/contracts/session';
import type { ArrivingText } from '@rhapsode/pipeline';
import { acceptArriving, goOn, type SpokenRequest } from '../accept.ts';
import type { GatewayDeps } from '../deps.ts';
import { ownUtterance } from '../own-utterance.ts';
import { type Hearing, hearingOf, type OpenMessage, type ResumeMessage } from './hearing.ts';
import type { Link } from './link.ts';
import { persist } from './persist.ts';
import type { SessionLimits } from './session-limits.ts';
import { type Speech, type SpeechOptions, startSpeech } from './speech.ts';
import { samplesBefore } from './start-sample.ts';

/**
 * One context of a session.
 *
 *   open, resume ──▶ live ──last audio of a finished text──▶ ended (`end`)
 *                    │  ├──cancel, or cancelled elsewhere──▶ ended (`cancelled`)
 *                    │  ├──it can't go on──────────────────▶ ended (fatal `error`)
 *                    │  └──the socket closes───────────────▶ ended; the utterance waits for a socket that resumes it
 *                    └─reset─▶ live, with a new utterance
 */
export interface Context {
  /** Its utterance now. */
  readonly utterance: string;
  /** Aborted when it has ended; with the reason `failed` if neither the client nor the text has ended it. */
  readonly ended: AbortSignal;
  readonly speech: Speech;
  reset(nonce: Nonce): Promise<void>;
  cancel(): void;
  /** Without a word: its socket is closed. */
  leave(): void;
}

export interface ContextDeps {
  readonly gateway: GatewayDeps;
  readonly link: Link;
  readonly limits: SessionLimits;
  /** The next `context_number` of the socket. */
  readonly nextNumber: () => number;
}

type Begin = Pick<SpeechOptions, 'utterance' | 'texts' | 'from' | 'startSample' | 'resumed'>;

const begin = (texts: ArrivingText): Begin => ({
  utterance: texts.utterance,
  texts,
  from: start,
  startSample: 0,
  resumed: false,
});

const openText = (request: SpokenRequest, gateway: GatewayDeps): Promise<ArrivingText> =>
  acceptArriving({ ...request, transient: true }, gateway, { keepSource: true });

export async function openContext(message: OpenMessage, deps: ContextDeps): Promise<Context> {
  const { gateway } = deps;
  const { context, voice = 'default', input: inputType, ...fields } = message;
  const { id, speaker, speed, seed, normalise, inline, lexicon, chunk_seconds } = fields;
  const settings =
    chunk_seconds === undefined
      ? fields.settings
      : { chunk_seconds: Math.max(chunk_seconds, settingLimits.chunk_seconds.min), ...fields.settings };
  const reading = { inputType, normalise, inline, lexicon };
  const request = { voice, class: 'interactive', id, speaker, speed, seed, settings, ...reading } as const;
  const texts = await openText(request, gateway);
  return createContext(context, begin(texts), hearingOf(message), deps);
}

export async function resumeContext(message: ResumeMessage, deps: ContextDeps): Promise<Context> {
  const { gateway, link } = deps;
  const { context, utterance: id, position } = message;
  const patiently = <T>(work: () => Promise<T>): Promise<T> => persist(work, link.closed);
  const { store, dispatcher } = gateway;
  const state = await patiently(() => ownUtterance({ id }, gateway));
  const { utterance } = state;
  if (state.cancelled) throw new RhapsodeError('cancelled', { message: `utterance ${id} was cancelled` });
  if (position.segment > state.segments)
    throw new RhapsodeError('range_not_satisfiable', {
      message: `'position' is in segment ${position.segment}; the utterance has ${state.segments}`,
      param: 'position',
    });
  await patiently(() => store.hold(id, 'writer'));
  const texts = state.text && (await patiently(() => goOn(state, gateway, { keepSource: true })));
  // A store that lost its last second may have lost with it what was heard.
  if (position.segment > state.consumed)
    await patiently(() => dispatcher.consumed(utterance, position.segment));
  const startSample = await patiently(() => samplesBefore(position.segment, id, store, link.closed));
  const speech = { utterance, texts, from: position, startSample, resumed: true };
  return createContext(context, speech, hearingOf(message), deps);
}

function createContext(name: string, first: Begin, hearing: Hearing, deps: ContextDeps): Context {
  const { gateway, link, limits, nextNumber } = deps;
  const { log, dispatcher } = gateway;
  const ended = new AbortController();
  let speech = speak(first);

  function speak(from: Begin): Speech {
    return startSpeech({
      ...from,
      context: name,
      contextNumber: nextNumber(),
      hearing,
      maxCharacters: limits.textCharacters,
      gateway,
      link,
      onEnd: (segments, samples) => end(() => link.send({ type: 'end', context: name, segments, samples })),
      onFailure: fail,
    });
  }

  function end(say: () => void, why?: 'failed'): void {
    if (ended.signal.aborted) return;
    speech.close();
    say();
    ended.abort(why);
  }

  const endCancelled = (why?: 'failed') => end(() => link.send({ type: 'cancelled', context: name }), why);

  function fail(error: unknown): void {
    if (error instanceof RhapsodeError && error.code === 'cancelled') {
      endCancelled('failed');
      return;
    }
    log.warn({ utterance: speech.utterance.id, error }, 'a context of a session failed');
    end(() => link.send({ type: 'error', context: name, ...errorBody(error), fatal: true }), 'failed');
  }

  /** Tried again while a server is away; at last it is cancelled because nobody holds it. */
  function forget({ utterance: { id } }: Pick<Speech, 'utterance'>): void {
    const patience = AbortSignal.timeout(limits.idleSeconds * 1000);
    persist(() => dispatcher.cancel(id), patience).catch((error: unknown) =>
      log.warn({ utterance: id, error }, 'not cancelled'),
    );
  }

  return {
    get utterance() {
      return speech.utterance.id;
    },
    ended: ended.signal,
    get speech() {
      return speech;
    },
    async reset(nonce) {
      speech.close();
      forget(speech);
      try {
        const texts = await openText(requestOf(speech.utterance), gateway);
        if (ended.signal.aborted) {
          forget(texts);
          return;
        }
        speech = speak(begin(texts));
        link.send({ type: 'reset_done', context: name, nonce });
      } catch (error) {
        fail(error);
      }
    },
    cancel() {
      endCancelled();
      forget(speech);
    },
    leave() {
      speech.close();
      ended.abort();
    },
  };
}

/** The same once more, under another id. */
const requestOf = ({ voice, speaker, speed, seed, settings, reading }: Utterance): SpokenRequest => ({
  voice,
  class: 'interactive',
  speaker,
  speed,
  seed,
  settings,
  inputType: reading?.input,
  normalise: reading?.normalise,
  inline: reading?.inline,
  lexicon: reading?.lexicon,
});

import { RhapsodeError } from '@rhapsode/contracts';
import type { ArrivingText } from '@rhapsode/pipeline';
import type { UtteranceState } from '@rhapsode/store';
import { acceptArriving, goOn, type SpokenRequest } from './accept.ts';
import type { GatewayDeps } from './deps.ts';

/**
 * Utterances whose text arrives piece by piece, by requests of their own, at any gateway: the request store has the text, and
 * what is kept here is only what was last planned. One that nobody writes to for too long is cancelled: its listener gets an
 * error and not a text that seems to end there.
 */
export interface TextSessions {
  open(request: SpokenRequest): Promise<ArrivingText>;
  /** Speaks one piece; see `Piece`. Returns how it stands then. */
  write(state: UtteranceState, piece: Piece): Promise<TextState>;
  finish(state: UtteranceState): Promise<TextState>;
}

export interface Piece {
  readonly input: string;
  /**
   * Where the piece begins in the whole text, in UTF-16 code units. A piece that is there already is not spoken again, so a
   * request whose answer was lost can be repeated.
   */
  readonly offset?: number | undefined;
  /** Speak all that is there, although the sentence may not have ended. */
  readonly flush?: boolean | undefined;
}

export interface TextState {
  readonly id: string;
  /** UTF-16 code units so far. */
  readonly received: number;
  readonly segments: number;
}

/** Texts that are planned further without reading them again. */
const mostKept = 1_000;

export function createTextSessions(deps: GatewayDeps): TextSessions {
  /** Least recently used first. */
  const kept = new Map<string, Promise<ArrivingText>>();

  function keep(id: string, text: Promise<ArrivingText>): Promise<ArrivingText> {
    kept.delete(id);
    kept.set(id, text);
    for (const oldest of kept.keys()) {
      if (kept.size <= mostKept) break;
      kept.delete(oldest);
    }
    return text;
  }

  /** Does something with a text. After a failure, and after its end, nothing of it is kept here. */
  async function withText(
    state: UtteranceState,
    work: (text: ArrivingText) => Promise<void>,
  ): Promise<TextState> {
    const { id } = state.utterance;
    if (state.cancelled) throw new RhapsodeError('cancelled');
    if (state.text === undefined || (state.text.complete && state.sealed))
      throw new RhapsodeError('utterance_sealed', {
        message: `utterance ${id} takes no more text: it is complete`,
      });
    try {
      const text = await keep(id, kept.get(id) ?? goOn(state, deps));
      await work(text);
      if (text.complete) kept.delete(id);
      return { id, received: text.length, segments: text.segments };
    } catch (error) {
      kept.delete(id);
      throw error;
    }
  }

  return {
    async open(request) {
      const text = await acceptArriving(request, deps);
      return keep(text.utterance.id, Promise.resolve(text));
    },
    write: (state, { input, offset, flush = false }) =>
      withText(state, (text) => text.add({ at: offset, text: input, flush })),
    finish: (state) =>
      withText(state, async (text) => {
        if (!text.hasWords) await text.catchUp();
        if (!text.hasWords) {
          await deps.dispatcher.cancel(state.utterance.id);
          throw new RhapsodeError('text_empty', { message: 'no text to speak has come' });
        }
        await text.add({ end: true });
      }),
  };
}

import { RhapsodeError } from '@rhapsode/contracts';
import { hasWords, type TextWriter } from '@rhapsode/pipeline';
import type { Log } from '@rhapsode/telemetry';

/**
 * Utterances whose text is still arriving, piece by piece, by requests of their own.
 *
 * - `open`: takes pieces, one after the other in the order of the requests. What does not make a sentence yet is held in this
 *   process, so text goes to the gateway that opened the utterance.
 * - `finish`, or no piece for `idleMs`, ends it. An utterance that was left alone is cancelled: its listener gets an error and
 *   not a text that seems to end there.
 */
export interface TextSessions {
  add(writer: TextWriter): void;
  /** Speaks one piece; see `Piece`. Returns how it stands then. */
  write(id: string, piece: Piece): Promise<TextState>;
  finish(id: string): Promise<TextState>;
  /** Cancels all that are open. */
  close(): Promise<void>;
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

export interface TextSessionsDeps {
  readonly log: Log;
  readonly idleMs: number;
}

interface Session {
  readonly writer: TextWriter;
  received: number;
  hasWords: boolean;
  /** Ends when the last request so far has been done. */
  turn: Promise<unknown>;
  timer: NodeJS.Timeout;
}

export function createTextSessions({ log, idleMs }: TextSessionsDeps): TextSessions {
  const sessions = new Map<string, Session>();

  const stateOf = ({ writer, received }: Session): TextState => ({
    id: writer.utterance.id,
    received,
    segments: writer.segments,
  });

  function end(id: string, session: Session): void {
    clearTimeout(session.timer);
    sessions.delete(id);
  }

  async function abandon(id: string, session: Session, reason: string): Promise<void> {
    end(id, session);
    log.info({ utterance: id, reason }, 'text session was cancelled');
    await session.turn.catch(() => {});
    await session.writer
      .cancel()
      .catch((error: unknown) => log.warn({ utterance: id, error }, 'not cancelled'));
  }

  const startTimer = (id: string, session: () => Session) =>
    setTimeout(() => void abandon(id, session(), 'idle'), idleMs).unref();

  /** Requests of one utterance wait for each other. */
  function inTurn(id: string, work: (session: Session) => Promise<TextState>): Promise<TextState> {
    const session = sessions.get(id);
    if (!session)
      throw new RhapsodeError('utterance_sealed', {
        message: `utterance ${id} takes no text here: it is complete, was left alone too long, or was opened at another gateway`,
      });
    session.timer.refresh();
    const result = session.turn.then(() => work(session));
    session.turn = result.catch(() => {});
    return result;
  }

  return {
    add(writer) {
      const { id } = writer.utterance;
      const session: Session = {
        writer,
        received: 0,
        hasWords: false,
        turn: Promise.resolve(),
        timer: startTimer(id, () => session),
      };
      sessions.set(id, session);
    },
    write: (id, { input, offset, flush }) =>
      inTurn(id, async (session) => {
        const { writer, received } = session;
        if (offset !== undefined && offset !== received) {
          if (offset + input.length <= received) return stateOf(session);
          throw new RhapsodeError('invalid_request', {
            message: `'offset' is ${offset}, but ${received} characters have been received; the next piece begins there`,
            param: 'offset',
          });
        }
        try {
          await writer.write(input);
          if (flush) await writer.flush();
        } catch (error) {
          // Part of the piece may be stored and part not: going on would double or lose words.
          void abandon(id, session, 'failed');
          throw error;
        }
        session.received += input.length;
        session.hasWords ||= hasWords(input);
        return stateOf(session);
      }),
    finish: (id) =>
      inTurn(id, async (session) => {
        if (!session.hasWords) {
          void abandon(id, session, 'empty');
          throw new RhapsodeError('text_empty', { message: 'no text to speak has come' });
        }
        try {
          await session.writer.finish();
        } catch (error) {
          void abandon(id, session, 'failed');
          throw error;
        }
        end(id, session);
        return stateOf(session);
      }),
    async close() {
      await Promise.all([...sessions].map(([id, session]) => abandon(id, session, 'shutdown')));
    },
  };
}

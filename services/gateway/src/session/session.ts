import { errorBody, RhapsodeError } from '@rhapsode/contracts';
import type { ParsedClientMessage } from '@rhapsode/contracts/session';
import type { GatewayDeps } from '../deps.ts';
import { type Context, openContext, resumeContext } from './context.ts';
import type { Link } from './link.ts';
import type { SessionLimits } from './session-limits.ts';

/**
 * The contexts of one socket. Messages of a context are done one after the other, those of different contexts beside each
 * other. A message that is refused has changed nothing.
 */
export interface Session {
  /** Resolves when the message is done, and the client is not too far behind with listening to make room for another. */
  take(message: ParsedClientMessage): Promise<void>;
  refuse(error: unknown, context?: string): void;
  /** The socket is closed: the utterances wait for one that resumes them. */
  leave(): void;
}

interface Slot {
  context: Context | undefined;
  /** Ends when the last message so far has been done. */
  turn: Promise<void>;
  waiting: number;
  /** Raised by a cancellation, which is done at once: messages that came before it are void. */
  epoch: number;
}

/** Names of contexts that have failed: text that is still on its way to one must not open another. */
const mostFailed = 1_000;

export function createSession(gateway: GatewayDeps, link: Link, limits: SessionLimits): Session {
  const { store, observer } = gateway;
  const slots = new Map<string, Slot>();
  const failed = new Set<string>();
  let numbers = 0;
  let live = 0;
  const deps = { gateway, link, limits, nextNumber: () => numbers++ % 0x1_0000 };

  const say = (error: unknown, context: string | undefined, fatal: boolean) =>
    link.send({ type: 'error', ...(context === undefined ? {} : { context }), ...errorBody(error), fatal });

  /** Whoever is connected is there, also while nothing is written or heard. */
  function hold(): void {
    for (const { context } of slots.values())
      if (context)
        store.hold(context.utterance, 'writer').catch((error: unknown) => observer.trouble('hold', error));
  }
  const holding = setInterval(hold, (limits.idleSeconds * 1000) / 3).unref();

  function noteFailure(name: string): void {
    failed.add(name);
    if (failed.size > mostFailed) failed.delete(failed.values().next().value!);
  }

  /** A name is free again when its context has ended. */
  async function place(name: string, slot: Slot, make: () => Promise<Context>): Promise<void> {
    if (slot.context)
      throw new RhapsodeError('invalid_request', {
        message: `the context '${name}' is there already; give the other one another name`,
        param: 'context',
      });
    if (live >= limits.contexts)
      throw new RhapsodeError('rate_limited', {
        message: `the socket has ${limits.contexts} contexts, which is the most; go on when one has ended`,
        param: 'context',
      });
    live += 1;
    failed.delete(name);
    let context: Context;
    try {
      context = await make();
    } catch (error) {
      live -= 1;
      noteFailure(name);
      say(error, name, true);
      return;
    }
    if (link.closed.aborted) context.leave();
    slot.context = context;
    const leave = () => {
      live -= 1;
      slot.context = undefined;
      if (context.ended.reason === 'failed') noteFailure(name);
      if (slot.waiting === 0) slots.delete(name);
    };
    if (context.ended.aborted) leave();
    else context.ended.addEventListener('abort', leave, { once: true });
  }

  function needed(name: string, { context }: Slot): Context {
    if (context) return context;
    throw new RhapsodeError('invalid_request', {
      message: `there is no context '${name}' on this socket, or it has ended`,
      param: 'context',
    });
  }

  async function perform(message: ParsedClientMessage, slot: Slot): Promise<void> {
    const { context: name } = message;
    switch (message.type) {
      case 'open':
        return place(name, slot, () => openContext(message, deps));
      case 'resume':
        return place(name, slot, () => resumeContext(message, deps));
      case 'text':
        if (failed.has(name)) needed(name, slot);
        if (!slot.context) await place(name, slot, () => openContext({ type: 'open', context: name }, deps));
        return slot.context?.speech.write(message.text, message.offset);
      case 'flush':
        return needed(name, slot).speech.flush(message.nonce);
      case 'reset':
        return needed(name, slot).reset(message.nonce);
      case 'finish':
        return needed(name, slot).speech.finish();
      case 'cancel':
        // One that has ended meanwhile is as good as cancelled.
        if (slot.context) slot.context.cancel();
        else link.send({ type: 'cancelled', context: name });
        return;
      case 'taken':
        return slot.context?.speech.taken(message.position);
    }
  }

  return {
    async take(message) {
      const { context: name } = message;
      const slot = slots.get(name) ?? { context: undefined, turn: Promise.resolve(), waiting: 0, epoch: 0 };
      slots.set(name, slot);
      // Whatever else is being done for it may wait for a server that is away.
      if (message.type === 'cancel' && slot.context) {
        slot.epoch += 1;
        return slot.context.cancel();
      }
      const { epoch } = slot;
      slot.waiting += 1;
      slot.turn = slot.turn.then(async () => {
        try {
          if (!link.closed.aborted && epoch === slot.epoch) await perform(message, slot);
        } catch (error) {
          say(error, name, false);
        }
        slot.waiting -= 1;
        if (slot.waiting === 0 && !slot.context) slots.delete(name);
      });
      await slot.turn;
      await link.settled();
    },
    refuse: (error, context) => say(error, context, false),
    leave() {
      clearInterval(holding);
      // From now on the time runs in which somebody may resume.
      hold();
      for (const { context } of [...slots.values()]) context?.leave();
    },
  };
}

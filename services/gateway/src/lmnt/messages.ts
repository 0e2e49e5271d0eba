import { RhapsodeError } from '@rhapsode/contracts';
import { parseRequest } from '@rhapsode/service';
import { z } from 'zod';
import { flag, formatFields, parseFormat, type Wanted } from './formats.ts';

/**
 * LMNT's socket has had three ways to be spoken to, which the first message tells apart:
 *
 *   1  nothing special                {text}          {flush: true}              {eof: true}
 *   2  protocol_version: 2            {text}          {command: flush|reset, nonce}  {command: eof}
 *   3  lmnt-version: 1.1              {type: text}    {type: flush|reset, nonce}     {type: finish}
 *
 * Messages of all three are understood in each; the answers are those of the generation.
 */
export type Generation = 1 | 2 | 3;

const anything = z.unknown().optional();

const first = z.looseObject({
  voice: z.string().min(1),
  ...formatFields,
  speed: z.number().min(0.25).max(4).nullish(),
  seed: z.int().min(0).max(0xffff_ffff).nullish(),
  send_extras: flag.nullish(),
  return_extras: flag.nullish(),
  return_timestamps: flag.nullish(),
  protocol_version: anything,
  'lmnt-version': anything,
});

export interface Init {
  readonly generation: Generation;
  readonly voice: string;
  readonly wanted: Wanted;
  readonly speed: number | undefined;
  readonly seed: number | undefined;
  /** Times of words: `extras` in the first two generations, `timestamps` in the third. */
  readonly times: boolean;
  readonly notHonoured: readonly string[];
}

/** What LMNT's models can be told and our voices can't. */
export const notHonoured = ['language', 'expressive', 'conversational', 'temperature', 'top_p'] as const;

export const told = (message: Readonly<Record<string, unknown>>): string[] =>
  notHonoured.filter((name) => {
    const value = message[name];
    return value !== undefined && value !== null && value !== false && value !== 'auto';
  });

/** Even of a first message that is wrong, so that its error can be told in its way. */
export const generationOf = (message: unknown): Generation => {
  const { 'lmnt-version': version, protocol_version } = (message ?? {}) as Record<string, unknown>;
  return version !== undefined ? 3 : protocol_version === 2 ? 2 : 1;
};

export function parseInit(message: unknown): Init {
  const parsed = parseRequest(first, message);
  return {
    generation: generationOf(message),
    voice: parsed.voice,
    wanted: parseFormat(parsed),
    speed: parsed.speed ?? undefined,
    seed: parsed.seed ?? undefined,
    times: (parsed.send_extras ?? parsed.return_extras ?? parsed.return_timestamps) === true,
    notHonoured: told(parsed),
  };
}

export type Nonce = string | number | null;

export type Command =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'flush' | 'reset'; readonly nonce: Nonce }
  | { readonly type: 'finish' };

const later = z.looseObject({
  type: z.string().optional(),
  command: z.string().optional(),
  text: z.string().optional(),
  nonce: z.union([z.string().max(200), z.number(), z.null()]).optional(),
  flush: anything,
  eof: anything,
});

const isTrue = (value: unknown) => value === true || value === 'true';

export function parseCommand(message: unknown): Command {
  const { type, command, text, nonce = null, flush, eof } = parseRequest(later, message);
  const name = type ?? command ?? (isTrue(eof) ? 'eof' : isTrue(flush) ? 'flush' : 'text');
  if (name === 'flush' || name === 'reset') return { type: name, nonce };
  if (name === 'finish' || name === 'eof') return { type: 'finish' };
  if (name === 'text' && text !== undefined) return { type: 'text', text };
  throw new RhapsodeError('invalid_request', {
    message:
      name === 'text'
        ? "the message has neither 'text' nor a command"
        : `there is no message '${name.slice(0, 40)}'; use text, flush, reset, finish`,
  });
}

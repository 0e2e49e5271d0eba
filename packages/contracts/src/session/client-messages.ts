import * as z from 'zod';
import { lexiconChoice } from '../lexicon-rule.ts';
import { positionText } from '../position.ts';
import { speechSettings } from '../settings.ts';
import { contextOrMain, count, hearing, nonce, utteranceName } from './fields.ts';

/** What a client says on the socket of a session; docs/session-protocol.md explains each. Unknown fields are refused. */

export const openMessage = z.strictObject({
  type: z.literal('open'),
  context: contextOrMain,
  id: utteranceName.optional(),
  voice: z.string().min(1).max(200).optional(),
  speaker: z.string().min(1).max(200).optional(),
  speed: z.number().min(0.25).max(4).optional(),
  seed: z.int().min(0).max(0xffff_ffff).optional(),
  input: z.enum(['text', 'ssml']).optional(),
  normalise: z.enum(['auto', 'on', 'off']).optional(),
  inline: z.boolean().optional(),
  lexicon: lexiconChoice.optional(),
  chunk_seconds: z.number().min(0.02).max(1).optional(),
  settings: speechSettings.optional(),
  ...hearing,
});

export const textMessage = z.strictObject({
  type: z.literal('text'),
  context: contextOrMain,
  text: z.string(),
  offset: count.optional(),
});

export const flushMessage = z.strictObject({ type: z.literal('flush'), context: contextOrMain, nonce });
export const resetMessage = z.strictObject({ type: z.literal('reset'), context: contextOrMain, nonce });
export const finishMessage = z.strictObject({ type: z.literal('finish'), context: contextOrMain });
export const cancelMessage = z.strictObject({ type: z.literal('cancel'), context: contextOrMain });

export const resumeMessage = z.strictObject({
  type: z.literal('resume'),
  context: contextOrMain,
  utterance: utteranceName,
  position: positionText,
  ...hearing,
});

export const takenMessage = z.strictObject({
  type: z.literal('taken'),
  context: contextOrMain,
  position: positionText,
});

export const clientMessage = z.discriminatedUnion('type', [
  openMessage,
  textMessage,
  flushMessage,
  resetMessage,
  finishMessage,
  cancelMessage,
  resumeMessage,
  takenMessage,
]);

/** As it is written on the socket. */
export type ClientMessage = z.input<typeof clientMessage>;
/** As it is understood: with its context, and positions read. */
export type ParsedClientMessage = z.output<typeof clientMessage>;

export const clientMessageTypes = clientMessage.options.map((one) => one.shape.type.value);

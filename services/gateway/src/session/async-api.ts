import {
  type ClientMessage,
  clientMessage,
  serverMessage,
  sessionPath,
  sessionSubprotocol,
} from '@rhapsode/contracts/session';
import { z } from 'zod';
import { version } from '../version.ts';

/** A message of each kind, as a client would send it. */
export const clientExamples: readonly ClientMessage[] = [
  { type: 'open', context: 'main', voice: 'default', sample_rate: 24_000, metrics: true },
  { type: 'text', text: 'It was a dark and stormy night. ', offset: 0 },
  { type: 'flush', nonce: 1 },
  { type: 'reset', nonce: 'second' },
  { type: 'finish' },
  { type: 'cancel' },
  { type: 'resume', utterance: '0123456789abcdefghjkmnpqrs', position: '3:4410' },
  { type: 'taken', position: '2:0' },
];

const summaries: Readonly<Record<string, string>> = {
  open: 'Opens a context, which is one utterance.',
  text: 'The next piece of its text.',
  flush: 'Speak what is held, although the sentence has not ended; answered by `flushed`.',
  reset: 'Forget what has not been spoken yet; answered by `reset_done`.',
  finish: 'No more text; speak all.',
  cancel: 'Stop now and forget.',
  resume: 'Take up an utterance that another socket was hearing.',
  taken: 'The client has everything before this position.',
  ready: 'First message of a socket: the limits.',
  opened: 'The context is there.',
  resumed: 'The utterance goes on: audio from `position`, text from `offset`.',
  received: 'Text up to here is kept.',
  segment_start: 'The sentence whose audio comes next.',
  segment_end: 'All audio of the sentence has been sent, and when its words are said.',
  chunk: 'Figures of the audio frame before it.',
  flushed: 'All audio of the text before the `flush` has been sent.',
  reset_done: 'No audio of the old utterance comes behind it.',
  end: 'All audio of the context has been sent.',
  cancelled: 'The context was cancelled.',
  error: 'The context failed (`fatal`), or a message was refused and nothing has changed.',
};

/** AsyncAPI 3.0 of the session protocol, from the schemas that its messages are parsed with. */
export function asyncApiDocument() {
  const fromClient = messagesOf(clientMessage.options, 'input');
  const fromServer = messagesOf(serverMessage.options, 'output');
  const audioFrame = {
    name: 'audio_frame',
    summary: 'Samples: a header of 24 bytes (docs/session-protocol.md), then mono samples, little-endian.',
    contentType: 'application/octet-stream',
    payload: { type: 'string', format: 'binary' },
  };
  const refs = (side: string, names: readonly string[]) =>
    names.map((name) => ({ $ref: `#/channels/session/messages/${side}_${name}` }));
  const named = (side: string, messages: Record<string, object>) =>
    Object.fromEntries(Object.entries(messages).map(([name, message]) => [`${side}_${name}`, message]));
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Rhapsode: speech sessions',
      version,
      description: 'Text piece by piece, exact audio while it is made, taken up again at any gateway.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    channels: {
      session: {
        address: sessionPath,
        description: `A WebSocket; its subprotocol is \`${sessionSubprotocol}\`, if one is asked for.`,
        messages: {
          ...named('client', fromClient),
          ...named('server', { ...fromServer, audio_frame: audioFrame }),
        },
        bindings: { ws: { method: 'GET', bindingVersion: '0.1.0' } },
      },
    },
    operations: {
      listen: {
        action: 'receive',
        summary: 'What the server hears from a client.',
        channel: { $ref: '#/channels/session' },
        messages: refs('client', Object.keys(fromClient)),
      },
      speak: {
        action: 'send',
        summary: 'What the server says.',
        channel: { $ref: '#/channels/session' },
        messages: refs('server', [...Object.keys(fromServer), 'audio_frame']),
      },
    },
  };
}

function messagesOf(
  options: readonly z.ZodObject<{ type: z.ZodLiteral<string> }>[],
  io: 'input' | 'output',
): Record<string, object> {
  return Object.fromEntries(
    options.map((schema) => {
      const name = schema.shape.type.value;
      const { $schema: _, ...payload } = z.toJSONSchema(schema, {
        io,
        target: 'draft-7',
        unrepresentable: 'any',
      });
      const example = io === 'input' && clientExamples.find(({ type }) => type === name);
      return [
        name,
        {
          name,
          summary: summaries[name],
          payload,
          ...(example ? { examples: [{ name, payload: example }] } : {}),
        },
      ];
    }),
  );
}

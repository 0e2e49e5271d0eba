import { RhapsodeError } from '@rhapsode/contracts';
import { clientMessage, clientMessageTypes, type ParsedClientMessage } from '@rhapsode/contracts/session';
import { decodeText, parseJson, parseRequest } from '@rhapsode/service';

/** What a client has said, or why it can't be understood. Its context is told to `seen` either way, if it names one. */
export function readMessage(
  data: Uint8Array,
  isBinary: boolean,
  maxBytes: number,
  seen: (context: string) => void,
): ParsedClientMessage {
  if (isBinary)
    throw new RhapsodeError('invalid_request', {
      message: 'a binary frame can only come from the server; send JSON in text frames',
    });
  if (data.byteLength > maxBytes)
    throw new RhapsodeError('payload_too_large', {
      message: `the message has ${data.byteLength} bytes, the most is ${maxBytes}; send the text in pieces`,
    });
  const value = parseJson(decodeText(data));
  const { type, context } = (value ?? {}) as { type?: unknown; context?: unknown };
  if (typeof context === 'string' && context.length <= 64) seen(context);
  if (!clientMessageTypes.includes(type as ParsedClientMessage['type']))
    throw new RhapsodeError('invalid_request', {
      message: `there is no message of type ${JSON.stringify(type)?.slice(0, 100)}; there are ${clientMessageTypes.join(', ')}`,
      param: 'type',
    });
  return parseRequest(clientMessage, value);
}

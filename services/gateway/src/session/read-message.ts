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
  const value = parse(data);
  const { type, context } = value;
  if (typeof context === 'string' && context.length <= 64) seen(context);
  const known = clientMessage.options.find(({ shape }) => shape.type.value === type);
  if (!known)
    throw new RhapsodeError('invalid_request', {
      message:
        type === undefined
          ? `the message has no 'type'; there are ${clientMessageTypes.join(', ')}`
          : `there is no message of type ${JSON.stringify(type).slice(0, 100)}; there are ${clientMessageTypes.join(', ')}`,
      param: 'type',
    });
  try {
    return parseRequest(clientMessage, value);
  } catch (error) {
    throw error instanceof RhapsodeError ? told(error, known.shape) : error;
  }
}

function parse(data: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseJson(decodeText(data));
  } catch (cause) {
    if (!(cause instanceof RhapsodeError) || cause.code !== 'invalid_request') throw cause;
    throw new RhapsodeError('invalid_request', { message: `the message is not valid JSON; ${howTo}`, cause });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new RhapsodeError('invalid_request', { message: `the message is no JSON object; ${howTo}` });
}

const howTo = 'send an object in each text frame, as {"type": "text", "text": "Hello."}';

/** Which field of which message, and what it may have. */
function told({ code, message, param, cause }: RhapsodeError, shape: Shape): RhapsodeError {
  const { value: type } = shape.type;
  const fields = Object.keys(shape).join(', ');
  return new RhapsodeError(code, {
    message:
      code === 'unknown_field'
        ? `a message '${type}' has no field '${param}'; its fields are ${fields}`
        : `of the message '${type}': ${message}`,
    ...(param === undefined ? {} : { param }),
    cause,
  });
}

type Shape = (typeof clientMessage.options)[number]['shape'];

import { RhapsodeError } from '@rhapsode/contracts';
import { decodeText } from '@rhapsode/service';
import { z } from 'zod';

/**
 * An event of the Wyoming protocol. On the wire: a line of JSON `{"type", "data"?, "data_length"?, "payload_length"?}`, then
 * `data_length` bytes of JSON whose fields are put over those of `data`, then `payload_length` bytes of anything.
 */
export interface WyomingEvent {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly payload?: Uint8Array;
}

export interface EventLimits {
  readonly headerBytes: number;
  readonly dataBytes: number;
  readonly payloadBytes: number;
}

/** Room for a text of the default limit, whichever way a client sends it. Nothing that is heard here has a payload. */
export const eventLimits: EventLimits = {
  headerBytes: 1 << 20,
  dataBytes: 1 << 20,
  payloadBytes: 64 << 10,
};

const version = '1.8.0';
const newline = 0x0a;

const data = z.record(z.string(), z.unknown());
const header = z.looseObject({
  type: z.string().min(1).max(100),
  data: data.nullish(),
  data_length: z.int().min(0).nullish(),
  payload_length: z.int().min(0).nullish(),
});

export function encodeEvent({ type, data, payload }: WyomingEvent): Buffer {
  const dataBytes = Object.keys(data).length > 0 ? Buffer.from(JSON.stringify(data)) : Buffer.alloc(0);
  const head = {
    type,
    version,
    ...(dataBytes.length > 0 ? { data_length: dataBytes.length } : {}),
    ...(payload && payload.length > 0 ? { payload_length: payload.length } : {}),
  };
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), dataBytes, payload ?? Buffer.alloc(0)]);
}

/** The events of a connection, one after the other; what is malformed or too long ends it with an error that says so. */
export async function* readEvents(
  source: AsyncIterable<Uint8Array>,
  limits: EventLimits = eventLimits,
): AsyncGenerator<WyomingEvent, void, undefined> {
  const input = createInput(source);
  for (;;) {
    const line = await input.line(limits.headerBytes);
    if (line === undefined) return;
    const head = parse(header, line, 'header');
    const dataLength = within(head.data_length, limits.dataBytes, 'data_length');
    const payloadLength = within(head.payload_length, limits.payloadBytes, 'payload_length');
    const more = dataLength > 0 ? parse(data, await input.bytes(dataLength), 'data') : {};
    const payload = payloadLength > 0 ? { payload: await input.bytes(payloadLength) } : {};
    yield { type: head.type, data: { ...head.data, ...more }, ...payload };
  }
}

function within(length: number | null | undefined, limit: number, param: string): number {
  if ((length ?? 0) <= limit) return length ?? 0;
  throw new RhapsodeError('payload_too_large', {
    message: `'${param}' is ${length}; at most ${limit} bytes are taken`,
    param,
  });
}

function parse<T>(schema: z.ZodType<T>, bytes: Uint8Array, part: string): T {
  const text = decodeText(bytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RhapsodeError('invalid_request', { message: `the ${part} of an event is not valid JSON` });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const param = issue!.path.join('.') || part;
  throw new RhapsodeError('invalid_request', {
    message: `'${param}' of an event is not valid: ${issue!.message}`,
    param,
  });
}

/** What has come and was not taken yet. It grows by doubling: who sends byte by byte costs no more than who sends it at once. */
function createInput(source: AsyncIterable<Uint8Array>) {
  const chunks = source[Symbol.asyncIterator]();
  let room: Buffer = Buffer.alloc(0);
  let from = 0;
  let to = 0;

  async function more(): Promise<boolean> {
    const next = await chunks.next();
    if (next.done) return false;
    append(next.value);
    return true;
  }

  /** What was taken shares memory with `room`, so nothing of it is ever written again. */
  function append(bytes: Uint8Array): void {
    if (from === to) {
      room = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      from = 0;
      to = bytes.length;
      return;
    }
    if (to + bytes.length > room.length) {
      const bigger = Buffer.allocUnsafe(2 * (to - from) + bytes.length);
      room.copy(bigger, 0, from, to);
      room = bigger;
      to -= from;
      from = 0;
    }
    room.set(bytes, to);
    to += bytes.length;
  }

  function take(count: number): Buffer {
    const taken = room.subarray(from, from + count);
    from += count;
    return taken;
  }

  return {
    /** Without its end; undefined when the input has ended. */
    async line(limit: number): Promise<Buffer | undefined> {
      let searched = 0;
      for (;;) {
        const end = room.subarray(from, to).indexOf(newline, searched);
        if ((end === -1 ? to - from : end) > limit)
          throw new RhapsodeError('payload_too_large', {
            message: `the header of an event is longer than ${limit} bytes`,
          });
        if (end !== -1) return take(end + 1).subarray(0, -1);
        searched = to - from;
        if (!(await more())) return undefined;
      }
    },
    async bytes(count: number): Promise<Buffer> {
      while (to - from < count)
        if (!(await more()))
          throw new RhapsodeError('invalid_request', { message: 'the connection ended within an event' });
      return take(count);
    },
  };
}

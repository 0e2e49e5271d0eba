import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Heard {
  readonly type: string;
  readonly data: Record<string, unknown>;
  readonly payload: Buffer;
}

/**
 * A client of the Wyoming protocol, after its public description: a line of JSON, then `data_length` bytes of JSON that are put
 * over the line's `data`, then `payload_length` bytes.
 */
export async function connectWyoming(port: number) {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  await once(socket, 'connect');
  return wyomingClient(socket);
}

function wyomingClient(socket: Socket) {
  socket.on('error', () => {});
  const events = eventsOf(socket);

  async function next(timeoutMs = 20_000): Promise<Heard | undefined> {
    const giveUp = new AbortController();
    const late = sleep(timeoutMs, undefined, { signal: giveUp.signal }).then(() => {
      throw new Error(`no event came for ${timeoutMs} ms`);
    });
    late.catch(() => {});
    try {
      const { value, done } = await Promise.race([events.next(), late]);
      return done ? undefined : value;
    } finally {
      giveUp.abort();
    }
  }

  const frame = (type: string, data: Record<string, unknown>, payload?: Uint8Array) => {
    const body = Object.keys(data).length > 0 ? Buffer.from(JSON.stringify(data)) : Buffer.alloc(0);
    const head = {
      type,
      version: '1.7.2',
      ...(body.length > 0 ? { data_length: body.length } : {}),
      ...(payload ? { payload_length: payload.length } : {}),
    };
    return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), body, payload ?? Buffer.alloc(0)]);
  };

  return {
    socket,
    next,
    frame,
    raw: (bytes: Uint8Array | string) => socket.write(bytes),
    send: (type: string, data: Record<string, unknown> = {}) => socket.write(frame(type, data)),
    /** Everything up to and with the first event of this type, or to the end of the connection. */
    async until(type: string): Promise<Heard[]> {
      const heard: Heard[] = [];
      for (;;) {
        const event = await next();
        if (!event) return heard;
        heard.push(event);
        if (event.type === type) return heard;
      }
    },
    close: () => socket.destroy(),
  };
}

export type WyomingClient = ReturnType<typeof wyomingClient>;

async function* eventsOf(socket: Socket): AsyncGenerator<Heard, undefined, undefined> {
  const input = socket.iterator({ destroyOnReturn: false });
  let held = Buffer.alloc(0);
  const more = async () => {
    const { value, done } = await input.next().catch(() => ({ value: undefined, done: true }));
    if (done) return false;
    held = Buffer.concat([held, value as Buffer]);
    return true;
  };
  const exactly = async (count: number) => {
    while (held.length < count) if (!(await more())) throw new Error('the connection ended within an event');
    const bytes = held.subarray(0, count);
    held = held.subarray(count);
    return bytes;
  };
  for (;;) {
    while (!held.includes(10)) if (!(await more())) return undefined;
    const line = await exactly(held.indexOf(10) + 1);
    const head = JSON.parse(line.toString());
    const data = head.data_length > 0 ? JSON.parse((await exactly(head.data_length)).toString()) : {};
    const payload = Buffer.from(await exactly(head.payload_length ?? 0));
    yield { type: head.type, data: { ...head.data, ...data }, payload };
  }
}

export const typesOf = (events: readonly Heard[]): string[] =>
  events.map(({ type }) => type).filter((type, at, all) => type !== 'audio-chunk' || all[at - 1] !== type);

export function pcmOf(events: readonly Heard[]): Int16Array {
  const bytes = Buffer.concat(
    events.filter(({ type }) => type === 'audio-chunk').map(({ payload }) => payload),
  );
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

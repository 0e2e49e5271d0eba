import { Buffer } from 'node:buffer';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dropMessages } from './nats-frames.ts';

/** A payload may look like the protocol itself. */
const payload = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  fc.constant(Buffer.from('\r\nMSG lost 1 3\r\nabc\r\n')),
);
const frame = fc.oneof(
  fc
    .constantFrom('PING', '+OK', 'INFO {"proto":1}')
    .map((line) => ({ lost: false, bytes: Buffer.from(`${line}\r\n`) })),
  fc.record({ lost: fc.boolean(), headers: fc.boolean(), payload }).map(({ lost, headers, payload }) => {
    const subject = lost ? 'lost' : 'kept';
    const head = headers
      ? `HMSG ${subject} 1 0 ${payload.length}`
      : `MSG ${subject} 1 inbox ${payload.length}`;
    return { lost, bytes: Buffer.concat([Buffer.from(`${head}\r\n`), payload, Buffer.from('\r\n')]) };
  }),
);

test('drops the messages of a subject and nothing else, however the bytes are divided', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(frame), fc.integer({ min: 1, max: 50 }), async (frames, size) => {
      const whole = Buffer.concat(frames.map(({ bytes }) => bytes));
      const filter = dropMessages((subject) => subject === 'lost');
      for (let at = 0; at < whole.length; at += size) filter.write(whole.subarray(at, at + size));
      filter.end();
      const kept = Buffer.concat(frames.filter(({ lost }) => !lost).map(({ bytes }) => bytes));
      expect((await buffer(filter)).equals(kept)).toBe(true);
    }),
  );
});

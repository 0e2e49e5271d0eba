import { Transform } from 'node:stream';

const lineEnd = Buffer.from('\r\n');

/**
 * Passes on what a NATS server says, but for the messages that `drop` chooses by subject. A message is `MSG` or `HMSG`,
 * a subject, …, its size, the end of the line and as many bytes as announced; everything else is a line of its own.
 */
export function dropMessages(drop: (subject: string) => boolean): Transform {
  let held: Buffer = Buffer.alloc(0);
  return new Transform({
    transform(data: Buffer, _encoding, done) {
      held = held.length === 0 ? data : Buffer.concat([held, data]);
      let at = 0;
      for (;;) {
        const end = held.indexOf(lineEnd, at);
        if (end < 0) break;
        const words = held.toString('latin1', at, end).split(' ');
        const isMessage = words[0] === 'MSG' || words[0] === 'HMSG';
        const next = end + 2 + (isMessage ? Number(words.at(-1)) + 2 : 0);
        if (next > held.length) break;
        if (!isMessage || !drop(words[1]!)) this.push(held.subarray(at, next));
        at = next;
      }
      held = held.subarray(at);
      done();
    },
  });
}

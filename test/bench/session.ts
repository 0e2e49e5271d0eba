import { setTimeout as sleep } from 'node:timers/promises';
import type { Fleet } from '../support/fleet.ts';
import { quantile } from '../support/quantile.ts';
import { seeded } from '../support/seeded.ts';
import { openSession } from '../support/session-client.ts';
import { plainText } from '../support/texts.ts';
import { ms, type Row } from './table.ts';

const rounds = 100;
/** Long enough for a late chunk to be seen. */
const watchMs = 400;

/**
 * A client stops a speech in its middle: how long after the message that says so the last chunk came to the bus, and the last
 * frame to the client. The voice takes a tenth of a second for a second of audio, so at any moment there are chunks to come.
 */
export async function measureSessions(fleet: Fleet): Promise<Row[]> {
  const text = plainText(8, 60).replaceAll('.', ' {{tone:slow=0.1}}.');
  const random = seeded(1);
  const first: number[] = [];
  const bus: number[] = [];
  const client: number[] = [];
  const answered: number[] = [];
  for (let n = 0; n < rounds; n++) {
    let lastFrameMs = 0;
    const session = await openSession(fleet.gateway.url, {
      onFrame: () => {
        lastFrameMs = performance.now();
      },
    });
    session.say({ type: 'open', voice: 'tone' });
    const { utterance } = await session.get('opened');
    const saidMs = performance.now();
    session.say({ type: 'text', text });
    while (lastFrameMs === 0) await sleep(1);
    first.push(lastFrameMs - saidMs);
    await sleep(200 + 300 * random());
    const cancelMs = performance.now();
    session.say({ type: 'cancel' });
    await session.get('cancelled');
    answered.push(performance.now() - cancelMs);
    await sleep(watchMs);
    const chunks = fleet.live.seen.filter(
      (one) => one.utterance === utterance && one.message.kind === 'audio',
    );
    bus.push(Math.max(0, (chunks.at(-1)?.atMs ?? 0) - cancelMs));
    client.push(Math.max(0, lastFrameMs - cancelMs));
    session.drop();
  }
  const row = (what: string, times: readonly number[], limitMs: number): Row => {
    const p95 = quantile(times, 0.95);
    return { what: `${what}: p95 of ${rounds}`, got: ms(p95), target: ms(limitMs), met: p95 <= limitMs };
  };
  return [
    row('session, cancel to the last chunk on the bus', bus, 100),
    row('session, cancel to the last frame at the client', client, 100),
    row('session, cancel to its answer', answered, 100),
    row('session, text to first frame', first, 250),
  ];
}

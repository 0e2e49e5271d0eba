import { setTimeout as sleep } from 'node:timers/promises';
import { toneLength, toneRateHz } from '@rhapsode/voices';
import { readAudio } from '../support/audio-client.ts';
import { startFleet } from '../support/fleet.ts';
import { quantile } from '../support/quantile.ts';
import { ms, type Row } from './table.ts';

const sentences = 50_000;
const sentence = 'The wind is in the willow.';
const realTimeFactor = 0.1;
const requests = 200;

/** One tenant has a long book made. Another says a sentence now and then. */
export async function measureBacklog(): Promise<Row[]> {
  const fleet = await startFleet({
    workers: 1,
    slots: 4,
    env: { RHAPSODE_TONE_REAL_TIME_FACTOR: String(realTimeFactor), RHAPSODE_TENANT: 'publisher' },
  });
  try {
    const listenerGateway = await fleet.addGateway({ RHAPSODE_TENANT: 'listener' });
    const input = Array.from({ length: sentences }, () => sentence).join(' ');
    // A first, short one: what has to be compiled and connected once is not what is asked for.
    await fleet.create({ input: sentence, class: 'bulk' });

    const submittedMs = performance.now();
    const book = await fleet.create({ input, class: 'bulk' });
    const submitMs = performance.now() - submittedMs;

    const enough = new AbortController();
    const reading = readAudio(book, { collectors: fleet.collectorUrls, signal: enough.signal }).catch(
      () => undefined,
    );
    const busy = ({ utterance, message }: (typeof fleet.live.seen)[number]) =>
      utterance === book && message.kind === 'segment-end' && message.segment >= 8;
    await fleet.live.when(busy, 'the book to be under way');

    const waits: number[] = [];
    for (let i = 0; i < requests; i++) {
      const id = await fleet.create({ input: 'Yes.', seed: i }, listenerGateway);
      const end = await fleet.live.when(
        ({ utterance, message }) => utterance === id && message.kind === 'segment-end',
        'the interactive sentence',
      );
      if (end.message.kind === 'segment-end') waits.push(end.message.queueMs);
      // At no fixed distance from the book's sentences.
      await sleep(20 + ((i * 37) % 60));
    }

    const cancelledMs = performance.now();
    await fleet.cancel(book);
    const cancelMs = performance.now() - cancelledMs;
    enough.abort(new Error('cancelled'));
    await reading;

    const residualMs = (toneLength(sentence) / toneRateHz) * realTimeFactor * 1000;
    const p99 = quantile(waits, 0.99);
    return [
      {
        what: `${sentences} bulk sentences accepted and stored`,
        got: ms(submitMs),
        target: '2000 ms',
        met: submitMs <= 2_000,
      },
      {
        what: `an interactive sentence waits beside them (${requests}): p50`,
        got: ms(quantile(waits, 0.5)),
        target: `${ms(residualMs + 50)}`,
        met: quantile(waits, 0.5) <= residualMs + 50,
      },
      {
        what: `the same, p99 (one residual sentence of ${ms(residualMs)} + 50 ms)`,
        got: ms(p99),
        target: ms(residualMs + 50),
        met: p99 <= residualMs + 50,
      },
      { what: 'the bulk sentences cancelled', got: ms(cancelMs), target: '1000 ms', met: cancelMs <= 1_000 },
    ];
  } finally {
    await fleet.stop();
  }
}

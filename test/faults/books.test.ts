import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeBook, sameFiles, startBookFleet } from '../support/books.ts';
import { seeded } from '../support/seeded.ts';
import { plainText } from '../support/texts.ts';

const kills = 50;
const chapters = 6;
const sentencesEach = 34;

test('a book during which a process is killed 50 times is the book of an undisturbed run, byte for byte', {
  timeout: 1_800_000,
}, async (context) => {
  const dirs = await Promise.all([1, 2].map(() => mkdtemp(join(tmpdir(), 'rhapsode-books-'))));
  context.onTestFinished(async () => {
    for (const dir of dirs) await rm(dir, { recursive: true, force: true });
  });
  const text = Array.from(
    { length: chapters },
    (_, n) => `# Chapter ${'abcdef'[n]}\n\n${plainText(sentencesEach, 60, n + 1)}\n`,
  ).join('\n');
  const wanted = { text, type: 'markdown', outputs: { audio: ['wav'], captions: ['srt', 'json'] } };

  const quiet = await startBookFleet({ dataDir: dirs[0]! });
  context.onTestFinished(() => quiet.stop());
  const undisturbed = await makeBook(quiet, 'book', wanted, undefined, {}, 600_000);
  const begunMs = performance.now();
  for (const one of [quiet.collectors[0]!, quiet.workers[0]!]) await killing(one).kill();
  const killSeconds = (performance.now() - begunMs) / 2000;
  await quiet.stop();

  // As slow as it takes for the book to be in the making when the last processes die, on whatever machine: it is spoken in the
  // time that the kills take, and stands still during many of them.
  const { audio_seconds: audioSeconds } = undisturbed.view.result!;
  const speakingSeconds = kills * killSeconds;
  const realTimeFactor = (speakingSeconds * quiet.workers.length) / audioSeconds;
  const env = { RHAPSODE_TONE_REAL_TIME_FACTOR: realTimeFactor.toFixed(3) };
  const fleet = await startBookFleet({ dataDir: dirs[1]!, env });
  context.onTestFinished(() => fleet.stop());
  const random = seeded(50);
  const victims = [
    ...fleet.collectors.map((one, n) => ({ name: `collector ${n}`, ...killing(one) })),
    ...fleet.workers.map((one, n) => ({ name: `worker ${n}`, ...killing(one) })),
    { name: 'gateway', ...killing(fleet.gateway) },
    { name: 'nats', ...killing(fleet.nats) },
    {
      name: 'redis',
      async kill() {
        await fleet.redis.written();
        await fleet.redis.kill();
        await fleet.redis.restart();
      },
    },
  ];
  const killed: string[] = [];
  let inTheMaking = 0;
  const total = chapters * (sentencesEach + 1);
  const made = await makeBook(
    fleet,
    'book',
    wanted,
    async (book) => {
      for (let kill = 0; kill < kills; kill++) {
        // The last kills fall into the rendering, or behind it.
        await book.spoken(Math.min(total, Math.floor((total * (kill + random())) / (kills - 2))));
        const { state } = await book.look();
        const victim = victims[Math.floor(random() * victims.length)]!;
        await victim.kill();
        killed.push(victim.name);
        if (state === 'running' || state === 'queued') inTheMaking++;
      }
    },
    {},
    600_000,
  );
  console.log(
    `${inTheMaking} of ${kills} kills fell into the making of ${audioSeconds} s at ${realTimeFactor.toFixed(2)} s each`,
    `(${killSeconds.toFixed(1)} s for a kill); killed in turn: ${killed.join(', ')}`,
  );
  expect(inTheMaking, 'kills before the book had ended').toBeGreaterThanOrEqual(0.8 * kills);
  expect(made.view).toMatchObject({
    state: 'succeeded',
    result: { sentences_spoken: undisturbed.view.sentences },
  });
  expect(sameFiles(made.files, undisturbed.files), fleet.output()).toEqual([]);
});

const killing = (one: { kill(): Promise<void>; restart(): Promise<void> }) => ({
  async kill() {
    await one.kill();
    await one.restart();
  },
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeBook, sameFiles, startBookFleet } from '../support/books.ts';
import { plainText } from '../support/texts.ts';
import { until } from '../support/wait.ts';

const dirs: string[] = [];
afterAll(() => Promise.all(dirs.map((dir) => rm(dir, { recursive: true, force: true }))));
async function newDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'rhapsode-books-'));
  dirs.push(dir);
  return dir;
}

const text = Array.from(
  { length: 3 },
  (_, n) => `# Chapter ${'abc'[n]}\n\n${plainText(7, 50, n + 1)}\n`,
).join('\n');
const wanted = {
  text,
  type: 'markdown',
  outputs: { audio: ['wav'], captions: ['srt'] },
  metadata: { title: 'A Book' },
};

test('a book whose gateway, workers, collectors and servers die on the way is the book of an undisturbed run, byte for byte', {
  timeout: 240_000,
}, async (context) => {
  const quiet = await startBookFleet({ dataDir: await newDir() });
  context.onTestFinished(() => quiet.stop());
  const undisturbed = await makeBook(quiet, 'book', wanted);
  expect(undisturbed.view).toMatchObject({ state: 'succeeded', chapters: 3 });

  const fleet = await startBookFleet({
    dataDir: await newDir(),
    env: { RHAPSODE_TONE_REAL_TIME_FACTOR: '0.05' },
  });
  context.onTestFinished(() => fleet.stop());
  const disturbed = await makeBook(fleet, 'book', wanted, async (book) => {
    await book.spoken(4);
    await Promise.all([fleet.collectors[0]!.kill(), fleet.workers[0]!.kill(), fleet.gateway.kill()]);
    await Promise.all([fleet.collectors[0]!, fleet.workers[0]!, fleet.gateway].map((one) => one.restart()));
    await book.spoken(9);
    await fleet.redis.written();
    await Promise.all([fleet.nats.kill(), fleet.redis.kill(), fleet.collectors[1]!.kill()]);
    await Promise.all([fleet.nats.restart(), fleet.redis.restart(), fleet.collectors[1]!.restart()]);
    await book.spoken(15);
    await Promise.all(fleet.collectors.map((one) => one.kill()));
    await Promise.all(fleet.collectors.map((one) => one.restart()));
  });
  expect(disturbed.view).toMatchObject({ state: 'succeeded' });
  expect(sameFiles(disturbed.files, undisturbed.files), fleet.output()).toEqual([]);

  // One word is changed: one sentence is spoken, and of the audio one chapter's file is another.
  const changed = {
    ...wanted,
    text: text.replace(/^(# Chapter b\n\nThe) \w+/m, '$1 changed'),
  };
  const next = await makeBook(fleet, 'book', changed, undefined, { 'if-match': '"0"' });
  expect(next.view).toMatchObject({ state: 'succeeded', edition: 1, result: { sentences_synthesized: 1 } });
  const audio = (files: typeof next.files) => new Map([...files].filter(([name]) => name.endsWith('.wav')));
  expect(sameFiles(audio(next.files), audio(disturbed.files))).toHaveLength(1);
});

test('a book that is paused, cancelled or deleted stops being spoken, and what is resumed goes on', async (context) => {
  const fleet = await startBookFleet({
    dataDir: await newDir(),
    env: { RHAPSODE_TONE_REAL_TIME_FACTOR: '0.05' },
  });
  context.onTestFinished(() => fleet.stop());
  const long = { text: plainText(30, 50), outputs: { audio: ['wav'], captions: [] } };
  const made = await makeBook(fleet, 'book', long, async (book) => {
    await book.spoken(3);
    await book.post('pause');
    await until(async () => (await fleet.workers[0]!.metric('rhapsode_slots', 'state="busy"')) === 0, {
      what: 'the workers to have nothing to do',
    });
    expect((await book.look()).state).toBe('paused');
    await book.post('resume');
    await book.spoken(6);
    await book.post('cancel');
    expect((await book.look()).state).toBe('cancelled');
    await book.post('retry');
  });
  expect(made.view).toMatchObject({ state: 'succeeded', result: { sentences_spoken: 30 } });
});

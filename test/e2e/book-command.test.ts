import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { BookView } from '@rhapsode/book';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { command, start } from '../../services/cli/test/support/command.ts';
import { inProcess } from '../../services/cli/test/support/in-process.ts';
import { contentOf, type Files, sameFiles, startBookFleet } from '../support/books.ts';
import type { Fleet } from '../support/fleet.ts';
import { plainText } from '../support/texts.ts';
import { until } from '../support/wait.ts';

let folder: string;
let fleet: Fleet;
const at = (path: string) => join(folder, path);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rhapsode-book-command-'));
  fleet = await startBookFleet({
    dataDir: at('data'),
    workers: 1,
    collectors: 1,
    slots: 2,
    env: { RHAPSODE_TONE_REAL_TIME_FACTOR: '0.05' },
  });
});
afterAll(async () => {
  await fleet?.stop();
  await rm(folder, { recursive: true, force: true });
});

const manuscript = (chapters: number, sentences: number, seed = 0) =>
  Array.from(
    { length: chapters },
    (_, n) => `# Part ${n + 1}\n\n${plainText(sentences, 40, seed + n + 1)}\n`,
  ).join('\n');
const lastLine = (out: string) => JSON.parse(out.trimEnd().split('\n').at(-1)!);
const listed = async () =>
  ((await (await fetch(`${fleet.gateway.url}/v1/books?limit=100`)).json()) as { data: BookView[] }).data;
/** Of the only book that is neither of these. */
const otherThan = async (known: readonly BookView[]) =>
  (await listed()).find(({ id }) => !known.some((one) => one.id === id));

/** By their contents; what a book is called on a server is no part of it. */
async function filesOf(paths: readonly string[], out: string): Promise<Files> {
  const files = new Map<string, string>();
  for (const path of paths) {
    const bytes = await readFile(path);
    const digest = path.endsWith('book.json')
      ? contentOf(Buffer.from(bytes.toString().replace(/"(id|contentDigest)":\s*"[^"]*"/g, '"$1":""')))
      : createHash('sha256').update(bytes).digest('hex');
    files.set(relative(at(out), path), digest);
  }
  return files;
}

/** What the command says in its last line, and the files that it names by their contents. */
async function make(manuscript: string, out: string, args: readonly string[]) {
  const ran = await inProcess('book', [at(manuscript), '-o', at(out), '--json', ...args]);
  expect([ran.code, ran.err], fleet.output()).toEqual([0, '']);
  const { files, elapsedSeconds, ...facts } = lastLine(ran.out);
  expect(elapsedSeconds).toBeGreaterThan(0);
  return {
    keys: Object.keys(lastLine(ran.out)),
    facts,
    paths: files as string[],
    files: await filesOf(files, out),
  };
}
const onServer = () => ['--server', fleet.gateway.url];

test('a server makes the files that the command makes by itself, and says the same of them', async () => {
  await writeFile(at('song.md'), manuscript(2, 3));
  const args = ['-f', 'm4b,mp3,opus,flac,wav', '--author', 'Ann Author'];
  const far = await make('song.md', 'far', [...args, ...onServer()]);
  const near = await make('song.md', 'near', args);
  expect(far.keys).toEqual(
    ['files', 'chapters', 'sentences', 'sentencesSynthesized', 'sentencesFailed'].concat([
      'audioSeconds',
      'elapsedSeconds',
    ]),
  );
  expect(far.facts).toEqual(near.facts);
  expect(far.facts).toMatchObject({ chapters: 2, sentences: 8, sentencesSynthesized: 8, sentencesFailed: 0 });
  expect(far.files.size).toBeGreaterThan(12);
  expect(sameFiles(far.files, near.files)).toEqual([]);

  // Of what is there nothing is spoken again; what was lost here is fetched again.
  await rm(far.paths[0]!);
  const again = await make('song.md', 'far', [...args, ...onServer()]);
  expect(again.facts).toEqual({ ...far.facts, sentencesSynthesized: 0 });
  expect(sameFiles(again.files, far.files)).toEqual([]);
});

/** Stops the command with Ctrl-C when it has a part of a book, and answers how many sentences that were. */
async function interrupt(args: readonly string[]): Promise<number> {
  for (let seed = 0; ; seed++) {
    await writeFile(at('long.md'), manuscript(2, 15, 2 * seed));
    const known = await listed();
    const running = start(folder, ['book', at('long.md'), '-o', at('long'), ...args]);
    const begun = await until(
      async () => {
        const book = (await listed()).find(
          ({ id, edition }) => !known.some((one) => one.id === id && one.edition === edition),
        );
        return (book?.progress.sentences_synthesized ?? 0) >= 3 && book;
      },
      { what: 'three sentences', timeoutMs: 60_000 },
    );
    // So that it can't end before the command does; on a busy machine it may have ended already.
    const paused = await fetch(`${fleet.gateway.url}/v1/books/${begun.id}/pause`, { method: 'POST' });
    if (paused.ok) running.child.kill('SIGINT');
    const stopped = await running.ended;
    if (!paused.ok && seed < 5) continue;
    expect([paused.status, stopped.code, stopped.out]).toEqual([200, 130, '']);
    expect(stopped.err).toMatch(/^rhapsode: stopped; the server goes on .*\(cancelled\)$/m);
    return begun.progress.sentences_synthesized;
  }
}

test('goes on where Ctrl-C stopped it, on the server and here, and has nothing spoken twice', async () => {
  const args = ['-f', 'wav', '--captions', 'none'];
  const spoken = await interrupt([...args, ...onServer()]);
  const rest = await make('long.md', 'long', [...args, ...onServer()]);
  expect(rest.facts).toMatchObject({ sentences: 32, sentencesFailed: 0 });
  expect(rest.facts.sentencesSynthesized).toBeLessThanOrEqual(32 - spoken);
  expect(sameFiles(rest.files, (await make('long.md', 'whole', args)).files)).toEqual([]);
});

test('has a book that failed tried again, and of another text only what is new', async () => {
  await writeFile(at('poison.txt'), 'It begins. This is {{tone:fail}} bad. It ends.');
  const known = await listed();
  const args = ['-f', 'wav', '--captions', 'none', '--on-error', 'stop', ...onServer()];
  const failing = () => expect(make('poison.txt', 'poison', args)).rejects.toThrow(/^sentence 1: /);
  await failing();
  expect(await otherThan(known)).toMatchObject({ state: 'failed', edition: 0 });
  await failing();
  expect(await otherThan(known)).toMatchObject({ state: 'failed', edition: 1 });
  await writeFile(at('poison.txt'), 'It begins. This is good. It ends.');
  const { facts } = await make('poison.txt', 'poison', args);
  expect(facts).toMatchObject({ sentences: 3, sentencesSynthesized: 1, sentencesFailed: 0 });
});

test('says that a server does not answer, or can be none, and shows no stack', async () => {
  await writeFile(at('one.txt'), 'One sentence.');
  const ran = await command(folder, [
    'book',
    'one.txt',
    '-o',
    'none',
    '--json',
    '--server',
    'http://127.0.0.1:9',
  ]);
  expect([ran.code, ran.out]).toEqual([1, '']);
  expect(ran.err).toMatch(/^rhapsode: http:\/\/127\.0\.0\.1:9 does not answer; .*\(server_unavailable\)\n$/);
  await expect(
    inProcess('book', [at('one.txt'), '--server', 'localhost:8080', '--dry-run']),
  ).rejects.toMatchObject({
    code: 'invalid_request',
    message: expect.stringMatching(/^--server must be .*, not 'localhost:8080'$/),
  });
});

test('a lexicon that a server keeps is named where a file would be', async () => {
  await writeFile(at('gif.txt'), 'A GIF is shown.');
  await writeFile(at('words.json'), '[{"grapheme": "GIF", "alias": "picture that moves and moves"}]');
  const rules = JSON.parse(await readFile(at('words.json'), 'utf8'));
  await fetch(`${fleet.gateway.url}/v1/lexicons/acme`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ rules }),
  });
  const estimate = (...args: string[]) =>
    inProcess('book', [at('gif.txt'), '--dry-run', '--json', ...onServer(), ...args]);
  const [plain, file, kept] = [
    await estimate(),
    await estimate('--lexicon', at('words.json')),
    await estimate('--lexicon', 'acme'),
  ];
  expect(lastLine(kept.out)).toEqual(lastLine(file.out));
  expect(lastLine(kept.out).cost).not.toEqual(lastLine(plain.out).cost);
  await expect(estimate('--lexicon', 'nobody')).rejects.toMatchObject({ code: 'lexicon_not_found' });
});

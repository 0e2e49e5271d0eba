import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../test/support/wait.ts';
import { bookSettingsOf } from '../src/book/book-settings.ts';
import { command, start } from './support/command.ts';
import { inProcess } from './support/in-process.ts';

let folder: string;
const at = (path: string) => join(folder, path);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rhapsode-cli-book-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const manuscript = (third = 'The third has another word.') =>
  `# One\n\nThe first sentence. The second sentence.\n\n# Two\n\n${third} The fourth stands behind it.\n\n# Three\n\nThe last one.\n`;

const lastLine = (out: string) => JSON.parse(out.trimEnd().split('\n').at(-1)!);
const readAll = (paths: readonly string[]) => Promise.all(paths.map((path) => readFile(path)));
const countBelow = async (path: string) =>
  (await readdir(path, { recursive: true, withFileTypes: true }).catch(() => [])).filter((entry) =>
    entry.isFile(),
  ).length;

describe('rhapsode book', () => {
  it('makes a book, has nothing to do the next time, and one sentence to speak when a word changes', async () => {
    await writeFile(at('song.md'), manuscript());
    const args = [at('song.md'), '-o', at('lib'), '-f', 'm4b,mp3', '--author', 'Ann Author', '--json'];
    const first = await inProcess('book', args);
    expect([first.code, first.err]).toEqual([0, '']);
    const made = lastLine(first.out);
    expect(Object.keys(made)).toEqual([
      'files',
      'chapters',
      'sentences',
      'sentencesSynthesized',
      'sentencesFailed',
      'audioSeconds',
      'elapsedSeconds',
    ]);
    expect(made).toMatchObject({ chapters: 3, sentences: 8, sentencesSynthesized: 8, sentencesFailed: 0 });
    const files: string[] = made.files;
    expect(files).toContain(at('lib/Ann Author/song/song.m4b'));
    const before = await readAll(files);

    const again = await inProcess('book', args);
    expect(lastLine(again.out)).toMatchObject({
      files,
      sentencesSynthesized: 0,
      audioSeconds: made.audioSeconds,
    });
    expect(await readAll(files)).toEqual(before);

    await writeFile(at('song.md'), manuscript('The third has some other word.'));
    const changed = await inProcess('book', args);
    expect(lastLine(changed.out)).toMatchObject({ files, sentences: 8, sentencesSynthesized: 1 });
    const after = await readAll(files);
    const mp3s = files.flatMap((name, index) =>
      name.endsWith('.mp3') ? [after[index]!.equals(before[index]!)] : [],
    );
    expect(mp3s).toEqual([true, false, true]);

    const good = await inProcess('verify', [at('lib')]);
    expect([good.code, good.out]).toEqual([0, expect.stringMatching(/files, 8 sentences, .*: all is well/)]);
  });

  it('calls the book what its manuscript says, and has no chapter of the title alone', async () => {
    await writeFile(at('draft.md'), '# The Sea\n\nby Ann Author\n\n## One\n\nText.\n\n## Two\n\nThe end.\n');
    const { out } = await inProcess('book', [at('draft.md'), '-o', at('titled'), '-f', 'wav', '--json']);
    const { files, chapters } = lastLine(out);
    expect(chapters).toBe(2);
    expect(files[0]).toBe(at('titled/Ann Author/The Sea/01 - One.wav'));
  });

  it('goes on where Ctrl-C stopped it, and comes out as if it had not been', async () => {
    const sentences = Array.from({ length: 40 }, (_, n) => `This is sentence number ${n} of a longer text.`);
    await writeFile(at('long.txt'), sentences.join(' '));
    const stopped = await command(folder, ['book', 'long.txt', '-o', 'long', '-f', 'wav'], {
      interruptAfter: /^\d+\/40 /m,
    });
    expect(stopped.code).toBe(130);
    const kept = await countBelow(at('long/.rhapsode/segments'));
    expect(kept).toBeLessThan(40);
    const make = (out: string) => inProcess('book', [at('long.txt'), '-o', at(out), '-f', 'wav', '--json']);
    const rest = lastLine((await make('long')).out);
    expect(rest).toMatchObject({ sentences: 40, sentencesSynthesized: 40 - kept });
    const whole = lastLine((await make('whole')).out);
    const [one, other] = await readAll([rest.files[0], whole.files[0]]);
    expect(one!.equals(other!)).toBe(true);
  });

  it('is made by one run at a time, and a run that was killed holds up no other', async () => {
    await writeFile(at('one.txt'), 'A first sentence. A second one {{tone:hang}}.');
    const args = ['book', 'one.txt', '-o', 'one', '-f', 'wav', '--json'];
    const first = start(folder, args);
    await until(async () => (await countBelow(at('one/.rhapsode/segments'))) > 0, {
      what: 'a sentence',
      timeoutMs: 120_000,
    });
    await expect(inProcess('book', [at('one.txt'), '-o', at('one')])).rejects.toThrow('another run');
    first.child.kill('SIGKILL');
    await first.ended;
    await writeFile(at('one.txt'), 'A first sentence. A second one.');
    const { out } = await inProcess('book', [at('one.txt'), '-o', at('one'), '-f', 'wav', '--json']);
    expect(lastLine(out)).toMatchObject({ sentences: 2, sentencesSynthesized: 1 });
  });

  it('ends with 3 where a sentence could not be spoken, and with its error where the book was to stop', async () => {
    await writeFile(at('poison.txt'), 'This is good. This is {{tone:fail}} bad. And on it goes.');
    const ran = await inProcess('book', [at('poison.txt'), '-o', at('poison'), '-f', 'wav', '--json']);
    expect(lastLine(ran.out)).toMatchObject({ sentences: 3, sentencesFailed: 1 });
    expect(ran.code).toBe(3);
    const stop = ['-o', at('stop'), '-f', 'wav', '--on-error', 'stop'];
    await expect(inProcess('book', [at('poison.txt'), ...stop])).rejects.toThrow(/^sentence 1: /);
  });

  it('tells beforehand how long it will be and what there is already', async () => {
    await writeFile(at('dry.md'), manuscript());
    const args = [at('dry.md'), '-o', at('dry'), '--dry-run'];
    const { out } = await inProcess('book', [...args, '--json']);
    expect(lastLine(out)).toMatchObject({ sentences: 8, cache_hits: 0, cost: { sentences: 8 } });
    expect((await inProcess('book', args)).out).toMatch(/3 chapters, 8 sentences, about/);
  });

  it.each([
    [[], 'name one file'],
    [['nothing.txt'], 'there is no file nothing.txt'],
    [['song.md', '--server', 'http://127.0.0.1:1'], 'there is no'],
    [['song.md', '--cover', 'nothing.png'], "can't read nothing.png"],
  ])('says what is wrong with %j', async (args, message) => {
    await expect(inProcess('book', args)).rejects.toThrow(message);
  });
});

describe('the options of rhapsode book', () => {
  it('are the settings of the HTTP interface', async () => {
    await writeFile(
      at('words.pls'),
      '<lexicon version="1.0" alphabet="ipa"><lexeme><grapheme>Queequeg</grapheme><phoneme>ˈkwiːkwɛɡ</phoneme></lexeme></lexicon>',
    );
    const settings = await bookSettingsOf({
      ...{
        format: 'm4b, mp3',
        single: true,
        captions: 'none',
        loudness: '-23',
        voice: 'clio',
        speed: '1.25',
      },
      ...{
        voices: 'Alice=thalia/low,2=calliope',
        lexicon: at('words.pls'),
        'on-error': 'fallback',
        fallback: 'espeak',
      },
      ...{ author: 'A. One; B. Two', series: 'The Seas #2', year: '1851', language: 'en-US' },
    });
    expect(settings).toMatchObject({
      ...{
        voice: 'clio',
        speed: 1.25,
        on_error: 'fallback',
        fallback: { voice: 'espeak' },
        language: 'en-US',
      },
      speakers: { Alice: { voice: 'thalia', speaker: 'low' } },
      chapters: { 2: { voice: 'calliope' } },
      lexicon: [{ grapheme: 'Queequeg', ipa: 'ˈkwiːkwɛɡ', case_sensitive: true }],
      outputs: {
        audio: ['m4b', 'mp3'],
        single: ['mp3'],
        captions: [],
        loudness: { target_lufs: -23, true_peak_db: -1 },
      },
      metadata: {
        ...{
          authors: ['A. One', 'B. Two'],
          series: 'The Seas',
          series_number: '2',
          year: 1851,
        },
      },
    });
    expect((await bookSettingsOf({ loudness: 'off' })).outputs.loudness).toBeNull();
  });

  it('say of the book only what was said, so that the manuscript may say the rest', async () => {
    expect((await bookSettingsOf({ year: '1851' })).metadata).toEqual({ year: 1851 });
  });

  it.each([
    [{ format: 'm4b,ogg' }, "--format takes m4b, mp3, opus, flac, wav (comma separated), not 'ogg'"],
    [{ loudness: 'loud' }, '--loudness must be a number'],
    [{ 'on-error': 'shrug' }, 'on_error'],
    [{ voices: 'Alice' }, "--voices: can't read Alice"],
    [{ voices: 'Alice=' }, "not 'Alice='"],
    [{ year: 'old' }, '--year must be a whole number'],
  ])('are refused with a reason: %j', async (options, message) => {
    await expect(bookSettingsOf(options)).rejects.toThrow(message);
  });
});

describe('rhapsode verify', () => {
  it('names the damaged file and ends with 1', async () => {
    await writeFile(at('fine.txt'), 'A short one.');
    const made = await inProcess('book', [at('fine.txt'), '-o', at('fine'), '-f', 'flac', '--json']);
    const flac: string = lastLine(made.out).files[0];
    const bytes = await readFile(flac);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(flac, bytes);
    const bad = await inProcess('verify', [at('fine'), '--json']);
    expect(bad.code).toBe(1);
    const report = JSON.parse(bad.out);
    expect(report.ok).toBe(false);
    expect(report.books[0].problems).toEqual([
      { file: '01.flac', message: expect.stringMatching(/was changed/) },
    ]);
    await expect(inProcess('verify', [at('nowhere')])).rejects.toThrow('there is no');
  });
});

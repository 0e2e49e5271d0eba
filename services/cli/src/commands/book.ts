import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, extname, join, resolve } from 'node:path';
import type { BookEstimate } from '@rhapsode/book';
import { RhapsodeError } from '@rhapsode/contracts';
import { parse, type Usage } from '../args.ts';
import { estimateEmbedded, makeEmbedded } from '../book/book-embedded.ts';
import { progressWords } from '../book/book-progress.ts';
import { estimateRemote, makeRemote } from '../book/book-remote.ts';
import { createBookServer } from '../book/book-server.ts';
import { bookSettingsOf, checkManuscript, readCover } from '../book/book-settings.ts';
import type { MadeBook } from '../book/made-book.ts';
import type { Command } from '../command.ts';
import { createProgress } from '../progress.ts';
import { seconds } from '../words.ts';

const usage = {
  synopsis: 'rhapsode book FILE|- -o DIR [options]',
  about:
    'Makes an audiobook of a manuscript: text, Markdown, HTML, EPUB, Word or PDF. Stopped and run again it goes on where it was;\na changed manuscript has only its changed sentences spoken. Ends with 3 where a sentence could not be spoken;\nrun again it tries that one again.',
  options: {
    output: { type: 'string', short: 'o' },
    format: { type: 'string', short: 'f' },
    single: { type: 'boolean' },
    captions: { type: 'string' },
    'sample-rate': { type: 'string' },
    loudness: { type: 'string' },
    voice: { type: 'string', short: 'v' },
    speaker: { type: 'string' },
    voices: { type: 'string' },
    speed: { type: 'string' },
    seed: { type: 'string' },
    lexicon: { type: 'string' },
    type: { type: 'string' },
    notes: { type: 'boolean' },
    'on-error': { type: 'string' },
    fallback: { type: 'string' },
    title: { type: 'string' },
    subtitle: { type: 'string' },
    author: { type: 'string' },
    narrator: { type: 'string' },
    series: { type: 'string' },
    year: { type: 'string' },
    language: { type: 'string', short: 'l' },
    publisher: { type: 'string' },
    description: { type: 'string' },
    cover: { type: 'string' },
    server: { type: 'string' },
    'dry-run': { type: 'boolean' },
    json: { type: 'boolean' },
  },
  help: {
    output: 'folder for Author/Title/… (out)',
    format: 'm4b, mp3, opus, flac, wav; several with commas (m4b)',
    single: 'one MP3 for the whole book',
    captions: 'srt, vtt, json or none (srt,vtt,json)',
    'sample-rate': 'of the files, in Hz (the highest of the voices)',
    loudness: 'LUFS of the whole book, or off (-18)',
    voice: 'name of a voice (default)',
    speaker: 'one of the voice’s speakers',
    voices: 'JSON file, or Alice=clio,2=calliope/thalia: by speaker or chapter',
    speed: '1 is the voice’s own pace, 2 twice as fast (0.25 to 4)',
    seed: 'another take of the same text (a whole number)',
    lexicon: 'how words are said: PLS or a JSON list of rules; or a name, if the server keeps one',
    type: 'what the file is, if its name does not say',
    notes: 'speak footnotes where they stand',
    'on-error': 'silence, fallback or stop: what becomes of a sentence that can’t be spoken',
    fallback: 'voice for such a sentence',
    title: 'title of the book (the manuscript’s, or its file’s name)',
    subtitle: 'subtitle',
    author: 'author; several with ;',
    narrator: 'narrator (the voice’s name)',
    series: 'series, with its number: Songs #2',
    year: 'year of publication',
    language: 'language of the text (BCP 47)',
    publisher: 'publisher',
    description: 'what it is about',
    cover: 'picture, JPEG or PNG',
    server: 'have a server make it, e.g. http://localhost:8080',
    'dry-run': 'say how long it will be and how much is there already',
    json: 'print a last line of JSON instead of words',
  },
} satisfies Usage<Record<string, { type: 'string' | 'boolean'; short?: string }>>;

/** For scripts: the book is there, but not all of it was spoken as it should. */
const partlyDone = 3;

export const book: Command = {
  usage,
  async run(args, { config, signal, stdout, stderr }) {
    const { values, positionals } = parse(usage, args);
    const [argument] = positionals;
    if (argument === undefined || positionals.length > 1)
      throw new RhapsodeError('invalid_request', {
        message: `name one file, or - for standard input\nusage: ${usage.synopsis}`,
      });
    const folder = values.output ?? 'out';
    const { server } = values;
    const settings = await bookSettingsOf(values, server === undefined ? undefined : keptBy(server, signal));
    const cover = await readCover(values.cover);
    const piped = argument === '-' ? await keepInput() : undefined;
    const manuscript = piped?.path ?? argument;
    const progress = createProgress(stderr, { quiet: values.json === true });
    try {
      await checkManuscript(manuscript);
      const identity = argument === '-' ? 'standard input' : resolve(argument);
      const name =
        argument === '-' ? undefined : basename(argument, server === undefined ? extname(argument) : '');
      const what = { manuscript, name, identity, cover, settings, signal };
      if (values['dry-run']) {
        const estimate =
          server === undefined
            ? await estimateEmbedded(config, { ...what, folder })
            : await estimateRemote({ ...what, url: server });
        stdout.write(values.json ? `${JSON.stringify(estimate)}\n` : estimateWords(estimate));
        return 0;
      }
      const startedAt = performance.now();
      const elapsed = () => (performance.now() - startedAt) / 1000;
      const { made } =
        server === undefined
          ? await makeEmbedded(config, {
              ...what,
              folder,
              onProgress: (view, rendering) =>
                progress.update(
                  view.progress.sentences,
                  view.sentences,
                  progressWords(view, rendering, elapsed()),
                ),
              onTrouble: (what, error) => stderr.write(`rhapsode: ${what}: ${String(error)}\n`),
            })
          : await makeRemote({
              ...what,
              folder,
              url: server,
              onProgress: (view) =>
                progress.update(
                  view.progress.sentences,
                  view.sentences,
                  progressWords(view, undefined, elapsed()),
                ),
            });
      progress.end();
      stdout.write(values.json ? `${JSON.stringify(made)}\n` : madeWords(made));
      return made.sentencesFailed > 0 ? partlyDone : 0;
    } finally {
      progress.end();
      await piped?.remove();
    }
  },
};

const keptBy = (server: string, signal: AbortSignal) => async (name: string) =>
  (await createBookServer(server, signal).ask<{ rules: unknown }>(`/v1/lexicons/${name}`)).body.rules;

/** A manuscript is read more than once. */
async function keepInput() {
  const folder = await mkdtemp(join(tmpdir(), 'rhapsode-'));
  const path = join(folder, 'manuscript');
  await writeFile(path, process.stdin);
  return { path, remove: () => rm(folder, { recursive: true, force: true }) };
}

const madeWords = (made: MadeBook): string =>
  [
    ...made.files,
    `${made.chapters} chapters, ${made.sentences} sentences (${made.sentencesSynthesized} spoken now, ` +
      `${made.sentencesFailed} failed), ${seconds(made.audioSeconds)} of audio in ${seconds(made.elapsedSeconds)}`,
    '',
  ].join('\n');

const estimateWords = (estimate: BookEstimate): string =>
  [
    ...estimate.chapters.map(
      ({ title, sentences, estimated_audio_seconds: length }, index) =>
        `${String(index + 1).padStart(4)}  ${title || '(no title)'}: ${sentences} sentences, about ${seconds(length)}`,
    ),
    `${estimate.chapters.length} chapters, ${estimate.sentences} sentences, about ${seconds(estimate.estimated_audio_seconds)} of audio`,
    `${estimate.cache_hits} sentences are there already or stand there twice; ${estimate.cost.sentences} are to be spoken ` +
      `(${estimate.cost.characters} characters)`,
    ...estimate.warnings.map(({ message, code }) => `! ${message} (${code})`),
    '',
  ].join('\n');

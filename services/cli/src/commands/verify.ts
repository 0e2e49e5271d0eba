import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { verifyBook } from '@rhapsode/book';
import { RhapsodeError } from '@rhapsode/contracts';
import { parse, type Usage } from '../args.ts';
import type { Command } from '../command.ts';
import { seconds } from '../words.ts';

const usage = {
  synopsis: 'rhapsode verify BOOK [options]',
  about:
    'Checks the files of a book against its book.json: each file’s bytes and length, and that sentences and chapters are all of the\ntext and all of the sound. BOOK is a book.json or a folder that holds some. Ends with 1 where something is wrong.',
  options: { json: { type: 'boolean' } },
  help: { json: 'print JSON' },
} satisfies Usage<Record<string, { type: 'string' | 'boolean'; short?: string }>>;

const deepest = 5;

export const verify: Command = {
  usage,
  async run(args, { signal, stdout }) {
    const { values, positionals } = parse(usage, args);
    const [argument] = positionals;
    if (argument === undefined || positionals.length > 1)
      throw new RhapsodeError('invalid_request', { message: `name one book\nusage: ${usage.synopsis}` });
    const manifests = await manifestsOf(argument);
    if (manifests.length === 0)
      throw new RhapsodeError('invalid_request', { message: `there is no book.json in ${argument}` });
    const report = [];
    for (const path of manifests) report.push({ book: path, ...(await verifyFolder(path, signal)) });
    const wrong = report.some(({ problems }) => problems.length > 0);
    if (values.json) stdout.write(`${JSON.stringify({ ok: !wrong, books: report })}\n`);
    else
      for (const { book, problems, files, sentences, audioSeconds } of report) {
        for (const { file, message } of problems) stdout.write(`${join(dirname(book), file)}: ${message}\n`);
        stdout.write(
          problems.length > 0
            ? `${book}: ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}\n`
            : `${book}: ${files} files, ${sentences} sentences, ${seconds(audioSeconds)}: all is well\n`,
        );
      }
    return wrong ? 1 : 0;
  },
};

async function verifyFolder(path: string, signal: AbortSignal) {
  const folder = dirname(path);
  const { problems, manifest, files } = await verifyBook(
    {
      readManifest: () => readFile(path),
      async read(name) {
        const file = join(folder, name);
        const found = await stat(file).catch(() => undefined);
        return found?.isFile() ? createReadStream(file) : undefined;
      },
    },
    signal,
  );
  return {
    problems,
    files,
    sentences: manifest?.sentences.length ?? 0,
    audioSeconds: manifest ? manifest.samples / manifest.sampleRateHz : 0,
  };
}

/** The book.json that was named, or all below the folder that was. */
async function manifestsOf(path: string): Promise<string[]> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new RhapsodeError('invalid_request', { message: `there is no ${path}`, cause });
  });
  return found.isDirectory() ? below(path, 0) : [path];
}

async function below(folder: string, depth: number): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const here = entries
    .filter((entry) => entry.isFile() && entry.name === 'book.json')
    .map(({ name }) => join(folder, name));
  if (depth === deepest) return here;
  const deeper = entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name } of deeper) here.push(...(await below(join(folder, name), depth + 1)));
  return here;
}

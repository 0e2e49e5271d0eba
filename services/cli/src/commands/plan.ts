import { stat } from 'node:fs/promises';
import { RhapsodeError } from '@rhapsode/contracts';
import { type DocumentSource, type DocumentType, planDocument, planJson } from '@rhapsode/text';
import { parse, type Usage } from '../args.ts';
import type { Command } from '../command.ts';

const types: readonly DocumentType[] = ['text', 'markdown', 'html', 'epub', 'docx', 'pdf'];
const modes = ['auto', 'on', 'off'] as const;

const usage = {
  synopsis: 'rhapsode plan FILE|- [options]',
  about:
    'Shows what would be spoken: chapters, segments, the text as it is said, pauses, lengths.\nReads text, Markdown, HTML, EPUB, Word and PDF.',
  options: {
    json: { type: 'boolean' },
    whole: { type: 'boolean' },
    locale: { type: 'string', short: 'l' },
    normalise: { type: 'string' },
    type: { type: 'string' },
    notes: { type: 'boolean' },
  },
  help: {
    json: 'print JSON',
    whole: 'plan as for a book: no short first segment',
    locale: 'language of the text (BCP 47); a book may say its own',
    normalise: 'auto, on or off: whether numbers and the like are written out',
    type: `what the file is, if its name does not say: ${types.join(', ')}`,
    notes: 'speak footnotes where they stand',
  },
} satisfies Usage<Record<string, { type: 'string' | 'boolean'; short?: string }>>;

export const plan: Command = {
  usage,
  async run(args, { signal, stdout }) {
    const { values, positionals } = parse(usage, args);
    const [file, ...more] = positionals;
    if (file === undefined || more.length > 0)
      throw new RhapsodeError('invalid_request', {
        message: `name one file, or - for standard input\nusage: ${usage.synopsis}`,
      });
    const type = oneOf('type', values.type, types);
    const normalise = oneOf('normalise', values.normalise, modes);
    const options = {
      signal,
      firstSegment: values.whole ? ('full' as const) : ('short' as const),
      notes: values.notes ?? false,
      ...(values.locale === undefined ? {} : { locale: values.locale }),
      ...(normalise === undefined ? {} : { normalise }),
    };
    const source = await sourceOf(file, type);
    const write = async (text: string) => {
      if (!stdout.write(text)) await new Promise<void>((resolve) => stdout.once('drain', resolve));
    };
    if (values.json) {
      for await (const piece of planJson(source, options)) await write(piece);
      return;
    }
    let estimatedMs = 0;
    let segments = 0;
    let chapters = 0;
    for await (const event of planDocument(source, options)) {
      if (event.type === 'info') {
        const { title, authors = [], language } = event.info;
        await write(`${[title, authors.join(', '), language].filter((part) => part).join(' · ')}\n`);
      } else if (event.type === 'chapter') {
        chapters++;
        await write(`\n${event.title === '' ? '(no title)' : event.title}\n`);
      } else if (event.type === 'warning')
        await write(`  ! ${event.warning.message} (${event.warning.code})\n`);
      else {
        const { start, end, source: written, spoken, pauseMs, estimatedMs: lengthMs } = event.segment;
        segments++;
        estimatedMs += lengthMs + pauseMs;
        const plain = written.replace(/\s+/gu, ' ').trim();
        await write(`  ${start}-${end}  ${plain}\n`);
        if (spoken !== plain) await write(`    says  ${spoken === '' ? '(nothing)' : spoken}\n`);
        await write(`    ${(lengthMs / 1000).toFixed(1)} s, then ${pauseMs} ms of silence\n`);
      }
    }
    await write(`\n${chapters} chapters, ${segments} segments, about ${clock(estimatedMs)}\n`);
  },
};

async function sourceOf(file: string, type: DocumentType | undefined): Promise<DocumentSource> {
  const given = type === undefined ? {} : { type };
  if (file === '-') return { stream: process.stdin, ...given };
  const found = await stat(file).catch((cause: unknown) => {
    throw new RhapsodeError('invalid_request', { message: `there is no file ${file}`, cause });
  });
  if (!found.isFile()) throw new RhapsodeError('invalid_request', { message: `${file} is not a file` });
  return { path: file, ...given };
}

function oneOf<T extends string>(
  name: string,
  value: string | undefined,
  allowed: readonly T[],
): T | undefined {
  if (value === undefined) return undefined;
  const found = allowed.find((one) => one === value);
  if (found === undefined)
    throw new RhapsodeError('invalid_request', {
      message: `--${name} must be one of ${allowed.join(', ')}, not '${value}'`,
      param: name,
    });
  return found;
}

const clock = (ms: number): string => {
  const seconds = Math.round(ms / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${h} h ${m} min` : m > 0 ? `${m} min ${s} s` : `${s} s`;
};

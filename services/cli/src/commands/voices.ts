import { openCatalogue } from '@rhapsode/voices';
import { parse, type Usage } from '../args.ts';
import type { Command } from '../command.ts';
import { catalogueOptions } from '../speaker.ts';

const usage = {
  synopsis: 'rhapsode voices [--json]',
  about: 'Lists the voices of this machine, and what is wrong with those that can’t be used.',
  options: { json: { type: 'boolean' } },
  help: { json: 'print JSON' },
} satisfies Usage<Record<string, { type: 'string' | 'boolean' }>>;

export const voices: Command = {
  usage,
  async run(args, { config, stdout }) {
    const { values } = parse(usage, args);
    const options = catalogueOptions(config);
    const { aliases } = options;
    const { voices, problems } = await openCatalogue(options);
    if (values.json) {
      const broken = problems.map(({ id, error }) => ({ id, code: error.code, message: error.message }));
      stdout.write(`${JSON.stringify({ voices, aliases, problems: broken })}\n`);
      return;
    }
    const rows = voices.map((voice) => [
      voice.id,
      voice.language,
      `${voice.sampleRateHz} Hz`,
      voice.engine,
      voice.deterministic ? 'exact' : 'by sentence',
      voice.name,
    ]);
    for (const row of aligned([['VOICE', 'LANGUAGE', 'RATE', 'ENGINE', 'DELIVERY', 'NAME'], ...rows]))
      stdout.write(`${row}\n`);
    for (const [alias, voice] of Object.entries(aliases))
      stdout.write(`${alias} is another name of ${voice}\n`);
    for (const { id, error } of problems)
      stdout.write(`${id} can't be used: ${error.message} (${error.code})\n`);
  },
};

function aligned(rows: readonly string[][]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  );
}

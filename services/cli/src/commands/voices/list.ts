import { openCatalogue } from '@rhapsode/voices';
import { catalogueOptions } from '../../open-voices.ts';
import type { VoicesContext } from '../voices.ts';

export async function list(_: readonly string[], { config, stdout, json }: VoicesContext): Promise<void> {
  const options = catalogueOptions(config);
  const { aliases } = options;
  const { voices, problems } = await openCatalogue(options);
  if (json) {
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
}

/** Rows as lines, each column as wide as its widest cell. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  );
}

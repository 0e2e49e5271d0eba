import { readFileSync, writeFileSync } from 'node:fs';
import { cliSettings } from '@rhapsode/cli/config';
import { collectorSettings } from '@rhapsode/collector/config';
import { gatewaySettings } from '@rhapsode/gateway/config';
import { workerSettings } from '@rhapsode/worker/config';

/**
 * The README's table of settings, made from the tables that the programs read them by. Run this file to write it anew:
 * node test/support/settings-table.ts
 */
const readme = new URL('../../README.md', import.meta.url);
const [begin, end] = ['<!-- settings -->', '<!-- /settings -->'];

const programs = {
  gateway: gatewaySettings,
  worker: workerSettings,
  collector: collectorSettings,
  rhapsode: cliSettings,
};

interface Row {
  readonly description: string;
  readonly readers: { program: string; fallback: string }[];
}

export const tableNames = (): string[] =>
  [
    ...new Set(Object.values(programs).flatMap((table) => Object.values(table).map(({ name }) => name))),
  ].sort();

/** What depends on the machine is told in words. */
const machineDefaults: Record<string, string> = {
  RHAPSODE_DATA_DIR: '`out/data` of the repository',
  RHAPSODE_MODELS_DIR: '`models` of the repository',
  RHAPSODE_SLOTS: 'number of cores',
  RHAPSODE_WORKER_ID: 'host name and a random part',
};

export function settingsTable(): string {
  const rows = new Map<string, Row>();
  for (const [program, settings] of Object.entries(programs))
    for (const setting of Object.values(settings)) {
      const { name, description } = setting;
      const given = 'default' in setting ? setting.default : undefined;
      const fallback = machineDefaults[name] ?? (given ? `\`${given}\`` : '');
      const row: Row = rows.get(name) ?? { description, readers: [] };
      row.readers.push({ program, fallback });
      rows.set(name, row);
    }
  const lines = [...rows].sort().map(([name, { description, readers }]) => {
    const byFallback = [...Map.groupBy(readers, ({ fallback }) => fallback)];
    const shown = byFallback
      .map(([fallback, those]) =>
        byFallback.length === 1
          ? fallback
          : `${fallback} (${those.map(({ program }) => program).join(', ')})`,
      )
      .join(', ');
    return `| \`${name}\` | ${description} | ${shown} | ${readers.map(({ program }) => program).join(', ')} |`;
  });
  return ['| setting | meaning | default | read by |', '|---|---|---|---|', ...lines].join('\n');
}

/** The README with the table as it must be. */
export function withTable(text: string): string {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`README.md needs ${begin} and ${end}`);
  return `${text.slice(0, from + begin.length)}\n${settingsTable()}\n${text.slice(to)}`;
}

export const readReadme = (): string => readFileSync(readme, 'utf8');

if (import.meta.main) writeFileSync(readme, withTable(readReadme()));

/** One line of the report: what was measured, what came out, what is wanted, whether that was met. */
export interface Row {
  readonly what: string;
  readonly got: string;
  readonly target: string;
  readonly met: boolean;
}

export function printTable(rows: readonly Row[]): void {
  const cells = [
    ['', 'got', 'target', ''],
    ...rows.map(({ what, got, target, met }) => [what, got, target, met ? 'met' : 'MISSED']),
  ];
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  for (const row of cells)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    );
}

export const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`;

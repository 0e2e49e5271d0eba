/** Long work shows how far it is: a bar that is redrawn on a terminal, a line now and then elsewhere. */
export interface Progress {
  update(done: number, total: number | undefined, detail: string): void;
  end(): void;
}

const barWidth = 28;
const redrawEveryMs = 100;
const lineEveryMs = 5_000;

export interface ProgressOptions {
  readonly quiet: boolean;
  /** How a count is written; as it is by default. */
  readonly unit?: (count: number) => string;
}

export function createProgress(stream: NodeJS.WriteStream, options: ProgressOptions): Progress {
  const { quiet, unit = String } = options;
  if (quiet) return { update() {}, end() {} };
  const terminal = stream.isTTY === true;
  let shownAt = Number.NEGATIVE_INFINITY;
  let drawn = false;
  let wasWhole = false;
  return {
    update(done, total, detail) {
      const now = performance.now();
      const isWhole = done === total;
      // Being there is told at once, and only once.
      if (now - shownAt < (terminal ? redrawEveryMs : lineEveryMs) && (!isWhole || wasWhole)) return;
      shownAt = now;
      wasWhole = isWhole;
      const count = `${unit(done)}/${total === undefined ? '?' : unit(total)}`;
      if (!terminal) {
        stream.write(`${count} ${detail}\n`);
        return;
      }
      const filled = total ? Math.round((barWidth * done) / total) : 0;
      const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled);
      stream.write(`\r\u001b[2K${bar} ${count} ${detail}`.slice(0, stream.columns || 120));
      drawn = true;
    },
    end() {
      if (drawn) stream.write('\n');
    },
  };
}

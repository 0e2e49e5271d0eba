import type { Usage } from './args.ts';
import type { CliConfig } from './config.ts';

export interface CommandContext {
  readonly config: CliConfig;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

export interface Command {
  readonly usage: Usage<Record<string, { type: 'string' | 'boolean'; short?: string }>>;
  /** Answers what the program ends with, where it is not 0. */
  run(args: readonly string[], context: CommandContext): Promise<number | undefined>;
}

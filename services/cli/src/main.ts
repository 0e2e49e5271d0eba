#!/usr/bin/env node
import { asRhapsodeError, RhapsodeError } from '@rhapsode/contracts';
import { describe } from './args.ts';
import type { Command } from './command.ts';
import { readConfig } from './config.ts';

/** Loaded when they are called: `voices` need not wait for a server's code. */
const commands: Record<string, () => Promise<Command>> = {
  speak: async () => (await import('./commands/speak.ts')).speak,
  book: async () => (await import('./commands/book.ts')).book,
  verify: async () => (await import('./commands/verify.ts')).verify,
  serve: async () => (await import('./commands/serve.ts')).serve,
  plan: async () => (await import('./commands/plan.ts')).plan,
  voices: async () => (await import('./commands/voices.ts')).voices,
  doctor: async () => (await import('./commands/doctor.ts')).doctor,
  demo: async () => (await import('./commands/demo.ts')).demo,
};

const help = `usage: rhapsode COMMAND [options]

  speak    speak a text into a file
  book     make an audiobook of a manuscript
  verify   check an audiobook's files
  serve    start a server in this one process
  plan     show what would be spoken
  voices   list, describe, add, remove and verify voices
  doctor   check what is there and say what to do
  demo     read two chapters aloud

rhapsode COMMAND --help tells more.
`;

async function main([name, ...args]: string[]): Promise<void> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(help);
    if (name === undefined) process.exitCode = 2;
    return;
  }
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!load)
    throw new RhapsodeError('invalid_request', { message: `there is no command '${name}'\n\n${help}` });
  const command = await load();
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(describe(command.usage));
    return;
  }
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => stop.abort(new RhapsodeError('cancelled', { message: 'stopped' })));
  const { stdout, stderr } = process;
  const config = readConfig((warning) => stderr.write(`rhapsode: ${warning}\n`));
  process.exitCode =
    (await command.run(args, { config, signal: stop.signal, stdout, stderr })) ?? process.exitCode;
}

// `rhapsode voices | head`: the reader has enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

try {
  await main(process.argv.slice(2));
} catch (thrown) {
  const error = asRhapsodeError(thrown);
  const unknown = error.code === 'internal_error' && thrown instanceof Error ? `: ${thrown.stack}` : '';
  process.stderr.write(`rhapsode: ${error.message} (${error.code})${unknown}\n`);
  process.exitCode = error.code === 'invalid_request' ? 2 : error.code === 'cancelled' ? 130 : 1;
}

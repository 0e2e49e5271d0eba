import { type ParseArgsConfig, parseArgs } from 'node:util';
import { RhapsodeError } from '@rhapsode/contracts';

type Options = NonNullable<ParseArgsConfig['options']>;

/** What a command takes, as `node:util` wants it, with the words for its help. */
export interface Usage<O extends Options> {
  readonly synopsis: string;
  readonly about: string;
  readonly options: O;
  readonly help: { readonly [K in keyof O]: string };
}

/** Reads a command's arguments. Throws `invalid_request` with the way the command is called. */
export function parse<O extends Options>(usage: Usage<O>, args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: usage.options, allowPositionals: true, strict: true });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('. ')[0] : String(cause);
    throw new RhapsodeError('invalid_request', { message: `${reason}\nusage: ${usage.synopsis}`, cause });
  }
}

export function describe(usage: Usage<Options>): string {
  const rows = Object.entries(usage.options).map(([name, { type, short }]) => {
    const flags = `${short ? `-${short}, ` : '    '}--${name}${type === 'string' ? ' …' : ''}`;
    return `  ${flags.padEnd(24)}${usage.help[name] ?? ''}`;
  });
  return [`usage: ${usage.synopsis}`, '', usage.about, '', ...rows, ''].join('\n');
}

/** A number within bounds, or an error that names the option. */
export function numberOption(
  name: string,
  text: string | undefined,
  min: number,
  max: number,
  { whole = false }: { whole?: boolean } = {},
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !(value >= min && value <= max) || (whole && !Number.isInteger(value)))
    throw new RhapsodeError('invalid_request', {
      message: `--${name} must be a ${whole ? 'whole ' : ''}number from ${min} to ${max}, not '${text}'`,
      param: name,
    });
  return value;
}

import { RhapsodeError } from '@rhapsode/contracts';
import { z } from 'zod';
import { type Environment, linkedService, unknownNames } from './environment.ts';

/** One environment variable: the README's table and the parser read the same lines. */
export interface Setting<T> {
  readonly name: `RHAPSODE_${string}`;
  readonly description: string;
  /** As it would be written in the environment. Absent: the setting is optional and then undefined. */
  readonly default?: string;
  readonly schema: z.ZodType<T, string>;
}

export type SettingsTable = Readonly<Record<string, Setting<unknown>>>;
export type Settings<T extends SettingsTable> = {
  readonly [K in keyof T]:
    | (T[K] extends Setting<infer V> ? V : never)
    | (T[K] extends { readonly default: string } ? never : undefined);
};

/** Takes what is no reason not to start, but not what somebody meant. */
export type Warn = (warning: string) => void;

/** Reads all settings; an empty variable counts as not set. Throws one error that lists every problem. */
export function readSettings<T extends SettingsTable>(
  table: T,
  env: Environment,
  warn: Warn = () => {},
): Settings<T> {
  for (const warning of unknownNames(env)) warn(warning);
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, { name, default: fallback, schema }] of Object.entries(table)) {
    const service = linkedService(name, env);
    if (service !== undefined)
      warn(
        `${name} counts as not set: Kubernetes has set it to the address of the Service ‘${service}’ (${env[name]}); set ${name} yourself, or enableServiceLinks: false in the pod`,
      );
    const text = (service === undefined && env[name]) || fallback;
    if (text === undefined) continue;
    const parsed = schema.safeParse(text);
    if (parsed.success) values[key] = parsed.data;
    else problems.push(`${name}: ${parsed.error.issues.map((issue) => issue.message).join('; ')}`);
  }
  if (problems.length > 0)
    throw new RhapsodeError('config_invalid', {
      message: `The configuration is not valid:\n  ${problems.join('\n  ')}`,
    });
  return Object.freeze(values) as Settings<T>;
}

/** Schemas of what stands in an environment variable. */
export const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((n) => n >= min && n <= max, `must be from ${min} to ${max}`);

export const flag = z.enum(['true', 'false'], 'must be true or false').transform((text) => text === 'true');

export const port = integer(0, 65_535);

export const portOrOff = z.union([z.literal('off'), port], 'must be a port (0 to 65535), or off');

export const url = (...protocols: string[]) =>
  z.string().refine(
    (text) => {
      const parsed = URL.parse(text);
      return parsed !== null && protocols.includes(parsed.protocol.slice(0, -1));
    },
    `must be a URL that begins with ${protocols.map((p) => `${p}://`).join(' or ')}`,
  );

/** Of a web page: what stands before the path of its address. */
export const origin = z
  .string()
  .refine(
    (text) => text === '*' || URL.parse(text)?.origin === text,
    'must be origins such as https://example.org (no path, no slash at the end), or *',
  );

/** `a, b` */
export const listOf = <T>(item: z.ZodType<T, string>) =>
  z
    .string()
    .transform((text) => text.split(',').flatMap((part) => part.trim() || []))
    .pipe(z.array(item));

/** `name=other, name=other` */
export const mapping = z.string().transform((text, context) => {
  const map: Record<string, string> = {};
  for (const part of text.split(',').flatMap((entry) => entry.trim() || [])) {
    const [from, to, ...rest] = part.split('=').map((side) => side.trim());
    if (from && to && rest.length === 0) map[from] = to;
    else context.addIssue({ code: 'custom', message: `'${part}' is not of the form name=other` });
  }
  return map;
});

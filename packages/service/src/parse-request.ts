import { controlCharacterAt, RhapsodeError } from '@rhapsode/contracts';
import type { z } from 'zod';

/**
 * Checks what came from outside; refuses with the first problem, naming the field as the caller wrote it. Clients made from
 * typed languages write null for what they leave out: where the schema has no other meaning for it, it is as nothing.
 */
export function parseRequest<T>(schema: z.ZodType<T>, value: unknown): T {
  const asSent = schema.safeParse(value);
  if (asSent.success) return asSent.data;
  const sentIssues = asSent.error.issues.flatMap(nearest);
  const rest = withoutNulls(value, sentIssues);
  const parsed = rest === undefined ? asSent : schema.safeParse(rest);
  if (parsed.success) return parsed.data;
  // Null where something is needed is told as it was sent, not as a field that is missing.
  const first = parsed.error.issues.flatMap(nearest)[0]!;
  const missing = first.path.join('.');
  const issue = sentIssues.find(({ path }) => path.join('.') === missing) ?? first;
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    throw unknownField([...issue.path, issue.keys[0]].join('.'));
  }
  throw new RhapsodeError('invalid_request', {
    message:
      path === ''
        ? `The request is not valid: ${issue.message}.`
        : `'${path}' is not valid: ${issue.message}.`,
    ...(path === '' ? {} : { param: path }),
  });
}

export function unknownField(path: string): RhapsodeError {
  const param = path.slice(0, 100);
  return new RhapsodeError('unknown_field', {
    message: `The request has an unknown field '${param}'.`,
    param,
  });
}

/** What is of none of several kinds is told as the kind that it is nearest to: whose problem lies deepest, or is no other kind. */
function nearest(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const isOfKind = (issues: readonly z.core.$ZodIssue[]) =>
    issues.length > 0 && issues.every(({ code, path }) => path.length > 0 || code !== 'invalid_type');
  const kind = issue.errors.find(isOfKind);
  if (kind) return kind.map((one) => ({ ...one, path: [...issue.path, ...one.path] })).flatMap(nearest);
  const kinds = issue.errors.flatMap(([one]) => (one?.code === 'invalid_type' ? [one.expected] : []));
  return [
    kinds.length === 0 ? issue : { ...issue, message: `${issue.message}: expected ${kinds.join(' or ')}` },
  ];
}

type Fields = Record<PropertyKey, unknown>;

/** The value without the fields that are null and may not be; undefined if there are none. */
function withoutNulls(value: unknown, issues: readonly z.core.$ZodIssue[]): unknown {
  const isField = ({ path }: z.core.$ZodIssue) =>
    path.length > 0 && typeof path.at(-1) === 'string' && valueAt(value, path) === null;
  const nulls = issues.filter(isField);
  if (nulls.length === 0) return undefined;
  const copy = structuredClone(value);
  for (const { path } of nulls) delete (valueAt(copy, path.slice(0, -1)) as Fields)[path.at(-1)!];
  return copy;
}

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce((at, key) => (at as Fields | null | undefined)?.[key], value);

/**
 * A text that may be spoken: no half of a surrogate pair (which JSON's escapes can smuggle in), no control characters but
 * tab and line ends. They are refused and not dropped, for they tell that something upstream is broken.
 */
export function checkText(text: string, param: string): void {
  if (!text.isWellFormed())
    throw new RhapsodeError('invalid_encoding', {
      message: `'${param}' holds half of a surrogate pair, which is no character.`,
      param,
    });
  const at = controlCharacterAt(text);
  if (at === -1) return;
  const code = text.charCodeAt(at).toString(16).padStart(4, '0').toUpperCase();
  throw new RhapsodeError('invalid_request', {
    message: `'${param}' holds the control character U+${code} at offset ${at}; only tab and line ends are allowed.`,
    param,
  });
}

/** A limit in characters as a person counts them: code points. */
export function checkLength(text: string, limit: number, param: string): void {
  // A code point is at most two code units, so most texts need no counting.
  if (text.length <= limit) return;
  let characters = 0;
  for (const _ of text) if (++characters > limit) break;
  if (characters <= limit) return;
  throw new RhapsodeError('text_too_long', {
    message: `'${param}' is longer than ${limit} characters, the most in one request; send it in parts.`,
    param,
  });
}

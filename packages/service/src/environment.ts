import { settingNames } from './setting-names.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const prefix = 'RHAPSODE_';

/** Of each variable that has our prefix and no effect: which it is, and which may have been meant. Values are not told. */
export function unknownNames(env: Environment): string[] {
  return Object.keys(env).flatMap((name) => {
    if (!name.startsWith(prefix) || !env[name] || settingNames.includes(name)) return [];
    if (isServiceLink(name, env)) return [];
    const meant = nearest(name);
    return `${name} is no setting and has no effect; ${meant ? `did you mean ${meant}?` : 'the README lists all settings'}`;
  });
}

/** Kubernetes tells pods of each Service of their namespace: X_PORT, X_SERVICE_HOST, X_PORT_80_TCP_ADDR and more. */
function isServiceLink(name: string, env: Environment): boolean {
  if (/_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name)) return true;
  if (linkedService(name, env) !== undefined) return true;
  const stem = /^(.+)_SERVICE_(HOST|PORT(_\w+)?)$/.exec(name)?.[1];
  return Boolean(stem && env[`${stem}_SERVICE_HOST`] && env[`${stem}_SERVICE_PORT`]);
}

/**
 * The Service whose address a variable holds. A Service named `rhapsode` makes X_PORT our RHAPSODE_PORT; nobody set it, for
 * what is set in a pod comes before. An address without the variables that Kubernetes sets beside it was written by hand.
 */
export function linkedService(name: string, env: Environment): string | undefined {
  const [, protocol, port] = /^(tcp|udp|sctp):\/\/.+:(\d+)$/.exec(env[name] ?? '') ?? [];
  if (!name.endsWith('_PORT') || protocol === undefined) return undefined;
  if (env[`${name}_${port}_${protocol.toUpperCase()}_ADDR`] === undefined) return undefined;
  return name.slice(0, -'_PORT'.length).toLowerCase().replaceAll('_', '-');
}

function nearest(name: string): string | undefined {
  const word = name.slice(prefix.length);
  const near = settingNames.map((known) => {
    const other = known.slice(prefix.length);
    // Where one goes on where the other ends, a part was left out or added.
    const goesOn = other.startsWith(`${word}_`) || word.startsWith(`${other}_`);
    return { known, distance: goesOn ? 1 : edits(word, other) };
  });
  const [best] = near.sort((a, b) => a.distance - b.distance);
  return best && best.distance <= Math.max(1, word.length * 0.4) ? best.known : undefined;
}

/** Letters to add, drop, replace or swap with their neighbour until one word is the other. */
function edits(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, at) => at)];
  for (let i = 1; i <= a.length; i++) {
    const [last, above] = [rows.at(-2), rows.at(-1)!];
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? last![j - 2]! + 1 : replaced;
      row[j] = Math.min(above[j]! + 1, row[j - 1]! + 1, replaced, swapped);
    }
    rows.push(row);
  }
  return rows.at(-1)![b.length]!;
}

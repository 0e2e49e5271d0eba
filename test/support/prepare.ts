import { execFileSync } from 'node:child_process';
import { type TestConfig, testConfig } from './config.ts';
import { type Executable, executables, findExecutable, missing, packageOf } from './executables.ts';

/**
 * Installs Debian packages without a question and without starting a service of theirs: `policy-rc.d` answers "no" to
 * systemd's helper, RUNLEVEL=1 to the older one. A policy that was there before is left alone.
 */
const install = `
set -e
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 1' INT TERM
  printf '#!/bin/sh\\nexit 101\\n' > "$policy"
  chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
apt-get update -qq || echo 'apt-get update failed; trying with the package lists at hand' >&2
apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=120 "$@"
`;

const succeeds = (command: string, args: readonly string[]): boolean => {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

/** The words before `sh` that make it root; undefined where that needs a password. */
function asRoot(): readonly string[] | undefined {
  if (process.getuid?.() === 0) return [];
  return succeeds('sudo', ['-n', 'true']) ? ['sudo', '-n'] : undefined;
}

function installMissing(names: readonly Executable[], config: TestConfig): void {
  const packages = [
    ...new Set(names.filter((name) => config.executables[name] === undefined).map(packageOf)),
  ];
  const root = asRoot();
  if (packages.length === 0 || !config.mayInstall || root === undefined) return;
  if (!succeeds('apt-get', ['--version'])) return;
  console.log(`installing ${packages.join(' and ')} with apt-get`);
  const [command, ...args] = [...root, 'sh', '-c', install, 'sh', ...packages];
  try {
    execFileSync(command!, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  } catch {
    // apt-get has said why; what is still missing is named below.
  }
}

export function prepare(config: TestConfig = testConfig()): void {
  const absent = () => executables.filter((name) => findExecutable(name, config) === undefined);
  if (absent().length > 0) installMissing(absent(), config);
  if (absent().length > 0) throw new Error(missing(absent()));
  for (const name of executables) {
    const path = findExecutable(name, config)!;
    const flag = packageOf(name) === 'ffmpeg' ? '-version' : '--version';
    const version = /\d+\.\d+(\.\d+)?/.exec(
      execFileSync(path, [flag], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
    )?.[0];
    console.log(`${name} ${version ?? '(unknown version)'} at ${path}`);
  }
}

if (import.meta.main) {
  try {
    prepare();
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = new URL('..', import.meta.url).pathname;
const packages = readdirSync(join(root, 'packages'));
const services = readdirSync(join(root, 'services'));

/** Who may import whom. `services` may import every package; `cli` also the other services, whose routes it embeds. */
const arrows: Record<string, string[]> = {
  contracts: [],
  espeak: [],
  text: ['contracts'],
  audio: ['contracts'],
  queue: ['contracts'],
  log: ['contracts'],
  store: ['contracts'],
  voices: ['contracts', 'espeak'],
  telemetry: ['contracts'],
  client: ['contracts'],
  service: ['contracts', 'telemetry'],
  pipeline: ['contracts', 'text', 'audio', 'voices', 'queue', 'log', 'store', 'telemetry'],
  book: ['contracts', 'text', 'audio', 'voices', 'queue', 'log', 'store', 'telemetry', 'pipeline'],
  gateway: packages,
  worker: packages,
  collector: packages,
  cli: [...packages, 'gateway', 'collector'],
};

/** A technology is imported in the file named after it, and by a service's `main.ts` not even then. */
const technologies: Record<string, RegExp> = {
  bullmq: /(^|\/)bullmq(\.ts|\/)/,
  ioredis: /(^|\/)(redis|bullmq)(\.ts|\/)/,
  '@nats-io/': /(^|\/)nats(\.ts|\/)/,
  'onnxruntime-node': /onnx\/session\.ts$/,
  '@echogarden/': /packages\/espeak\//,
  'prom-client': /packages\/telemetry\/src\/metrics\.ts$/,
  '@aws-sdk/': /(^|\/)s3(\.ts|\/)/,
  pino: /packages\/telemetry\/src\/log\.ts$/,
  'wasm-media-encoders': /packages\/audio\/src\/mp3\.ts$/,
  '@grpc/': /services\/gateway\/src\/grpc\//,
  'grpc-health-check': /services\/gateway\/src\/grpc\//,
  '@evan/': /packages\/audio\/src\/opus-packets\.ts$/,
  libflacjs: /packages\/audio\/src\/flac\.ts$/,
  '@alexanderolsen/': /packages\/audio\/src\/resampler\.ts$/,
  fastify: /(packages\/service|services\/[a-z]+)\/src\//,
};

function filesUnder(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (name === 'node_modules') return [];
    return statSync(path).isDirectory() ? filesUnder(path) : path.endsWith('.ts') ? [path] : [];
  });
}

const sources = ['packages', 'services'].flatMap((kind) =>
  (kind === 'packages' ? packages : services).flatMap((unit) =>
    filesUnder(join(root, kind, unit, 'src')).map((path) => ({
      unit,
      path: relative(root, path).split(sep).join('/'),
      text: readFileSync(path, 'utf8'),
    })),
  ),
);

const importsOf = (text: string): string[] =>
  [
    ...text.matchAll(
      /(?:^|\n)\s*(?:import|export)\s[^;]*?from\s+'([^']+)'|import\('([^']+)'\)|(?:^|\n)import '([^']+)'/g,
    ),
  ].map((match) => (match[1] ?? match[2] ?? match[3])!);

const violations = (rule: (source: (typeof sources)[number]) => string[]): string[] =>
  sources.flatMap((source) => rule(source).map((problem) => `${source.path}: ${problem}`));

describe('the architecture', () => {
  it('has just these things at the top', () => {
    const allowed = ['services', 'packages', 'models', 'deploy', 'test', 'docs'].concat(
      ['pnpm-workspace.yaml', 'pnpm-lock.yaml', 'package.json', 'tsconfig.base.json'],
      ['README.md', 'LICENSE', 'CHANGELOG.md', 'node_modules', 'out'],
    );
    const there = readdirSync(root).filter((name) => !name.startsWith('.'));
    expect(there.filter((name) => !allowed.includes(name))).toEqual([]);
  });

  it('lets packages import only along the arrows', () => {
    expect(Object.keys(arrows).sort()).toEqual([...packages, ...services].sort());
    const crossed = violations(({ unit, text }) =>
      importsOf(text)
        .filter((name) => name.startsWith('@rhapsode/'))
        .map((name) => name.split('/')[1]!)
        .filter((other) => other !== unit && !arrows[unit]!.includes(other)),
    );
    expect(crossed).toEqual([]);
  });

  it('declares in each package.json what its sources import, and nothing else', () => {
    for (const unit of [...packages, ...services]) {
      const kind = packages.includes(unit) ? 'packages' : 'services';
      const manifest = JSON.parse(readFileSync(join(root, kind, unit, 'package.json'), 'utf8'));
      const declared = Object.keys(manifest.dependencies ?? {}).sort();
      const imported = new Set(
        sources
          .filter((source) => source.unit === unit)
          .flatMap((source) => importsOf(source.text))
          .filter(
            (name) => !name.startsWith('.') && !name.startsWith('node:') && name !== `@rhapsode/${unit}`,
          )
          // A conformance suite is run by a test runner, which the workspace's root brings.
          .filter((name) => name !== 'vitest' && name !== 'fast-check')
          .map((name) =>
            name
              .split('/')
              .slice(0, name.startsWith('@') ? 2 : 1)
              .join('/'),
          ),
      );
      expect([unit, ...declared.filter((name) => name !== '@rhapsode/espeak')]).toEqual([
        unit,
        ...[...imported].filter((name) => name !== '@rhapsode/espeak').sort(),
      ]);
    }
  });

  it('never lets a package import a service, or reach into another folder by path', () => {
    const reached = violations(({ path, text }) =>
      importsOf(text).filter((name) => {
        if (!name.startsWith('.')) return false;
        const target = join('/', path, '..', name);
        return !target.startsWith(join('/', path.split('/').slice(0, 3).join('/')));
      }),
    );
    expect(reached).toEqual([]);
  });

  it('names a technology only in the file named after it', () => {
    const named = violations(({ path, text }) =>
      importsOf(text).filter((name) =>
        Object.entries(technologies).some(
          ([technology, home]) =>
            (technology.endsWith('/') ? name.startsWith(technology) : name === technology) &&
            !home.test(path),
        ),
      ),
    );
    expect(named).toEqual([]);
  });

  it('reads the environment in config.ts only', () => {
    const readers = violations(({ path, text }) =>
      /process\s*\.\s*env|import\s*\{[^}]*\benv\b[^}]*\}\s*from\s*'node:process'/.test(text) &&
      basename(path) !== 'config.ts'
        ? ['process.env']
        : [],
    );
    expect(readers).toEqual([]);
  });

  it('runs espeak-ng as a separate program: no Apache-2.0 source imports the GPL package', () => {
    expect(
      violations(({ unit, text }) =>
        unit === 'espeak' ? [] : importsOf(text).filter((n) => n.startsWith('@rhapsode/espeak')),
      ),
    ).toEqual([]);
  });
});

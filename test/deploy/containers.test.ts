import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { collectorSettings } from '@rhapsode/collector/config';
import { gatewaySettings } from '@rhapsode/gateway/config';
import type { SettingsTable } from '@rhapsode/service';
import { workerSettings } from '@rhapsode/worker/config';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const root = new URL('../..', import.meta.url).pathname;
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const dockerfile = read('deploy/docker/Dockerfile');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

interface Container {
  image: string;
  build?: { context: string; dockerfile: string; target: string };
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  healthcheck: { test: string[] };
  stop_grace_period?: string;
  depends_on?: Record<string, { condition: string }>;
  read_only?: boolean;
}
const compose = parse(read('deploy/compose/compose.yaml'), { merge: true, uniqueKeys: true }) as {
  services: Record<string, Container>;
};
const settings: Record<string, SettingsTable> = {
  gateway: gatewaySettings,
  worker: workerSettings,
  collector: collectorSettings,
};
const ours = Object.entries(compose.services).filter(([, { build }]) => build !== undefined);

describe('the image of the embedded server', () => {
  it('starts it as pnpm start does', () => {
    const [, entry, command] = /AS embedded\nEXPOSE 8080\nENTRYPOINT (.+)\nCMD (.+)/.exec(dockerfile) ?? [];
    expect([...JSON.parse(entry ?? '[]'), ...JSON.parse(command ?? '[]')]).toEqual(scripts.start!.split(' '));
  });
});

describe('compose.yaml', () => {
  it('runs the three services, Redis and NATS', () => {
    expect(Object.keys(compose.services).sort()).toEqual(['collector', 'gateway', 'nats', 'redis', 'worker']);
    expect(ours.map(([name]) => name).sort()).toEqual(Object.keys(settings).sort());
  });

  it('sets only variables that the service reads, to values that it accepts', () => {
    for (const [name, { environment = {} }] of ours)
      for (const [variable, text] of Object.entries(environment)) {
        const setting = Object.values(settings[name]!).find((one) => one.name === variable);
        expect(setting, `${name} does not read ${variable}`).toBeDefined();
        const value = String(text).replace(/\$\{\w+:-(.*)\}/, '$1');
        if (value !== '')
          expect(setting!.schema.safeParse(value), `${name}: ${variable}`).toMatchObject({ success: true });
      }
  });

  it('asks each service for its readiness at its own port', () => {
    for (const [name, { healthcheck }] of ours) {
      const port = Object.values(settings[name]!).find((one) => one.name === 'RHAPSODE_PORT')!.default;
      expect(healthcheck.test.at(-1)).toContain(`fetch('http://127.0.0.1:${port}/readyz')`);
      const command = new RegExp(`AS ${name}\\nEXPOSE ${port}(?: \\d+)?\\nCMD (.+)`).exec(dockerfile)?.[1];
      expect(JSON.parse(command ?? '[]')).toEqual(scripts[name]!.split(' '));
    }
  });

  it('keeps books where the gateway and the collectors see them, in a place that their user may write to', () => {
    for (const name of ['gateway', 'collector']) {
      const { environment, volumes } = compose.services[name]!;
      expect(volumes).toContain(`books:${environment!.RHAPSODE_DATA_DIR}`);
      expect(dockerfile).toContain(`chown node ${environment!.RHAPSODE_DATA_DIR}`);
    }
  });

  it('waits with killing until the drain is over', () => {
    for (const [, { stop_grace_period, environment }] of ours)
      expect(Number.parseInt(stop_grace_period!, 10)).toBeGreaterThan(
        Number(environment!.RHAPSODE_DRAIN_SECONDS),
      );
  });

  it('can run many workers: no port of the machine and no fixed name is theirs', () => {
    expect(compose.services.worker).not.toHaveProperty('ports');
    expect(compose.services.worker).not.toHaveProperty('container_name');
  });

  it('opens ports to this machine only, and none of Redis and NATS', () => {
    for (const { ports = [] } of Object.values(compose.services))
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
    expect(compose.services.redis).not.toHaveProperty('ports');
    expect(compose.services.nats).not.toHaveProperty('ports');
  });

  it('uses exact images, and the configuration files that the tests use', () => {
    for (const name of ['redis', 'nats']) {
      expect(compose.services[name]!.image).toMatch(/:\d+\.\d+\.\d+/);
      const file = compose.services[name]!.volumes!.find((volume) => volume.includes('.conf'))!.split(
        ':',
      )[0]!;
      expect(existsSync(join(root, 'deploy/compose', file))).toBe(true);
    }
  });

  it('keeps the services from writing into their image', () => {
    for (const [, container] of ours) expect(container.read_only).toBe(true);
  });
});

describe('Dockerfile', () => {
  it('has the Node version that the repository is tested with, on Debian', () => {
    const version = /^nodeVersion: (.+)$/m.exec(read('pnpm-workspace.yaml'))![1];
    expect(dockerfile).toContain(`FROM node:${version}-bookworm-slim AS base`);
  });

  it('has a target for each container, and runs none of them as root', () => {
    for (const [, { build }] of ours) expect(dockerfile).toContain(`FROM runtime AS ${build!.target}\n`);
    const runtime = dockerfile.slice(dockerfile.indexOf('AS runtime'));
    expect(runtime.indexOf('USER node')).toBeLessThan(runtime.indexOf('CMD'));
  });

  it('copies and starts files that exist, and lets the builder see them', () => {
    const ignored = read('deploy/docker/Dockerfile.dockerignore').split('\n');
    for (const [, names] of dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm))
      for (const name of names!.split(' ')) {
        expect(existsSync(join(root, name)), name).toBe(true);
        expect(ignored).toContain(`!${name}`);
      }
    for (const [, file] of dockerfile.matchAll(/"(services\/[^"]+)"/g))
      expect(existsSync(join(root, file!))).toBe(true);
  });
});

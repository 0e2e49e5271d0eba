import { readFileSync } from 'node:fs';
import { errorCatalogue } from '@rhapsode/contracts';
import { createHttpApp, opsRoutes } from '@rhapsode/service';
import { createHealth, createLifecycle, createLog, createMetrics } from '@rhapsode/telemetry';
import { describe, expect, it } from 'vitest';
import { gatewayRoutes } from '../src/app.ts';
import type { GatewayDeps } from '../src/deps.ts';

const page = readFileSync(new URL('../../../docs/http-api.md', import.meta.url), 'utf8');

describe('docs/http-api.md', () => {
  it('lists all routes of the gateway, and no others', async () => {
    const log = createLog({ service: 'test', level: 'silent' });
    const lifecycle = createLifecycle({ log, graceMs: 0 });
    const metrics = createMetrics();
    const app = createHttpApp({ log, metrics, lifecycle });
    const routes = new Set<string>();
    app.addHook('onRoute', ({ method, url }) => {
      if (method !== 'HEAD') routes.add(`${method} ${url.replace(/:(\w+)/g, '{$1}').replace('*', '{name}')}`);
    });
    opsRoutes(app, { metrics, health: createHealth({ lifecycle, checks: {} }) });
    gatewayRoutes(app, { limits: { maxBookBytes: 1 } } as GatewayDeps);
    await app.ready();
    const documented = [...page.matchAll(/^\| (`.*?`) \|/gm)].flatMap(([, cell]) =>
      [...cell!.matchAll(/`((?:GET|POST|PUT|PATCH|DELETE) [^`]+)`/g)].map((match) => match[1]),
    );
    expect(documented.sort()).toEqual([...routes].sort());
  });

  it('lists the whole catalogue of errors as it is', () => {
    const rows = [...page.matchAll(/^\| `(\w+)` \| (\d+) \| (yes|no) \| (.*) \|$/gm)];
    const documented = Object.fromEntries(
      rows.map(([, code, status, again, safe]) => [code, [Number(status), again, safe]]),
    );
    const real = Object.entries(errorCatalogue).map(([code, { status, retryable, safe }]) => [
      code,
      [status, retryable ? 'yes' : 'no', safe],
    ]);
    expect(documented).toEqual(Object.fromEntries(real));
  });
});

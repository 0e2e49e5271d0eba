import { createLifecycle, createLog, createMetrics } from '@rhapsode/telemetry';
import { expect, it } from 'vitest';
import { createHttpApp, listen } from '../src/index.ts';

it('says what to do when the port is not for this user', async () => {
  const log = createLog({ service: 'test', level: 'silent' });
  const lifecycle = createLifecycle({ log, graceMs: 0 });
  const app = createHttpApp({ log, metrics: createMetrics(), lifecycle });
  // Who runs the tests may be allowed to.
  app.listen = () => Promise.reject(Object.assign(new Error('listen EACCES'), { code: 'EACCES' }));
  await expect(listen(app, { host: '127.0.0.1', port: 80, lifecycle })).rejects.toMatchObject({
    code: 'config_invalid',
    message: 'This user may not listen on port 80 of 127.0.0.1; set RHAPSODE_PORT to one from 1024 on.',
  });
});

it('says which setting is wrong when the address is not of this machine', async () => {
  const log = createLog({ service: 'test', level: 'silent' });
  const lifecycle = createLifecycle({ log, graceMs: 0 });
  const app = createHttpApp({ log, metrics: createMetrics(), lifecycle });
  // Of a network that is kept for examples.
  await expect(listen(app, { host: '203.0.113.7', port: 0, lifecycle })).rejects.toMatchObject({
    code: 'config_invalid',
    message: expect.stringContaining('RHAPSODE_HOST'),
  });
  await app.close();
});

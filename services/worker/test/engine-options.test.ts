import { readSettings } from '@rhapsode/service';
import { expect, it } from 'vitest';
import { workerSettings } from '../src/config.ts';
import { catalogueOptions, engineOptions } from '../src/engine-options.ts';

const read = (env: Record<string, string>) => readSettings(workerSettings, env);

it('computes each sentence by itself, on one thread of the processor, unless it is told otherwise', () => {
  const config = read({ RHAPSODE_SLOTS: '3' });
  expect(config.providers).toEqual(['cpu']);
  expect(catalogueOptions(config, 'cpu').sessions).toEqual({
    providers: ['cpu'],
    threads: 1,
    env: {},
    batchWindows: 1,
    batchWaitMs: 2,
  });
  expect(engineOptions(config)).toMatchObject({ children: 3, sentencesPerChild: 1, env: {} });
});

it('hands on how sentences share a process and a run, threads, providers and their variables', () => {
  const config = read({
    RHAPSODE_SLOTS: '1',
    RHAPSODE_SENTENCES_PER_SLOT: '8',
    RHAPSODE_BATCH_WINDOWS: '6',
    RHAPSODE_BATCH_WAIT_MS: '5',
    RHAPSODE_ENGINE_THREADS: '2',
    RHAPSODE_EXECUTION_PROVIDERS: 'cuda, cpu',
    RHAPSODE_ENGINE_ENV: 'CUDA_VISIBLE_DEVICES=1,LD_LIBRARY_PATH=/opt/a=b:/opt/c',
    RHAPSODE_ENGINE_MEMORY_MB: '100',
  });
  const env = { CUDA_VISIBLE_DEVICES: '1', LD_LIBRARY_PATH: '/opt/a=b:/opt/c' };
  expect(config.providers).toEqual(['cuda', 'cpu']);
  expect(catalogueOptions(config, 'cuda').sessions).toEqual({
    providers: ['cuda'],
    threads: 2,
    env,
    batchWindows: 6,
    batchWaitMs: 5,
  });
  expect(engineOptions(config)).toMatchObject({
    children: 1,
    sentencesPerChild: 8,
    env,
    supervision: { replaceAboveBytes: 100 * 2 ** 20, killAboveBytes: 200 * 2 ** 20 },
  });
});

it.each([
  ['RHAPSODE_BATCH_WINDOWS', '0'],
  ['RHAPSODE_BATCH_WINDOWS', '65'],
  ['RHAPSODE_BATCH_WAIT_MS', '-1'],
  ['RHAPSODE_BATCH_WAIT_MS', '1000'],
  ['RHAPSODE_SENTENCES_PER_SLOT', '0'],
  ['RHAPSODE_ENGINE_THREADS', '0'],
  ['RHAPSODE_EXECUTION_PROVIDERS', 'cudda'],
  ['RHAPSODE_EXECUTION_PROVIDERS', 'cuda,,cpu'],
  ['RHAPSODE_ENGINE_ENV', 'PATH'],
])('refuses %s=%s by name', (name, value) => {
  expect(() => read({ [name]: value })).toThrow(name);
});

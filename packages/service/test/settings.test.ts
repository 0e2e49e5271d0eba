import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { commonSettings, flag, integer, listOf, mapping, readSettings, url } from '../src/index.ts';

const table = {
  port: { name: 'RHAPSODE_PORT', description: 'port', default: '8080', schema: integer(0, 65_535) },
  redisUrl: commonSettings.redisUrl,
  trust: { name: 'RHAPSODE_TRUST', description: 'flag', default: 'false', schema: flag },
  dir: { name: 'RHAPSODE_DIR', description: 'optional', schema: z.string() },
  aliases: { name: 'RHAPSODE_ALIASES', description: 'map', default: 'a=b', schema: mapping },
} as const;

describe('settings', () => {
  it('takes the defaults where the environment says nothing, or says it with an empty variable', () => {
    expect(readSettings(table, { RHAPSODE_PORT: '' })).toEqual({
      port: 8080,
      redisUrl: 'redis://127.0.0.1:6379',
      trust: false,
      aliases: { a: 'b' },
    });
  });

  it('reads what is set', () => {
    const env = {
      RHAPSODE_PORT: '0',
      RHAPSODE_TRUST: 'true',
      RHAPSODE_DIR: '/x',
      RHAPSODE_ALIASES: 'x=y, z = w',
    };
    expect(readSettings(table, env)).toMatchObject({
      port: 0,
      trust: true,
      dir: '/x',
      aliases: { x: 'y', z: 'w' },
    });
  });

  it('lists every problem at once, each with the name of its variable', () => {
    const env = {
      RHAPSODE_PORT: '80a',
      RHAPSODE_REDIS_URL: 'http://x',
      RHAPSODE_TRUST: 'yes',
      RHAPSODE_ALIASES: 'x',
    };
    expect(() => readSettings(table, env)).toThrow(
      expect.objectContaining({
        code: 'config_invalid',
        message: expect.stringMatching(
          /RHAPSODE_PORT: must be a whole number.*\n.*RHAPSODE_REDIS_URL: .*redis:\/\/.*\n.*RHAPSODE_TRUST: .*\n.*RHAPSODE_ALIASES: 'x'/,
        ),
      }),
    );
  });

  it('cannot be changed afterwards', () => {
    expect(Object.isFrozen(readSettings(table, {}))).toBe(true);
  });

  it('has defaults that its own schemas accept', () => {
    expect(readSettings(commonSettings, {})).toMatchObject({
      pools: ['default'],
      natsUrl: ['nats://127.0.0.1:4222'],
    });
  });

  it('reads lists and checks each item', () => {
    const list = { list: { name: 'RHAPSODE_LIST', description: 'l', schema: listOf(url('nats')) } } as const;
    expect(readSettings(list, { RHAPSODE_LIST: 'nats://a:1, nats://b:2,' }).list).toEqual([
      'nats://a:1',
      'nats://b:2',
    ]);
    expect(() => readSettings(list, { RHAPSODE_LIST: 'nats://a:1,b' })).toThrow('RHAPSODE_LIST');
  });
});

import { describe, expect, it } from 'vitest';
import { commonSettings, integer, readSettings, settingNames } from '../src/index.ts';

const table = {
  port: { name: 'RHAPSODE_PORT', description: 'port', default: '8080', schema: integer(0, 65_535) },
  logLevel: commonSettings.logLevel,
} as const;

function read(env: Record<string, string>) {
  const warnings: string[] = [];
  const settings = readSettings(table, env, (warning) => warnings.push(warning));
  return { settings, warnings };
}

/** What Kubernetes sets in every pod of a namespace for a Service with a cluster IP. */
const links = (service: string, ports: Readonly<Record<string, number>>): Record<string, string> => {
  const stem = service.toUpperCase().replaceAll('-', '_');
  const [first] = Object.values(ports);
  const each = Object.entries(ports).flatMap(([name, port]) => [
    [`${stem}_SERVICE_PORT_${name.toUpperCase()}`, String(port)],
    [`${stem}_PORT_${port}_TCP`, `tcp://10.0.0.1:${port}`],
    [`${stem}_PORT_${port}_TCP_PROTO`, 'tcp'],
    [`${stem}_PORT_${port}_TCP_PORT`, String(port)],
    [`${stem}_PORT_${port}_TCP_ADDR`, '10.0.0.1'],
  ]);
  return {
    [`${stem}_SERVICE_HOST`]: '10.0.0.1',
    [`${stem}_SERVICE_PORT`]: String(first),
    [`${stem}_PORT`]: `tcp://10.0.0.1:${first}`,
    ...Object.fromEntries(each),
  };
};

describe('names in the environment', () => {
  it('that are no setting are told, with the setting that was meant', () => {
    const env = {
      RHAPSODE_PROT: '9000',
      RHAPSODE_REDIS_HOST: 'redis',
      RHAPSODE_MAX_CHARACTERS: '5',
      RHAPSODE_REDIS: 'redis://secret@redis',
      RHAPSODE_COLOUR: 'blue',
    };
    expect(read(env).warnings).toEqual([
      'RHAPSODE_PROT is no setting and has no effect; did you mean RHAPSODE_PORT?',
      'RHAPSODE_REDIS_HOST is no setting and has no effect; did you mean RHAPSODE_REDIS_URL?',
      expect.stringMatching(/^RHAPSODE_MAX_CHARACTERS .*did you mean RHAPSODE_MAX_\w+_CHARACTERS\?$/),
      'RHAPSODE_REDIS is no setting and has no effect; did you mean RHAPSODE_REDIS_URL?',
      'RHAPSODE_COLOUR is no setting and has no effect; the README lists all settings',
    ]);
  });

  it('are no mistake when another service reads them, when they are empty, or when they are not ours', () => {
    const env = { RHAPSODE_SLOTS: '4', RHAPSODE_SLOT: '', PATH: '/bin', RHAPSODY_HOME: '/', rhapsode: '1' };
    expect(settingNames).toContain('RHAPSODE_SLOTS');
    expect(read(env).warnings).toEqual([]);
  });

  it('are no mistake when Kubernetes sets them for its Services', () => {
    const env = {
      ...links('rhapsode-gateway', { http: 8080, grpc: 50_051 }),
      ...links('rhapsode-service', { http: 80 }),
    };
    expect(read(env)).toEqual({ settings: expect.objectContaining({ port: 8080 }), warnings: [] });
  });

  it('that are a setting, but hold the address of a Service of that name, count as not set and are told', () => {
    const env = links('rhapsode', { http: 8123 });
    const { settings, warnings } = read(env);
    expect(settings.port).toBe(8080);
    expect(warnings).toEqual([
      'RHAPSODE_PORT counts as not set: Kubernetes has set it to the address of the Service ‘rhapsode’ (tcp://10.0.0.1:8123); set RHAPSODE_PORT yourself, or enableServiceLinks: false in the pod',
    ]);
    expect(read({ ...env, RHAPSODE_PORT: '9000' })).toMatchObject({ settings: { port: 9000 }, warnings: [] });
  });

  it('hold no address when somebody wrote it by hand: that is an error', () => {
    expect(() => read({ RHAPSODE_PORT: 'tcp://0.0.0.0:9000' })).toThrow(
      'RHAPSODE_PORT: must be a whole number',
    );
    expect(read({ RHAPSODE_SERVICE_PORT: '9000' }).warnings).toHaveLength(1);
  });
});

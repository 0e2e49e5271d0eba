import { RhapsodeError } from '@rhapsode/contracts';
import { describe, expect, it } from 'vitest';
import { createLog, createNews, createOutageLog } from '../src/index.ts';

const full = () => new RhapsodeError('store_full');
const away = () => new RhapsodeError('store_unavailable');

function logged(states: readonly (RhapsodeError | undefined)[]) {
  const lines: { level: string; code?: string }[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const outage = createOutageLog(createLog({ service: 'test', level: 'info', destination }), 'store');
  for (const state of states) outage(state);
  return lines.map(({ level, code }) => (code ? `${level} ${code}` : level));
}

describe('the log of an outage', () => {
  it('is silent about what serves', () => {
    expect(logged([undefined, undefined])).toEqual([]);
  });

  it('tells of an outage once, and of its end', () => {
    expect(logged([undefined, full(), full(), full(), undefined, undefined])).toEqual([
      'warn store_full',
      'info',
    ]);
  });

  it('tells when another reason takes the place of the first', () => {
    expect(logged([full(), full(), away(), away()])).toEqual(['warn store_full', 'warn store_unavailable']);
  });

  it('is no flood when a part comes and goes', () => {
    expect(logged(Array.from({ length: 100 }, (_, i) => (i % 2 ? undefined : full())))).toEqual([
      'warn store_full',
      'info',
    ]);
  });

  it('says again what was said long ago', () => {
    const isNews = createNews(-1);
    expect([isNews('a'), isNews('a')]).toEqual([true, true]);
  });
});
